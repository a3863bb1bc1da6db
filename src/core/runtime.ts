/**
 * The one seam: where a primitive gets its time, its chance, the order of wake-ups and its event log from.
 *
 * A primitive takes the current runtime when it is made. Normally that is the plain one: the system's clock, the
 * system's chance, waiters resumed at once, nothing recorded. A simulation makes another one current.
 */
import { type Clock, systemClock } from "./clock.ts";
import type { Tracer } from "./events.ts";
import { type Random, systemRandom } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Everything outside of the program that can change how it runs. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  /** Decides who is resumed next. Without one, a waiter is resumed as soon as it can be. */
  readonly scheduler?: Scheduler | undefined;
  /** Receives the event log. */
  readonly tracer?: Tracer | undefined;
}

const plainRuntime: Runtime = { clock: systemClock, random: systemRandom };

let current: Runtime = plainRuntime;

/** The runtime that something made now would take. */
export function currentRuntime(): Runtime {
  return current;
}

/** Makes `runtime` the current one; without an argument, the plain one. For simulations; see `testing`. */
export function useRuntime(runtime: Runtime = plainRuntime): void {
  current = runtime;
}
