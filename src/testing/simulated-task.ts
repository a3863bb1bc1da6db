/**
 * A task as the engine of a simulation keeps it.
 */
import type { TaskEnd } from "../core/events.ts";
import type { Suspension, TaskRecord } from "../core/scheduler.ts";

/** A call that is about to begin. */
export interface Call extends Suspension {
  /** What its task has called after it, without waiting for it: they begin in that order. */
  next: Call | undefined;
}

export class SimulatedTask implements TaskRecord {
  readonly id: number;
  readonly name: string;
  readonly parent: SimulatedTask | undefined;
  /** The name of the group that it is a task of. */
  readonly group: string | undefined;
  readonly pending: Set<Suspension> = new Set();
  /** Of the calls that are about to begin, the last; only the first of them can be chosen. */
  lastCall: Call | undefined = undefined;
  readonly #ended: (task: SimulatedTask, how: TaskEnd, error: unknown) => void;

  constructor(
    id: number,
    name: string,
    parent: SimulatedTask | undefined,
    group: string | undefined,
    ended: (task: SimulatedTask, how: TaskEnd, error: unknown) => void,
  ) {
    this.id = id;
    this.name = name;
    this.parent = parent;
    this.group = group;
    this.#ended = ended;
  }

  ended(how: TaskEnd, error?: unknown): void {
    this.#ended(this, how, error);
  }
}
