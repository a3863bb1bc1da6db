/**
 * Who has used what: from it a report says who could wake those who wait.
 *
 * Nobody can know what a task would have done next. But who holds a lock is the one to give it back, and who has sent to
 * a channel before is likely to be the one who should have sent again.
 */
import type { SimulatedTask } from "./simulated-task.ts";

/** What has been done with a resource: units of it taken or given back, or anything else. */
export type ResourceUse = "hold" | "free" | "other";

/** Of those who have used a resource, so many are remembered: the latest. */
const REMEMBERED = 32;

/** Those who have used a resource. It keeps them itself. */
export class Users {
  /** Who has used it last. */
  #latest: SimulatedTask | undefined;
  /** All of them, the latest last; made for the second. */
  #tasks: Set<SimulatedTask> | undefined;
  /** Who holds units of it, once for each hold, in that order; undefined if it is nothing that is held. */
  #holders: (SimulatedTask | undefined)[] | undefined;

  note(how: ResourceUse, task: SimulatedTask | undefined): void {
    if (how === "hold") (this.#holders ??= []).push(task);
    else if (how === "free") this.#release(task);
    if (task !== undefined && task !== this.#latest) this.#remember(task);
  }

  /** Those of the `live` tasks that could wake `waiter`; the tasks of a group of the name of the resource can, too. */
  wakersOf(
    waiter: SimulatedTask,
    name: string,
    live: ReadonlyMap<number, SimulatedTask>,
  ): readonly SimulatedTask[] {
    const members = [...live.values()].filter(({ group }) => group === name);
    const users = this.#holders ?? this.#tasks ?? [this.#latest];
    const candidates = new Set([...members, ...users]);
    candidates.delete(waiter);
    return [...candidates].filter((task) => task !== undefined && live.has(task.id)) as SimulatedTask[];
  }

  #remember(task: SimulatedTask): void {
    if (this.#latest !== undefined) {
      this.#tasks ??= new Set([this.#latest]);
      this.#tasks.delete(task);
      this.#tasks.add(task);
      if (this.#tasks.size > REMEMBERED) this.#forgetOldest(this.#tasks);
    }
    this.#latest = task;
  }

  #forgetOldest(tasks: Set<SimulatedTask>): void {
    for (const oldest of tasks) return void tasks.delete(oldest);
  }

  /** Whoever gives back need not be who took: then the oldest hold is taken for the one that ended. */
  #release(task: SimulatedTask | undefined): void {
    const index = this.#holders?.lastIndexOf(task) ?? -1;
    this.#holders?.splice(Math.max(index, 0), 1);
  }
}
