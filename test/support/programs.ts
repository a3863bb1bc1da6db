/** What small programs are made of, whose every schedule is tried. */
import type { Context } from "concurrency-model-patterns/context";
import { ConcurrencyError } from "concurrency-model-patterns/errors";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { ended } from "./outcomes.ts";

/** Fails if something goes wrong, and may say in a word which way it went. */
export type Program = (ctx: Context) => string | void | PromiseLike<string | void>;

/** How a call ended, in a word: `ok`, or the code of its error. */
export async function how(call: PromiseLike<unknown>): Promise<string> {
  const end = await ended(call);
  if ("value" in end) return "ok";
  return end.error instanceof ConcurrencyError ? end.error.code.toLowerCase() : String(end.error);
}

/** Starts the tasks together and waits for all: one more task, of one step. */
export function together(...tasks: readonly (() => unknown)[]): Promise<void> {
  return TaskGroup.run((group) => {
    for (const [index, task] of tasks.entries()) group.go(task, { name: `task ${index + 1}` });
  });
}

/** A waiting call that need not wait: one step. */
export const gate = (): Semaphore => new Semaphore(1000);

/** A step of the task that awaits it. */
export const step = (): Promise<unknown> => gate().acquire();

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export function sorted(values: readonly unknown[]): string {
  return values.map(String).toSorted().join();
}
