/**
 * A task as the engine of a simulation keeps it.
 */
import type { TaskEnd } from "../core/events.ts";
import type { ResourceInfo, Suspension, TaskRecord } from "../core/scheduler.ts";

/** What an operation concerns, as a list. */
export function resourcesOf({ resources }: Suspension): readonly ResourceInfo[] {
  return [resources ?? []].flat();
}

/** A call that is about to begin. */
export class Call implements Suspension {
  readonly op = "call";
  readonly resources = undefined;
  task: TaskRecord | undefined;
  readonly resume: () => void;
  /** What its task has called after it, without waiting for it: they begin in that order. */
  next: Call | undefined = undefined;

  constructor(task: SimulatedTask | undefined, resume: () => void) {
    this.task = task;
    this.resume = resume;
  }
}

/** A task that is about to start. */
export class Start implements Suspension {
  readonly op = "start";
  readonly resources = undefined;
  task: TaskRecord;
  readonly #started: (task: TaskRecord) => void;

  constructor(task: SimulatedTask, started: (task: TaskRecord) => void) {
    this.task = task;
    this.#started = started;
  }

  resume(): void {
    this.#started(this.task);
  }
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

/** Whether any of them waits, or waits among other things, for something that the simulation does not know. */
export function anyExternal(tasks: ReadonlyMap<number, SimulatedTask>): boolean {
  for (const { pending } of tasks.values()) {
    if (pending.size === 0) return true;
    for (const { outside } of pending) if (outside === true) return true;
  }
  return false;
}

/** The one of them that waits for nothing else, if it is only one. */
export function onlyExternal(tasks: ReadonlyMap<number, SimulatedTask>): SimulatedTask | undefined {
  let only: SimulatedTask | undefined;
  for (const task of tasks.values()) {
    if (task.pending.size > 0) continue;
    if (only !== undefined) return undefined;
    only = task;
  }
  return only;
}
