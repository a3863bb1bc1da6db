/**
 * Keeps children running: starts them in order, restarts what fails, and gives up when that happens too often.
 *
 * Invariants
 *   I1  A child is idle, due at an instant, or running one life. What is heard of any other life of it is ignored.
 *   I2  Only the supervisor's own task starts and stops children, one after the other.
 *   I3  Once `wait` has settled, no child runs, except those that were abandoned; no timer and no listener is left.
 */
import { requireDuration, requireFunction, requireOneOf } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { type Outcome, outcomeOf, spawnTask, valueOf } from "../core/task.ts";
import { reportUncaught } from "../core/uncaught.ts";
import { Channel } from "../sync/channel.ts";
import { type CancelableContext, withCancel } from "../sync/context.ts";
import { after, done, receive, type SelectCase, select } from "../sync/select.ts";
import {
  ChildLife,
  type ChildNews,
  type ChildSpec,
  type CheckedSpec,
  checkSpecs,
  failed,
  type SupervisorEvent,
  wantsRestart,
} from "./supervisor/child.ts";
import { RestartIntensity } from "./supervisor/restart-intensity.ts";

export type { ChildContext, ChildNews, ChildSpec, SupervisorEvent } from "./supervisor/child.ts";
export { type RestartReason, SupervisorError } from "./supervisor/restart-intensity.ts";

