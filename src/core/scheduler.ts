/**
 * The order of wake-ups, as an interface. The plain runtime has no scheduler: whoever can go on does so at once.
 * A simulation has one, and resumes one entry of a ready list at a time.
 */
import type { EventBody, TaskEnd } from "./events.ts";

/** A task as schedulers and reports see it. */
export interface TaskRecord {
  readonly id: number;
  readonly name: string;
  readonly parent: TaskRecord | undefined;
  /** Told once, when the task has ended. */
  ended(how: TaskEnd, error?: unknown): void;
}

/** What is waited for, as reports name it. */
export interface ResourceInfo {
  readonly id: number;
  readonly type: string;
  readonly name: string;
}

/** What an operation concerns: nothing, one thing, or several. */
export type Concern = ResourceInfo | readonly ResourceInfo[] | undefined;

/** What is waited for, or may be, and what is told of it. */
export interface Resource extends ResourceInfo {
  /** Whether anybody records: spares making an event that nobody takes. */
  readonly traced: boolean;
  /** Notes that the task that runs, or `task`, has used it in a way that is no event. */
  used(task?: number): void;
  /** Records an event, of the task that runs or of `task`. */
  emit(body: EventBody, task?: number): void;
  /** A value has come in, of the task that runs or of `task`, and now there are `count`. */
  put(value: unknown, count: number, task?: TaskRecord): void;
  /** The oldest value has been received, by the task that runs or by `task`, and now there are `count`. */
  took(count: number, task?: TaskRecord): void;
  /** The oldest value has made room, or one that would have come in next has not; and now there are `count`. */
  dropped(which: "oldest" | "newest", count: number, why: string): void;
}

/** An operation of a task that cannot go on by itself. */
export interface Suspension {
  /** The operation: `send`, `recv`, `lock`, `sleep` … */
  readonly op: string;
  /** What it concerns; nothing for a mere passing of time. */
  readonly resources: Concern;
  /** Whether it may be made ready because of something that the scheduler does not see, such as I/O. */
  readonly outside?: boolean;
  /** The task that waits; written by the scheduler. */
  task: TaskRecord | undefined;
  /** Lets it go on. Called once, by the scheduler, after it was made ready. */
  resume(): void;
}

/** Something that is told when a signal aborts. */
export interface SignalTie {
  /** Takes it back; does nothing the second time. */
  release(): void;
}

/** What primitives need of a scheduler. */
export interface Scheduler {
  /** The task whose code runs now, where that is known. */
  readonly current: TaskRecord | undefined;
  /** What is tied to a signal now. Signals may be of outside: who gives its tasks up takes back what they have left there. */
  readonly signalTies: Set<SignalTie>;
  /**
   * A waiting call is about to begin: settles when it is chosen to. So every waiting call is a point at which the
   * schedule can differ, also one that would not have had to wait.
   */
  begin(): Promise<void>;
  /** The current task is blocked on this. */
  blocked(suspension: Suspension): void;
  /** It has its outcome, and can be chosen. */
  ready(suspension: Suspension): void;
  /** Registers a task; settles when it is chosen to start. */
  spawn(name: string, group: string | undefined): Promise<TaskRecord>;
  /** A free choice among `count` things, such as the ready cases of a select: a number in `[0, count)`. */
  choose(count: number): number;
  /** A channel, a lock, a pool or the like was made. */
  observe(type: string, name: string | undefined, capacity: number | undefined): Resource;
}
