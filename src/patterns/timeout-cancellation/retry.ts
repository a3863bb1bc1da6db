/**
 * Tries again what failed, as long as that makes sense.
 *
 * Invariants
 *   I1  One attempt runs at a time, each with a context of its own, which has ended when the next one begins.
 *   I2  A pause is begun only if another attempt may follow it.
 */
import { requireDuration, requireFunction, requireLimit } from "../../core/arguments.ts";
import {
  type CancelOptions,
  deadlineOf,
  endingOf,
  isCancelled,
  rejectIfCancelled,
} from "../../core/cancellation.ts";
import { isCancellation, withSuppressed } from "../../core/errors.ts";
import { outcomeOf } from "../../core/task.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import { exponentialDelay, type Schedule } from "../../sync/schedule.ts";
import { now, sleep } from "../../sync/timers.ts";
import type { RetryBudget } from "./retry-budget.ts";

export { RetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";

/** So many earlier failures are kept, the latest: there may be no end of attempts. */
const KEPT_FAILURES = 10;

/** What is tried: it is given a context that ends with the attempt, and its number, from 1. */
export type AttemptTask<T> = (ctx: Context, attempt: number) => T | PromiseLike<T>;

/** An attempt that failed and will be followed by another. */
export interface FailedAttempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** What it failed with. */
  readonly error: unknown;
  /** How long the pause after it will be. */
  readonly delayMs: number;
}

/** When to try again. */
export interface RetryOptions extends CancelOptions {
  /** How many attempts there are at most, the first included: at least 1, or Infinity; default 3. */
  readonly attempts?: number | undefined;
  /** How long to pause between them: `Infinity` for no further attempt; by default `exponentialDelay()`. */
  readonly schedule?: Schedule | undefined;
  /** Whether a failure is worth another attempt; by default each is. It is not asked about cancellations. */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /** Limits how many calls may be followed by a retry; share it among all who call the same server. */
  readonly budget?: RetryBudget | undefined;
  /**
   * The instant by which the call must be over, in milliseconds of `now()`, if that is earlier than the deadline of the
   * context whose `signal` this is. It ends nothing: it is looked at before a pause.
   */
  readonly deadlineMs?: number | undefined;
  /** How long an attempt takes at the least, in milliseconds; default 0. None is begun again with less time left. */
  readonly attemptMs?: number | undefined;
  /** Told of each failure that is followed by another attempt, before the pause. */
  readonly onRetry?: ((failed: FailedAttempt) => void) | undefined;
}

/**
 * Runs a task, and runs it again if it fails.
 *
 * **Guarantees** The first attempt is made in any case. No pause is begun that would outlast the deadline, that of the
 * context included, or leave less than `attemptMs` before it: the failure comes at once instead of a timeout later. The next attempt begins when the one
 * before has ended.
 * **Units and ranges** See {@link RetryOptions}. To limit each attempt, put `timeout` around the task; to limit all of
 * them, put it around the retry.
 * **Cancellation** When `signal` aborts, the attempt under way is told and waited for; a pause ends at once. No attempt
 * follows. A task that gives up by itself is not tried again either.
 * **Errors** What the last attempt failed with, the same object, with the earlier failures in its `suppressed` list (the
 * ten latest). A cancellation rejects with the signal's reason, which is not touched; `onRetry` has told the failures
 * before it.
 * **Cost** A context for each attempt; a timer for each pause. No listener stays on the signal.
 * **Not for** what must not happen twice, unless the server can tell that it is the same request.
 *
 * @example
 * // Every part takes a task and a context, so parts nest as functions do. Here, from outside: a second for the whole,
 * // three attempts, five calls at once, a breaker that spares a server which is down, and 200 ms for each call.
 * const breaker = new CircuitBreaker({ consecutive: 5 });
 * const bulkhead = new Bulkhead({ concurrency: 5, capacity: 100 });
 * const budget = new RetryBudget({ share: 0.2 });
 * const schedule = exponentialDelay({ firstMs: 2 });
 * const guarded = <T>(task: Task<T>, { signal }: CancelOptions = background): Promise<T> => {
 *   const limited: Task<T> = ({ signal }) => timeout(task, { timeoutMs: 200, signal });
 *   const spared: Task<T> = (ctx) => bulkhead.run((ctx) => breaker.run(limited, ctx), ctx);
 *   const retried: Task<T> = ({ signal }) => retry(spared, { attempts: 3, schedule, budget, signal });
 *   return timeout(retried, { timeoutMs: 1000, signal });
 * };
 *
 * let calls = 0;
 * const answer = await guarded(async (ctx) => {
 *   await sleep(1, ctx);
 *   if (++calls < 3) throw new Error("busy");
 *   return `done after ${calls} calls`;
 * });
 * answer; //=> "done after 3 calls"
 */
