/**
 * Where the current runtime is kept, for those who need no more of it than the order of wake-ups: a channel and a lock
 * have neither time nor chance, and a program that has no more than them loads neither.
 */
import type { Clock } from "./clock.ts";
import type { Tracer } from "./events.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** What it takes to wait. */
export interface BareRuntime {
  /** Decides who is resumed next. Without one, a waiter is resumed as soon as it can be. */
  readonly scheduler?: Scheduler | undefined;
}

/** Everything outside of the program that can change how it runs. */
export interface Runtime extends BareRuntime {
  readonly clock: Clock;
  readonly random: Random;
  /** Receives the event log. */
  readonly tracer?: Tracer | undefined;
}

const plainRuntime: BareRuntime = {};

/** What was made current in the place of the plain runtime, if anything was. */
export let replacement: Runtime | undefined;

/** Makes `runtime` the current one; without an argument, the plain one. For simulations; see `testing`. */
export function useRuntime(runtime?: Runtime): void {
  replacement = runtime;
}

/** The runtime that something made now would take, if it needs neither time nor chance. */
export function bareRuntime(): BareRuntime {
  return replacement ?? plainRuntime;
}
