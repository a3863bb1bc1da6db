/**
 * What a child is, what is told of it, and one life of it.
 */
import { requireDuration, requireFunction, requireOneOf } from "../../core/arguments.ts";
import { Deferred } from "../../core/deferred.ts";
import { isCancellation } from "../../core/errors.ts";
import type { Runtime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, spawnTask } from "../../core/task.ts";
import { background, type Context, withCancel, withTimeout } from "../../sync/context.ts";

/** What a child is given. */
export interface ChildContext {
  /** Ends when the child is to stop, and when it has ended. */
  readonly ctx: Context;
  /** How often this child has been restarted: 0 the first time. */
  readonly restarts: number;
}

/** Describes a child. */
export interface ChildSpec {
  /** Its name: not empty, and no other child's. */
  readonly id: string;
  /** The child's whole life: it has ended when this settles. */
  readonly start: (child: ChildContext) => PromiseLike<void> | void;
  /**
   * `permanent`, the default: restarted however it ends. `transient`: only if it fails; a return and a cancellation of
   * its own are no failure. `temporary`: never, also when its siblings are.
   */
  readonly restart?: "permanent" | "transient" | "temporary" | undefined;
  /**
   * How long it is waited for once its context has ended, in milliseconds; default 5000. `Infinity` waits for as long
   * as it takes, 0 not at all. Then it is abandoned: an async function cannot be killed.
   */
  readonly shutdownMs?: number | undefined;
}

/** What happened to a child. */
export type ChildNews =
  /** It was called. */
  | { readonly type: "started" }
  /** It returned, or gave itself up: then `error` is what it threw. */
  | { readonly type: "ended"; readonly error?: unknown }
  /** It threw. */
  | { readonly type: "failed"; readonly error: unknown }
  /** It will be started again, after `delayMs`, together with whom the strategy says. */
  | {
      readonly type: "restarting";
      readonly after: "ended" | "failed";
      readonly error?: unknown;
      readonly delayMs: number;
    }
  /** It was told to stop, and has; `error` is what it failed with on the way out. */
  | { readonly type: "stopped"; readonly error?: unknown }
  /** It was told to stop, and has not within its `shutdownMs`. Nobody waits for it any more. */
  | { readonly type: "abandoned" }
  /** Its end was one too many: the supervisor stops the others, and ends. */
  | { readonly type: "gave-up"; readonly error?: unknown };

/** News of the child `id`. `restarts` is how often that child was restarted, one that is announced included. */
export type SupervisorEvent = { readonly id: string; readonly restarts: number } & ChildNews;

/** A description that was checked, with every default in its place. */
export type CheckedSpec = { readonly [K in keyof ChildSpec]-?: Exclude<ChildSpec[K], undefined> };

/** Refuses what is wrong, by name. */
export function checkSpecs(children: readonly ChildSpec[]): CheckedSpec[] {
  if (!Array.isArray(children)) throw new TypeError("children must be an array");
  const seen = new Set<string>();
  return children.map((spec, index) => {
    const where = `children[${index}]`;
    const { id } = spec;
    if (typeof id !== "string" || id === "")
      throw new TypeError(`${where}.id must be a string that is not empty`);
    if (seen.has(id))
      throw new RangeError(`${where}.id must be no other child's, got ${JSON.stringify(id)} twice`);
    seen.add(id);
    requireFunction(`${where}.start`, spec.start);
    const restarts = ["permanent", "transient", "temporary"] as const;
    return {
      id,
      start: (child) => spec.start(child),
      restart: requireOneOf(`${where}.restart`, spec.restart ?? "permanent", restarts),
      shutdownMs: requireDuration(`${where}.shutdownMs`, spec.shutdownMs ?? 5000),
    };
  });
}

/** Whether a child that ended like this is to be started again. */
export function wantsRestart({ restart }: CheckedSpec, outcome: Outcome<void>): boolean {
  return restart === "permanent" || (restart === "transient" && failed(outcome));
}

/** Whether an end was a failure: a child that gave itself up has not failed, as `shutdown` is no failure in OTP. */
export function failed(outcome: Outcome<void>): outcome is Outcome<void> & { readonly ok: false } {
  return !outcome.ok && !isCancellation(outcome.error);
}

/** One life of a child, from its start to its end. Its identity tells it from those before and after. */
export class ChildLife {
  readonly #scope = withCancel(background);
  readonly #started: Deferred<void>;
  readonly #ended: Deferred<Outcome<void>>;

  /** Starts it; `ended` is told once, when it has ended. */
  constructor(
    runtime: Runtime,
    spec: CheckedSpec,
    { restarts, group }: { readonly restarts: number; readonly group: string | undefined },
    ended: (life: ChildLife) => void,
  ) {
    this.#started = new Deferred<void>(runtime, "start");
    this.#ended = new Deferred<Outcome<void>>(runtime, "stop");
    const body = (): PromiseLike<void> | void => {
      this.#started.settle({ ok: true, value: undefined });
      return spec.start({ ctx: this.#scope.ctx, restarts });
    };
    spawnTask<void>(runtime, { name: spec.id, group }, body, (outcome) => {
      this.#ended.settle({ ok: true, value: outcome });
      this.#scope.cancel();
      ended(this);
    });
  }

  /** How it ended, once it has. */
  get outcome(): Outcome<void> | undefined {
    const ended = this.#ended.outcome;
    return ended?.ok === true ? ended.value : undefined;
  }

  /** Waits until its function has been called. */
  started(): Promise<void> {
    return this.#started.wait();
  }

  /** Tells it to stop and waits, for `shutdownMs` at most. */
  async stop(shutdownMs: number): Promise<ChildNews> {
    this.#scope.cancel();
    const patience = withTimeout(background, shutdownMs);
    const waited = await outcomeOf(() => this.#ended.wait(patience.ctx));
    patience.cancel();
    if (!waited.ok) return { type: "abandoned" };
    return { type: "stopped", error: failed(waited.value) ? waited.value.error : undefined };
  }
}
