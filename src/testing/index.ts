/**
 * Tools to test concurrent code with: run it in virtual time, in an order that a seed decides, or in every order.
 */
export type { BlockedOn, EventBody, RunEnd, RunEvent, RunStats, TaskEnd } from "../core/events.ts";
export { explore, type Explored, ExploreError, type ExploreOptions } from "./explore.ts";
export { type Leak, leaks } from "./leaks.ts";
export type { RunLabel } from "./run-log.ts";
export { DeadlockError, LeakError, StalledError, type StuckOperation, type StuckTask } from "./reports.ts";
export {
  drawSeed,
  log,
  type Program,
  random,
  type Simulated,
  type SimulateOptions,
  simulate,
} from "./simulate.ts";
