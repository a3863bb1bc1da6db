/**
 * Tools to test concurrent code with: run it in virtual time, in an order that a seed decides, or in every order.
 */
export type { RunEvent } from "../core/events.ts";
export { explore, type Explored, ExploreError, type ExploreOptions } from "./explore.ts";
export { DeadlockError, LeakError, StalledError, type StuckTask } from "./reports.ts";
export {
  drawSeed,
  log,
  type Program,
  random,
  type Simulated,
  type SimulateOptions,
  simulate,
} from "./simulate.ts";