/** Which children are restarted together. */
export type Strategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** How children are supervised. */
export interface SupervisorOptions extends CancelOptions {
  /**
   * `one-for-one`, the default: only the child that ended is restarted. `one-for-all`: all are. `rest-for-one`: it and
   * those after it. Those that still run are stopped before, in reverse order.
   */
  readonly strategy?: Strategy | undefined;
  /** How many restarts are allowed within `periodMs`: at least 0, or Infinity; default 1. */
  readonly intensity?: number | undefined;
  /** How far back restarts count, in milliseconds: above 0; default 5000. */
  readonly periodMs?: number | undefined;
  /** How long a restart waits, in milliseconds; default 0. */
  readonly restartDelayMs?: number | undefined;
  /** Told of what happens, as it happens. What it throws becomes an uncaught exception of the host. */
  readonly onEvent?: ((event: SupervisorEvent) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

type ChildState =
  | { readonly is: "idle" }
  | { readonly is: "due"; readonly atMs: number }
  | { readonly is: "running" | "stopping"; readonly life: ChildLife };

interface Child {
  readonly spec: CheckedSpec;
  starts: number;
  state: ChildState;
}

const IDLE: ChildState = { is: "idle" };

/** Whether `life` is the one that `child` runs now. */
function runs({ state }: Child, life: ChildLife): boolean {
  return state.is === "running" && state.life === life;
}

/**
 * A supervisor.
 *
 * **Guarantees** Children are called in the order of the list, each up to its first `await` before the next, and are
 * stopped in reverse order, each waited for. At most `intensity` restarts happen within `periodMs`; one that is older
 * than the period no longer counts. A supervisor ends when it is stopped, when it gives up, or when no child is left
 * that runs or will.
 * **Cancellation** {@link Supervisor.stop}, an abort of `signal`, or the end of an `await using` block stops all
 * children, also in the midst of a restart.
 * **Errors** {@link SupervisorError}, from {@link Supervisor.wait}, if it gave up. The failures of children are restarts,
 * and are told to `onEvent`.
 * **Cost** A task for the supervisor and one for each life of a child; a restart is O(children + intensity).
 * **Not for** failures that a retry cannot cure: a child that fails the same way each time is only given up later.
 * **Source** Erlang/OTP's `supervisor`, over async functions. They cannot be killed: one that ignores the end of its
 * context is abandoned after `shutdownMs`, and may still be at work beside its successor.
 *
 * @example
 * let attempts = 0;
 * const supervisor = new Supervisor([
 *   {
 *     id: "import",
 *     restart: "transient",
 *     start: () => {
 *       if (++attempts < 3) throw new Error("not yet");
 *     },
 *   },
 * ], { intensity: 5 });
 * await supervisor.wait();
 * [attempts, supervisor.restarts]; //=> [3, 2]
 */
export class Supervisor {
  readonly #runtime: Runtime = currentRuntime();
  readonly #strategy: Strategy;
  readonly #intensity: RestartIntensity;
  readonly #restartDelayMs: number;
  readonly #onEvent: ((event: SupervisorEvent) => void) | undefined;
  readonly #resource: Resource | undefined;
  readonly #scope: CancelableContext;
  readonly #result: Deferred<void>;
  /** Who has ended by itself. Needs no bound of its own: a life ends once, and one that is being stopped is not told. */
  readonly #ends: Channel<readonly [Child, ChildLife]>;
  #children: readonly Child[];
  #restarts = 0;
  /** Whether somebody was told how it ended, so that leaving a block need not say it again. */
  #heard = false;

  /** Starts the children, after this call. */
  constructor(children: readonly ChildSpec[], options: SupervisorOptions = {}) {
    this.#children = checkSpecs(children).map((spec) => ({ spec, starts: 0, state: IDLE }));
    const { strategy = "one-for-one", onEvent, name = "supervisor" } = options;
    this.#strategy = requireOneOf("strategy", strategy, ["one-for-one", "one-for-all", "rest-for-one"]);
    this.#intensity = new RestartIntensity(options.intensity, options.periodMs);
    this.#restartDelayMs = requireDuration("restartDelayMs", options.restartDelayMs ?? 0);
    if (onEvent !== undefined) requireFunction("onEvent", onEvent);
    this.#onEvent = onEvent;
    this.#resource = observe(this.#runtime, "supervisor", options.name);
    this.#result = new Deferred<void>(this.#runtime, "wait", this.#resource);
    this.#ends = new Channel(Number.POSITIVE_INFINITY, { name: `${name} ends` });
    this.#scope = withCancel(options);
    const finish = (outcome: Outcome<void>): void => this.#result.settle(outcome);
    spawnTask<void>(this.#runtime, { name }, () => this.#run(), finish);
  }

  /** How many children run, those that are being stopped included. */
  get active(): number {
    return this.#children.filter(({ state }) => "life" in state).length;
  }

  /** How many restarts were announced: one that takes several children along counts once. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Waits until it has ended and every child has stopped. A caller who is cancelled leaves; the children go on.
   *
   * **Errors** {@link SupervisorError} if it gave up. Being stopped is no error.
   */
  async wait(options?: CancelOptions): Promise<void> {
    try {
      await this.#result.wait(options);
    } finally {
      this.#heard ||= this.#result.outcome !== undefined;
    }
  }

  /** Stops every child in reverse order, and gives what {@link Supervisor.wait} gives. May be called again. */
  stop(options?: CancelOptions): Promise<void> {
    this.#scope.cancel();
    return this.wait(options);
  }

  /** Stops. Throws that it gave up only if nobody else is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    const heard = this.#heard || this.#result.waiting > 0;
    const end = await outcomeOf(() => this.stop());
    if (!heard) valueOf(end);
  }

  async #run(): Promise<void> {
    const atMs = this.#runtime.clock.now();
    for (const child of this.#children) child.state = { is: "due", atMs };
    const end = await outcomeOf(() => this.#supervise());
    await this.#stopAll(this.#children);
    this.#scope.cancel();
    valueOf(end);
  }

  /** Returns when it is told to stop or nobody is left; throws when it gives up. */
  async #supervise(): Promise<void> {
    const { ctx } = this.#scope;
    for (;;) {
      await this.#startDue();
      if (this.#children.every(({ state }) => state.is === "idle")) return;
      const next = await select(
        { stop: done(ctx), end: receive(this.#ends), due: this.#untilDue() },
        { order: "priority" },
      );
      if (next.key === "stop") return;
      if (next.key === "end" && next.done !== true) await this.#onEnd(...next.value);
    }
  }

  async #startDue(): Promise<void> {
    const nowMs = this.#runtime.clock.now();
    for (const child of this.#children) {
      if (this.#scope.ctx.error !== undefined) return;
      if (child.state.is !== "due" || child.state.atMs > nowMs) continue;
      const label = { restarts: child.starts++, group: this.#resource?.name };
      const life = new ChildLife(this.#runtime, child.spec, label, (ended) => {
        if (runs(child, ended)) this.#ends.trySend([child, ended]);
      });
      child.state = { is: "running", life };
      await life.started();
      this.#tell(child, { type: "started" });
    }
  }

  /** Waits for the next start; disabled if there is none. */
  #untilDue(): SelectCase<{ readonly value: number }> | undefined {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { state } of this.#children) if (state.is === "due") nextMs = Math.min(nextMs, state.atMs);
    return nextMs === Number.POSITIVE_INFINITY ? undefined : after(nextMs - this.#runtime.clock.now());
  }

  async #onEnd(child: Child, life: ChildLife): Promise<void> {
    const { outcome } = life;
    if (!runs(child, life) || outcome === undefined) return;
    child.state = IDLE;
    this.#tellEnd(child, outcome);
    if (child.spec.restart === "temporary") this.#forget(child);
    if (!wantsRestart(child.spec, outcome)) return;
    this.#countRestart(child, outcome);
    const affected = this.#affected(child);
    await this.#stopAll(affected);
    for (const other of affected) this.#forget(other);
    const atMs = this.#runtime.clock.now() + this.#restartDelayMs;
    for (const other of affected) other.state = { is: "due", atMs };
  }

  /** Announces a restart. Throws if it is one too many. */
  #countRestart(child: Child, outcome: Outcome<void>): void {
    const { id } = child.spec;
    const after = failed(outcome) ? "failed" : "ended";
    const error = outcome.ok ? undefined : outcome.error;
    try {
      this.#intensity.count({ id, after, error, atMs: this.#runtime.clock.now() });
    } catch (gaveUp) {
      this.#tell(child, { type: "gave-up", error });
      throw gaveUp;
    }
    this.#restarts++;
    const delay = this.#restartDelayMs;
    this.#resource?.emit({ k: "super.restart", child: id, n: child.starts, delay, strategy: this.#strategy });
    this.#tell(child, { type: "restarting", after, error, delayMs: delay });
  }

  /** Whom a restart of `child` takes along, itself included, in the order of the list. */
  #affected(child: Child): readonly Child[] {
    if (this.#strategy === "one-for-one") return [child];
    return this.#strategy === "one-for-all"
      ? this.#children
      : this.#children.slice(this.#children.indexOf(child));
  }

  /** A temporary child that no longer runs never will. */
  #forget(child: Child): void {
    if (child.spec.restart !== "temporary") return;
    this.#children = this.#children.filter((other) => other !== child);
  }

  async #stopAll(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) await this.#stop(child);
  }

  /** One that has ended before it was told to has ended by itself. */
  async #stop(child: Child): Promise<void> {
    const { state } = child;
    child.state = IDLE;
    if (state.is !== "running") return;
    const { life } = state;
    if (life.outcome !== undefined) return this.#tellEnd(child, life.outcome);
    child.state = { is: "stopping", life };
    const news = await life.stop(child.spec.shutdownMs);
    child.state = IDLE;
    this.#tell(child, news);
  }

  #tellEnd(child: Child, outcome: Outcome<void>): void {
    const error = outcome.ok ? undefined : outcome.error;
    this.#tell(child, failed(outcome) ? { type: "failed", error } : { type: "ended", error });
  }

  #tell(child: Child, news: ChildNews): void {
    const restarts = news.type === "restarting" ? child.starts : child.starts - 1;
    try {
      this.#onEvent?.({ id: child.spec.id, restarts, ...news });
    } catch (error) {
      reportUncaught(error);
    }
  }
}
