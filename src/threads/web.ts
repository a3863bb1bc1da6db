/**
 * The pool of workers on the workers of a browser.
 */
import { refuseType } from "../core/arguments.ts";
import type { ThreadPoolOptions } from "./options.ts";
import { ThreadPool } from "./thread-pool.ts";
import { webHost } from "./web/host.ts";

export { ThreadCrashError } from "./errors.ts";
export type {
  JobName,
  JobOf,
  ResultOf,
  StreamedOf,
  StreamName,
  ThreadJobContext,
  ThreadPoolOptions,
} from "./options.ts";
export type { ThreadStreamOptions } from "./stream.ts";
export type { ThreadPool, ThreadPoolStats } from "./thread-pool.ts";
export { transfer, type Transferred } from "./transfer.ts";

/**
 * Starts workers that call the exported functions of a module: as `threadPool` of `threads`, in a browser.
 *
 * **Guarantees** Those of a {@link ThreadPool}. A page that is not cross-origin isolated has no shared memory: there, a
 * worker is sent one job at a time.
 * **Not for** Node: see `threads`.
 */
export function webThreadPool<M>(module: URL, options: ThreadPoolOptions = {}): ThreadPool<M> {
  if (!(module instanceof URL)) refuseType("module", "a URL", module);
  return new ThreadPool<M>(webHost, module.href, options);
}
