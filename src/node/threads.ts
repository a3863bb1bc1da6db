/**
 * The pool of workers on threads of Node, and of those who have learned them from Node: the same calls, on all cores.
 */
import { refuseType } from "../core/arguments.ts";
import { type NodeThreadOptions, nodeHost } from "./threads/host.ts";
import type { ThreadPoolOptions } from "../threads/options.ts";
import { ThreadPool } from "../threads/thread-pool.ts";

export { ThreadCrashError } from "../threads/errors.ts";
export type { NodeThreadOptions } from "./threads/host.ts";
export type {
  JobName,
  JobOf,
  ResultOf,
  StreamedOf,
  StreamName,
  ThreadJobContext,
  ThreadPoolOptions,
} from "../threads/options.ts";
export type { ThreadStreamOptions } from "../threads/stream.ts";
export type { ThreadPool, ThreadPoolStats } from "../threads/thread-pool.ts";
export { transfer, type Transferred } from "../threads/transfer.ts";

/** How the threads of a pool are made. */
export interface ThreadOptions extends ThreadPoolOptions {
  /** What `worker_threads` is told: limits of memory, environment, arguments. */
  readonly thread?: NodeThreadOptions | undefined;
}

/**
 * Starts threads that call the exported functions of a module; give the type of the module, and names, jobs and results
 * are checked. A function is given the job and, as in a `WorkerPool`, an object with `ctx` and `worker`: so the same
 * function can work in either.
 *
 * **Units and ranges** `module`: the address of a module; a path would be read relative to this package.
 * **Errors** A module that cannot be loaded cancels the pool: every call fails with the reason.
 *
 * @example
 * const jobs = new URL("data:text/javascript,export const square = (n) => n * n");
 * await using pool = threadPool<{ square: (n: number) => number }>(jobs, { workers: 2 });
 * await Promise.all([pool.run("square", 3), pool.run("square", 4)]); //=> [9, 16]
 */
export function threadPool<M>(module: URL, options: ThreadOptions = {}): ThreadPool<M> {
  if (!(module instanceof URL)) refuseType("module", "a URL", module);
  return new ThreadPool<M>(nodeHost(options.thread ?? {}), module.href, options);
}
