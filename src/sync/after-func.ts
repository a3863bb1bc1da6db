/**
 * Something to do once a context has ended.
 */
import { requireFunction, requireObject } from "../core/arguments.ts";
import { AsyncContext } from "../core/async-context.ts";
import { bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, isCancelled, linkCancel } from "../core/cancellation.ts";
import { spawnTask } from "../core/task.ts";
import { reportUncaught } from "../core/uncaught.ts";

/**
 * Calls `callback` in a task of its own once `source` has ended; at once if it has already.
 *
 * **Guarantees** At most one call, never inside this one. Registrations are independent of each other.
 * **Errors** What `callback` throws becomes an uncaught exception of the host.
 * **Source** Go's `context.AfterFunc`.
 *
 * @returns a function that takes it back: true if that prevented the call. It does not wait for a call under way.
 *
 * @example
 * const { ctx, cancel } = withCancel(background);
 * const stop = afterFunc(ctx, () => {});
 * const prevented = stop();
 * cancel();
 * prevented; //=> true
 */
export function afterFunc(source: CancelOptions, callback: () => void | PromiseLike<void>): () => boolean {
  requireObject("source", source, "a context, or an object with a signal");
  requireFunction("callback", callback);
  const runtime = bareRuntime();
  const context = new AsyncContext();
  const start = (): void => {
    spawnTask(runtime, { name: "afterFunc" }, callback, (outcome) => {
      if (!outcome.ok) reportUncaught(outcome.error);
    });
  };
  let pending = true;
  const fire = (): void => {
    if (pending) void context.run(start);
    pending = false;
  };
  const ended = isCancelled(source);
  const link = ended ? undefined : linkCancel(source, { onCancel: fire });
  if (ended) fire();
  return () => {
    const prevented = pending;
    pending = false;
    link?.release();
    return prevented;
  };
}
