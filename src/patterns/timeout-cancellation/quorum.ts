/**
 * The first so many successes of several tasks.
 */
import { requireFunction, requireInteger } from "../../core/arguments.ts";
import { rejectIfCancelled } from "../../core/cancellation.ts";
import type { Task } from "../../sync/task-group.ts";
import { Contest, type ContestOptions } from "./contest.ts";

export type { ContestOptions } from "./contest.ts";

/**
 * Runs all tasks at once, and gives the values of the first `needed` that succeed, in the order of the tasks. The others
 * are called off as soon as there are so many, or can no longer be so many.
 *
 * **Guarantees** It settles when every task has ended. So the `finally` blocks of those called off have run; one that does
 * not heed its context holds it up: put `timeout` around that one.
 * **Units and ranges** `needed`: a whole number from 1 to the number of tasks.
 * **Cancellation** When `signal` aborts, every context ends, and it rejects with the signal's reason once all have ended.
 * **Errors** An `AggregateError` of all failures, in the order of the tasks, if too many fail. A task that only gave up
 * because it was called off has not failed.
 * **Cost** A task and a context for each.
 * **Source** D. K. Gifford, "Weighted Voting for Replicated Data" (SOSP 1979).
 *
 * @example
 * const replicas = [Infinity, 2, 1].map((delayMs, index) => async (ctx: Context) => {
 *   await sleep(delayMs, ctx);
 *   return `replica ${index}`;
 * });
 * await quorum(2, replicas); //=> ["replica 1", "replica 2"]
 */
export function quorum<T>(
  needed: number,
  tasks: Iterable<Task<T>>,
  options: ContestOptions<T> = {},
): Promise<T[]> {
  const all = [...tasks];
  for (const task of all) requireFunction("task", task);
  if (all.length === 0) throw new RangeError("tasks must hold at least one task, got none");
  requireInteger("needed", needed, 1, all.length);
  return rejectIfCancelled(options) ?? decide(needed, all, options);
}

/**
 * The first success of several tasks, as `Promise.any`, but the others are called off and waited for. See {@link quorum},
 * of which this is the one with one.
 *
 * @example
 * const near = async () => "near";
 * const far = async (ctx: Context) => {
 *   await sleep(Infinity, ctx);
 *   return "far";
 * };
 * await anyOf([far, near]); //=> "near"
 */
export function anyOf<T>(tasks: Iterable<Task<T>>, options: ContestOptions<T> = {}): Promise<T> {
  return quorum(1, tasks, options).then(([first]) => first as T);
}

async function decide<T>(
  needed: number,
  tasks: readonly Task<T>[],
  options: ContestOptions<T>,
): Promise<T[]> {
  const contest = new Contest<T>(needed, tasks.length, options);
  const decision = await contest.run(() => {
    for (const task of tasks) contest.enter(task);
  });
  if (decision.won) return [...decision.values];
  const { failures } = decision;
  throw new AggregateError(
    failures,
    `${failures.length} of ${tasks.length} tasks failed; ${needed} had to succeed`,
  );
}
