/**
 * Tools to test concurrent code with: run it in virtual time, in an order that a seed decides.
 */
export type { RunEvent } from "../core/events.ts";
export { DeadlockError, LeakError, StalledError, type StuckTask } from "./reports.ts";
export { drawSeed, log, random, type Simulated, type SimulateOptions, simulate } from "./simulate.ts";
