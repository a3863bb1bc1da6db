/**
 * Who decides in a simulation: which of those who can go on does, and how a select chooses.
 */
import { pick, seededRandom } from "../core/random.ts";
import type { TaskRecord } from "../core/scheduler.ts";

/** Something that can be chosen to go on. */
export interface Candidate {
  /** The task that would go on, where one is known. */
  readonly task: TaskRecord | undefined;
}

/** Asked only where there are at least two to choose among. */
export interface Chooser {
  /** The index of the one that goes on; `last` is the task that went on last. */
  next(candidates: readonly Candidate[], last: TaskRecord | undefined): number;
  /** A free choice among `count` things: a number in `[0, count)`. */
  among(count: number): number;
}

/** Chooses by chance, which a seed repeats. */
export function seededChooser(seed: number): Chooser {
  const order = seededRandom(seed, 1);
  return {
    next: ({ length }) => pick(order, length),
    among: (count) => pick(order, count),
  };
}
