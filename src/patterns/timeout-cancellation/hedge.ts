/**
 * A second attempt when the first is slow.
 */
import { requireDuration, requireFunction, requireInteger } from "../../core/arguments.ts";
import { rejectIfCancelled } from "../../core/cancellation.ts";
import { withSuppressed } from "../../core/errors.ts";
import { outcomeOf, valueOf } from "../../core/task.ts";
import { Channel } from "../../sync/channel.ts";
import { after, receive, select } from "../../sync/select.ts";
import { Contest, type ContestOptions } from "./contest.ts";
import type { AttemptTask } from "./retry.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** When a further attempt begins. */
export interface HedgeOptions<T> extends ContestOptions<T> {
  /**
   * How long to wait for an attempt before the next one begins beside it, in milliseconds; `Infinity` begins one only
   * when another has failed. A good value is the time in which 95 of 100 calls are answered.
   */
  readonly afterMs: number;
  /** How many attempts there are at most, the first included: at least 1; default 2. */
  readonly attempts?: number | undefined;
  /** Limits how many further attempts there are; share it among all who call the same server. */
  readonly budget?: RetryBudget | undefined;
}

/**
 * Runs a task, runs it once more beside the first if that takes too long, and gives the first success.
 *
 * **Guarantees** Each attempt that fails, also one that others have overtaken, is followed by the next at once. When one has succeeded, the others are called off,
 * and it settles when they have ended.
 * **Units and ranges** See {@link HedgeOptions}.
 * **Cancellation** When `signal` aborts, every attempt is called off, and it rejects with the signal's reason once they
 * have ended.
 * **Errors** What the last attempt failed with, once all have failed, with the other failures in its `suppressed` list.
 * **Cost** A task and a context for each attempt, and a timer between two.
 * **Not for** what must not happen twice; nor for a server that is slow because it has too much to do: see `budget`.
 * **Source** J. Dean and L. A. Barroso, "The Tail at Scale" (CACM 2013); gRPC's hedging (proposal A6).
 *
 * @example
 * const answer = await hedge(
 *   async (ctx, attempt) => {
 *     await sleep(attempt === 1 ? 60_000 : 1, ctx);
 *     return `attempt ${attempt}`;
 *   },
 *   { afterMs: 5 },
 * );
 * answer; //=> "attempt 2"
 */
export function hedge<T>(task: AttemptTask<T>, options: HedgeOptions<T>): Promise<T> {
  requireFunction("task", task);
  const afterMs = requireDuration("afterMs", options.afterMs);
  const attempts = requireInteger("attempts", options.attempts ?? 2, 1);
  return rejectIfCancelled(options) ?? attemptAll(task, options, afterMs, attempts);
}

async function attemptAll<T>(
  task: AttemptTask<T>,
  options: HedgeOptions<T>,
  afterMs: number,
  attempts: number,
): Promise<T> {
  const { budget } = options;
  const contest = new Contest<T>(1, Number.POSITIVE_INFINITY, options);
  const failures = new Channel<void>(attempts, { name: "failed attempts" });
  const enter = (attempt: number): void => {
    contest.enter(async (ctx) => {
      const outcome = await outcomeOf(() => task(ctx, attempt));
      if (!outcome.ok) failures.trySend();
      return valueOf(outcome);
    });
  };
  const startAll = async (): Promise<void> => {
    enter(1);
    for (let attempt = 2; attempt <= attempts; attempt++) {
      await outcomeOf(() => select({ failure: receive(failures), late: after(afterMs) }, contest.ctx));
      if (contest.ctx.error !== undefined || budget?.tryWithdraw() === false) return;
      enter(attempt);
    }
  };
  budget?.deposit();
  const decision = await contest.run(startAll);
  if (decision.won) return decision.values[0] as T;
  throw withSuppressed(decision.failures.at(-1), decision.failures);
}
