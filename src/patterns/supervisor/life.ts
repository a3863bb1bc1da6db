/**
 * One life of a child.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import type { Runtime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, spawnTask } from "../../core/task.ts";
import { background, withCancel, withTimeout } from "../../sync/context.ts";
import type { Supervised } from "./inner.ts";
import { type ChildContext, type CheckedSpec, failed } from "./spec.ts";
import { Watchdog } from "./watchdog.ts";

/** How a child stopped that was told to; `error` is what it failed with on its way out. */
export type Stopped = { readonly type: "stopped"; readonly error?: unknown } | { readonly type: "abandoned" };

const READY: Outcome<void> = { ok: true, value: undefined };

/**
 * From the start to the end. Its identity tells it from those before and after.
 *
 * Invariant
 *   I1  The watchdog listens only to one that is ready, has not ended and was not told to stop.
 */
export class ChildLife {
  /** The supervisor that it is, if it is one. */
  inner: Supervised | undefined;
  /** Whether it has missed its heartbeat. */
  silent = false;
  readonly #runtime: Runtime;
  readonly #spec: CheckedSpec;
  readonly #changed: (life: ChildLife) => void;
  readonly #scope = withCancel(background);
  readonly #ready: Deferred<void>;
  readonly #ended: Deferred<Outcome<void>>;
  #readyAtMs: number | undefined;
  #endedAtMs: number | undefined;
  #ignored = false;
  #watchdog: Watchdog | undefined;

  /** Starts it. `changed` is told that it is silent, and that it has ended: once each, at most. */
  constructor(
    runtime: Runtime,
    spec: CheckedSpec,
    { restarts, group }: { readonly restarts: number; readonly group: string | undefined },
    changed: (life: ChildLife) => void,
  ) {
    this.#runtime = runtime;
    this.#spec = spec;
    this.#changed = changed;
    this.#ready = new Deferred<void>(runtime, "start");
    this.#ended = new Deferred<Outcome<void>>(runtime, "stop");
    const child: ChildContext = {
      ctx: this.#scope.ctx,
      restarts,
      ready: () => this.#becomeReady(),
      ignore: () => void (this.#ignored = true),
      heartbeat: () => this.#watchdog?.beat(),
    };
    const call = (): PromiseLike<void> | void => {
      if (child.ctx.error !== undefined) throw child.ctx.cause;
      if (spec.readyWithinMs === undefined) this.#becomeReady();
      return spec.start(child, (inner) => void (this.inner = inner));
    };
    const body = spec.context === undefined ? call : () => spec.context?.run(call);
    spawnTask<void>(runtime, { name: spec.id, group }, body, (outcome) => this.#end(outcome));
  }

  /** How it ended, once it has. */
  get outcome(): Outcome<void> | undefined {
    const ended = this.#ended.outcome;
    return ended?.ok === true ? ended.value : undefined;
  }

  /** Whether it has returned and said before that there is nothing to do. */
  get ignored(): boolean {
    return this.#ignored && this.outcome?.ok === true;
  }

  /** How long it has been ready, or was when it ended; 0 if it was not. */
  get livedMs(): number {
    const endMs = this.#endedAtMs ?? this.#runtime.clock.now();
    return endMs - (this.#readyAtMs ?? endMs);
  }

  /** Waits until it is ready, or has returned. Fails if it fails before. */
  ready(options?: CancelOptions): Promise<void> {
    return this.#ready.wait(options);
  }

  /** Tells it to stop, and why, and waits: for as long as its description says, or until `patience` ends. */
  async stop(cause?: unknown, patience?: CancelOptions): Promise<Stopped> {
    this.#watchdog?.stop();
    this.#scope.cancel(cause);
    const own = patience === undefined ? withTimeout(background, this.#spec.shutdownMs) : undefined;
    const waited = await outcomeOf(() => this.#ended.wait(patience ?? own?.ctx));
    own?.cancel();
    if (!waited.ok) return { type: "abandoned" };
    return { type: "stopped", error: failed(waited.value) ? waited.value.error : undefined };
  }

  #becomeReady(): void {
    if (this.#ready.outcome !== undefined || this.#scope.ctx.error !== undefined) return;
    this.#readyAtMs = this.#runtime.clock.now();
    const { watchdogMs } = this.#spec;
    if (watchdogMs !== undefined)
      this.#watchdog = new Watchdog(this.#runtime, watchdogMs, () => this.#fallSilent());
    this.#ready.settle(READY);
  }

  #end(outcome: Outcome<void>): void {
    this.#watchdog?.stop();
    this.#endedAtMs = this.#runtime.clock.now();
    this.#ended.settle({ ok: true, value: outcome });
    this.#ready.settle(outcome.ok ? READY : outcome);
    this.#scope.cancel();
    this.#changed(this);
  }

  #fallSilent(): void {
    this.silent = true;
    this.#changed(this);
  }
}