export function retry<T>(task: AttemptTask<T>, options: RetryOptions = {}): Promise<T> {
  requireFunction("task", task);
  return new Retry(task, options).run();
}

class Retry<T> {
  readonly #task: AttemptTask<T>;
  readonly #options: RetryOptions;
  readonly #attempts: number;
  readonly #schedule: Schedule;
  readonly #attemptMs: number;
  readonly #deadlineMs: number;
  /** The latest failures that were followed by another attempt. */
  #earlier: readonly unknown[] = [];

  constructor(task: AttemptTask<T>, options: RetryOptions) {
    this.#task = task;
    this.#options = options;
    this.#attempts = requireLimit("attempts", options.attempts ?? 3, 1);
    this.#schedule = options.schedule ?? exponentialDelay();
    this.#attemptMs = requireDuration("attemptMs", options.attemptMs ?? 0);
    const deadlineMs = requireDuration("deadlineMs", options.deadlineMs ?? Number.POSITIVE_INFINITY);
    this.#deadlineMs = Math.min(deadlineMs, deadlineOf(options) ?? deadlineMs);
    requireFunction("schedule", this.#schedule);
    if (options.when !== undefined) requireFunction("when", options.when);
    if (options.onRetry !== undefined) requireFunction("onRetry", options.onRetry);
  }

  async run(): Promise<T> {
    let delayMs: number | undefined = 0;
    for (let attempt = 1; ; attempt++) {
      await rejectIfCancelled(this.#options);
      if (attempt === 1) this.#options.budget?.deposit();
      const { ctx, cancel } = withCancel(this.#options);
      const outcome = await outcomeOf(() => this.#task(ctx, attempt));
      cancel();
      if (outcome.ok) return outcome.value;
      const { error } = outcome;
      const failures: readonly unknown[] = [...this.#earlier, error];
      if (isCancellation(error) || isCancelled(this.#options)) throw this.#givenUp(error, failures);
      delayMs = this.#decide({ attempt, error, delayMs }, failures);
      if (delayMs === undefined) throw withSuppressed(error, failures);
      this.#earlier = failures.slice(-KEPT_FAILURES);
      await sleep(delayMs, this.#options);
    }
  }

  /** Whoever only reports that it was told to end gets the reason itself; a failure on the way out stays one. */
  #givenUp(error: unknown, failures: readonly unknown[]): unknown {
    if (!isCancelled(this.#options)) return withSuppressed(error, failures);
    const reason = endingOf(this.#options)?.reason;
    return error === reason || isCancellation(error) ? reason : withSuppressed(error, failures);
  }

  /** How long to pause now; undefined if there is to be no further attempt. What callbacks throw ends the retry. */
  #decide(failed: FailedAttempt, failures: readonly unknown[]): number | undefined {
    const { when, onRetry } = this.#options;
    const { attempt, error } = failed;
    try {
      if (attempt >= this.#attempts || when?.(error) === false) return undefined;
      const delayMs = requireDuration("schedule's pause", this.#schedule(attempt, failed.delayMs, error));
      if (!this.#fits(delayMs) || this.#options.budget?.tryWithdraw() === false) return undefined;
      onRetry?.({ attempt, error, delayMs });
      return delayMs;
    } catch (thrown) {
      throw withSuppressed(thrown, failures);
    }
  }

  /** Whether there is time for a pause and for an attempt after it; for an endless pause there never is. */
  #fits(delayMs: number): boolean {
    return now() + delayMs + this.#attemptMs < this.#deadlineMs;
  }
}
