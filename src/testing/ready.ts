/**
 * The list of those who can go on.
 */
import type { Suspension } from "../core/scheduler.ts";
import type { Candidate } from "./chooser.ts";
import type { SimulationTimer } from "./simulation-clock.ts";

/** An operation that has its outcome, or a timer that is due: as it is, since every step takes one. */
export type Ready = (Suspension | SimulationTimer) & Candidate;

/** Takes an entry out of a list that keeps its order. A loop: `copyWithin` takes many times as long. */
export function takeAt<T>(list: T[], index: number): T {
  const entry = list[index] as T;
  for (let next = index + 1; next < list.length; next++) list[next - 1] = list[next] as T;
  list.pop();
  return entry;
}
