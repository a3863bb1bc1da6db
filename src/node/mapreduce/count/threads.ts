/**
 * The threads of a count.
 */
import { outcomeOf, valueOf } from "../../../core/task.ts";
import { type Context, withCancel } from "../../../sync/context.ts";
import type { ThreadPool } from "../../../threads/thread-pool.ts";
import { threadPool } from "../../threads.ts";
import type * as functions from "./entry.ts";
import type { CountOptions } from "./settings.ts";

/** The functions that they call. */
export type CountPool = ThreadPool<typeof functions>;

/** Has threads for as long as `work` lasts: when this settles, they have ended, and so has the context. */
export async function withThreads<T>(
  options: CountOptions,
  threads: number,
  work: (pool: CountPool, ctx: Context) => Promise<T>,
): Promise<T> {
  const { graceMs, thread, name = "count" } = options;
  const { ctx, cancel } = withCancel(options);
  const pool: CountPool = threadPool(new URL("./entry.js", import.meta.url), {
    workers: threads,
    name,
    graceMs,
    thread,
    // What was thrown when its call had ended was thrown for nobody: the call has its outcome.
    onError: () => {},
  });
  const outcome = await outcomeOf(() => work(pool, ctx));
  cancel();
  pool.cancel();
  await outcomeOf(() => pool.drain());
  return valueOf(outcome);
}
