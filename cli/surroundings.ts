/**
 * What a run reports to, and what ends it.
 */
import type { Interrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

/** What a run reports to and is ended by. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly interrupt: Interrupt;
  /** Aborts at an interrupt, and when nobody reads. */
  readonly signal: AbortSignal;
}
