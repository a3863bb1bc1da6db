/**
 * The errors with which a simulation ends when its tasks cannot: each names the tasks and what they wait for.
 */
import { ConcurrencyError } from "../core/errors.ts";
import { preview } from "../core/preview.ts";

/** A task that did not end. */
export interface StuckTask {
  /** Its number in the event log. */
  readonly id: number;
  /** As it was spawned. */
  readonly name: string;
  /** Each operation it is blocked in, with the names of what that concerns. */
  readonly waitsFor: readonly StuckOperation[];
}

/** An operation that a task is blocked in. */
export interface StuckOperation {
  /** In a word or two, as Go calls it. */
  readonly op: string;
  /** The names of what it concerns. */
  readonly on: readonly string[];
  /**
   * The names of the other live tasks that could wake it: who holds what it wants, who belongs to the group it waits
   * for, or else who has used the same before.
   */
  readonly wakers: readonly string[];
}

/** An error in one line, for the event log. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : preview(error);
}

function describe(tasks: readonly StuckTask[]): string {
  return tasks.map((task) => `\n  ${task.name} (task ${task.id}): ${waits(task)}`).join("");
}

/** What a task waits for, in a line. */
export function waits({ waitsFor }: StuckTask): string {
  if (waitsFor.length === 0) return "waits for something outside of the simulation";
  return waitsFor.map(describeOperation).join("; ");
}

function describeOperation({ op, on, wakers }: StuckOperation): string {
  if (on.length === 0) return op;
  const used = on.length === 1 ? "it" : "them";
  const who =
    wakers.length === 0 ? `no other live task has used ${used}` : `could be woken by ${wakers.join(", ")}`;
  return `${op} on ${on.join(", ")} (${who})`;
}

/** No task can go on and no timer is set. Code `DEADLOCK`. */
export class DeadlockError extends ConcurrencyError {
  /** Every task that is blocked. */
  readonly tasks: readonly StuckTask[];

  constructor(tasks: readonly StuckTask[], atMs: number) {
    super("DEADLOCK", `all tasks are asleep - deadlock! (at ${atMs} ms)${describe(tasks)}`);
    this.name = "DeadlockError";
    this.tasks = tasks;
  }
}

/** The program has ended and some of its tasks have not. Code `LEAK`. */
export class LeakError extends ConcurrencyError {
  /** Every task that was left behind. */
  readonly tasks: readonly StuckTask[];

  constructor(tasks: readonly StuckTask[]) {
    super("LEAK", `the program has ended, but ${tasks.length} of its tasks have not:${describe(tasks)}`);
    this.name = "LeakError";
    this.tasks = tasks;
  }
}

/** Nothing came from outside of the simulation for too long. Code `STALLED`. */
export class StalledError extends ConcurrencyError {
  /** Every task that has not ended. */
  readonly tasks: readonly StuckTask[];

  constructor(tasks: readonly StuckTask[], timeoutMs: number) {
    super("STALLED", `nothing has happened for ${timeoutMs} ms:${describe(tasks)}`);
    this.name = "StalledError";
    this.tasks = tasks;
  }
}
