/**
 * A limit on how long a task may take: when its time is up it is told to end, and waited for while it does.
 */
import { requireDuration, requireFunction } from "../core/arguments.ts";
import {
  type Cancelable,
  type CancelLink,
  type CancelOptions,
  isCancelled,
  linkCancel,
  rejectIfCancelled,
} from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { Deferred } from "../core/deferred.ts";
import { TimeoutError } from "../core/errors.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { type Outcome, spawnTask } from "../core/task.ts";
import { reportUncaught } from "../core/uncaught.ts";
import { type CancelableContext, type Context, withTimeout } from "../sync/context.ts";

/** How long a task may take, and what happens if it takes longer. */
export interface TimeoutOptions<T, F = never> extends CancelOptions {
  /** How long it may take, in milliseconds from the call; `Infinity` sets no limit. */
  readonly timeoutMs: number;
  /**
   * How long it is waited for after its context has ended, in milliseconds; default Infinity. With 0 the call settles
   * at once. A task that is still not done after that is abandoned: it goes on, and nobody waits for it.
   */
  readonly graceMs?: number | undefined;
  /**
   * Gives a value in place of the `TimeoutError`: called only if time ran out, once the wait for the task is over, and
   * not if the caller has given up meanwhile.
   */
  readonly fallback?: ((error: TimeoutError) => F | PromiseLike<F>) | undefined;
  /**
   * Told of a value or an error that came when the context had ended, so that what it holds can be released. Not told
   * of a task that merely did as it was told and rejected with the cause of its context.
   */
  readonly onLate?: ((outcome: Outcome<T>) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** What is given a limit: it is handed a context that ends when it should give up. */
export type TimedTask<T> = (ctx: Context) => T | PromiseLike<T>;

/**
 * One limited call.
 *
 * Invariants
 *   I1  The state leaves running once: the first of an outcome, the end of its time and a caller's abort decides.
 *   I2  Only a running one has a tie to its context; only one that was told to end has a timer for its grace.
 */
class LimitedCall<T> implements Cancelable {
  readonly #runtime: Runtime = currentRuntime();
  readonly #options: TimeoutOptions<T, unknown>;
  readonly #graceMs: number;
  readonly #scope: CancelableContext;
  readonly #result: Deferred<T>;
  #link: CancelLink | undefined;
  #grace: Timer | undefined;
  #state: "running" | "done" | "expired" | "cancelled" = "running";

  constructor(task: TimedTask<T>, options: TimeoutOptions<T, unknown>) {
    this.#options = options;
    this.#graceMs = options.graceMs ?? Number.POSITIVE_INFINITY;
    this.#scope = withTimeout(options, options.timeoutMs);
    this.#result = new Deferred<T>(this.#runtime, "join");
    const { ctx } = this.#scope;
    if (ctx.error !== undefined) {
      this.#state = "expired";
      this.#giveUp();
      return;
    }
    this.#link = linkCancel(ctx, this);
    const run = (): T | PromiseLike<T> => {
      if (ctx.error !== undefined) throw ctx.cause;
      return task(ctx);
    };
    spawnTask(this.#runtime, { name: options.name ?? "timeout" }, run, (outcome) => this.#ended(outcome));
  }

  /** Whether time ran out, as opposed to a caller who gave up. */
  get expired(): boolean {
    return this.#state === "expired";
  }

  result(): Promise<T> {
    return this.#result.wait();
  }

  /** The context has ended: by itself, or because the caller has given up. */
  onCancel(): void {
    this.#state = isCancelled(this.#options) ? "cancelled" : "expired";
    if (this.#graceMs === 0) this.#abandon();
    else this.#grace = this.#runtime.clock.after(this.#graceMs, () => this.#abandon());
  }

  #ended(outcome: Outcome<T>): void {
    if (this.#state === "running") {
      this.#state = "done";
      this.#link?.release();
      this.#scope.cancel();
      this.#result.settle(outcome);
      return;
    }
    this.#grace?.cancel();
    const asTold = !outcome.ok && outcome.error === this.#scope.ctx.cause;
    this.#giveUp(outcome.ok || asTold ? undefined : outcome.error);
    if (!asTold) this.#tellLate(outcome);
  }

  #abandon(): void {
    const text = `${this.#options.name ?? "a task"} was abandoned ${this.#graceMs} ms after its context had ended`;
    this.#runtime.tracer?.emit({ k: "warn", code: "abandoned", text });
    this.#giveUp();
  }

  /** Settles with the reason; what went wrong on the way out is its cause. A caller's reason is not touched. */
  #giveUp(failure?: unknown): void {
    const attach = this.#state === "expired" && failure !== undefined;
    const error = attach ? new TimeoutError(undefined, { cause: failure }) : this.#scope.ctx.cause;
    this.#result.settle({ ok: false, error });
  }

  #tellLate(outcome: Outcome<T>): void {
    try {
      this.#options.onLate?.(outcome);
    } catch (error) {
      reportUncaught(error);
    }
  }
}

/**
 * Runs a task that may take `timeoutMs` at most.
 *
 * **Guarantees** When time is up the context of the task ends, and the call settles when the task has: so its `finally`
 * blocks have run, and what it held is free. A task cannot be stopped by force; one that ignores its context holds the
 * call up, unless `graceMs` says for how long it may. A value that comes too late is no result: see `onLate`.
 * **Units and ranges** Milliseconds from the call. With zero and less the task is not run.
 * **Cancellation** When `signal` aborts, the same happens, and the call rejects with the signal's reason.
 * **Errors** `TimeoutError` if time ran out first, with what the task failed with meanwhile as its `cause`; else what
 * the task throws. Neither a timeout nor a cancellation passes for the other: the first of them wins.
 * **Cost** A context, a timer and a task. Neither timer nor listener is left, however it ends.
 * **Not for** loops without an `await`: no timer fires meanwhile.
 * **Source** Go's `context.WithTimeout`, with the wait for the loser as in Effect and ox.
 *
 * @example
 * const quick = await timeout(() => "done", { timeoutMs: 1000 });
 * const slow = await timeout((ctx) => sleep(1000, ctx), {
 *   timeoutMs: 5,
 *   fallback: (error) => error.message,
 * });
 * [quick, slow]; //=> ["done", "context deadline exceeded"]
 */
export function timeout<T, F = never>(task: TimedTask<T>, options: TimeoutOptions<T, F>): Promise<T | F> {
  requireFunction("task", task);
  requireDuration("timeoutMs", options.timeoutMs);
  requireDuration("graceMs", options.graceMs ?? 0);
  if (options.fallback !== undefined) requireFunction("fallback", options.fallback);
  if (options.onLate !== undefined) requireFunction("onLate", options.onLate);
  return rejectIfCancelled(options) ?? settle(new LimitedCall(task, options), options);
}

async function settle<T, F>(call: LimitedCall<T>, options: TimeoutOptions<T, F>): Promise<T | F> {
  try {
    return await call.result();
  } catch (error) {
    const { fallback } = options;
    if (!call.expired || fallback === undefined) throw error;
    return await (rejectIfCancelled(options) ?? fallback(error as TimeoutError));
  }
}
