/**
 * Waits for the end of a pool that has been closed, and hastens it.
 */
import type { Deferred } from "../../core/deferred.ts";
import { TimeoutError } from "../../core/errors.ts";
import type { Runtime } from "../../core/runtime.ts";
import { durationOf, type ResourcePoolDrainOptions } from "./options.ts";

/** What is to end. */
export interface Ending {
  readonly drained: Deferred<void>;
  /** Takes away what is lent. */
  revoke(cause: unknown): void;
}

export async function untilDrained(
  runtime: Runtime,
  ending: Ending,
  options: ResourcePoolDrainOptions,
): Promise<void> {
  const forceAfterMs = durationOf(options, "forceAfterMs");
  if (forceAfterMs === Number.POSITIVE_INFINITY) return ending.drained.wait(options);
  const error = new TimeoutError(`resource was not given back within ${forceAfterMs} ms of the drain`);
  const timer = runtime.clock.after(forceAfterMs, () => ending.revoke(error));
  try {
    await ending.drained.wait(options);
  } finally {
    timer.cancel();
  }
}
