/**
 * How a task that makes values hands them over: without waiting where it need not wait.
 */
import { type CancelOptions, isCancelled } from "../../core/cancellation.ts";
import { afterTurn, turnIsDue } from "../../core/fairness.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import type { SendPort } from "../ports.ts";

/**
 * Where values go. Without a `trySend`, every value is sent. That of a port with a policy of its own does not belong here:
 * a value that it has dropped would be sent once more.
 */
export interface Outlet<T> extends Pick<SendPort<T>, "send">, Partial<Pick<SendPort<T>, "trySend">> {
  /** Sends in a way of its own, in the place of the other two: undefined if that is done. */
  give?(value: T, options: CancelOptions): Promise<void> | undefined;
  /**
   * Puts a value at its place among all, counted from 0, and also before those that belong in front of it: where nothing is
   * read before the end, no value need wait for another. Undefined if that is done.
   */
  place?(index: number, value: T, options: CancelOptions): Promise<void> | undefined;
}

/**
 * Sends a value; undefined if that is done, and nothing has to be waited for.
 *
 * In a simulation every hand-over is a waiting call, so that another task may go first.
 */
export function handOver<T>(
  runtime: BareRuntime,
  out: Outlet<T>,
  value: T,
  options: CancelOptions,
): Promise<void> | undefined {
  if (out.give !== undefined) return out.give(value, options);
  if (runtime.scheduler !== undefined || out.trySend === undefined || isCancelled(options))
    return out.send(value, options);
  if (turnIsDue(runtime)) return afterTheHost(out, value, options);
  return out.trySend(value) ? undefined : out.send(value, options);
}

/** Sends a value if nothing has to be waited for, and says whether it did. */
export function tryHandOver<T>(
  runtime: BareRuntime,
  out: Outlet<T>,
  value: T,
  options: CancelOptions,
): boolean {
  if (runtime.scheduler !== undefined || out.trySend === undefined || isCancelled(options)) return false;
  return !turnIsDue(runtime) && out.trySend(value);
}

/** A loop that never waits would keep the host from its turn. */
async function afterTheHost<T>(out: Outlet<T>, value: T, options: CancelOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    afterTurn(resolve);
  });
  await out.send(value, options);
}
