/**
 * The one seam: where a primitive gets its time, its chance, the order of wake-ups and its event log from.
 *
 * A primitive takes the current runtime when it is made. Normally that is the plain one: the system's clock, the
 * system's chance, waiters resumed at once, nothing recorded. A simulation makes another one current.
 */
import { replacement, type Runtime } from "./bare-runtime.ts";
import { systemClock } from "./clock.ts";
import { systemRandom } from "./random.ts";

export { type Runtime, useRuntime } from "./bare-runtime.ts";

const plainRuntime: Runtime = { clock: systemClock, random: systemRandom };

/** The runtime that something made now would take. */
export function currentRuntime(): Runtime {
  return replacement ?? plainRuntime;
}
