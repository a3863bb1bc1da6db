/**
 * Who has used what: from it a report says who could wake those who wait.
 *
 * Nobody can know what a task would have done next. But who holds a lock is the one to give it back, and who has sent to
 * a channel before is likely to be the one who should have sent again.
 */
import type { ResourceInfo } from "../core/scheduler.ts";
import type { StuckTask } from "./reports.ts";
import type { ResourceUse } from "./simulated-resource.ts";
import type { SimulatedTask } from "./simulated-task.ts";

/** Of those who have used a resource, so many are remembered: the latest. */
const REMEMBERED = 32;

interface Users {
  /** The latest last. */
  readonly tasks: Set<SimulatedTask>;
  /** Who holds units of it, once for each hold, in that order; undefined if it is nothing that is held. */
  holders: (SimulatedTask | undefined)[] | undefined;
}

export class Usage {
  readonly #users = new WeakMap<ResourceInfo, Users>();

  /** `task` has used the resource, in one of the ways that a scheduler is told of. */
  note(resource: ResourceInfo, how: ResourceUse, task: SimulatedTask | undefined): void {
    const users = this.#usersOf(resource);
    if (how === "hold") (users.holders ??= []).push(task);
    else if (how === "free") release(users.holders, task);
    if (task === undefined) return;
    users.tasks.delete(task);
    users.tasks.add(task);
    if (users.tasks.size > REMEMBERED) {
      for (const oldest of users.tasks) return void users.tasks.delete(oldest);
    }
  }

  /** What a task waits for, and who of the `live` ones could wake it. */
  report(task: SimulatedTask, live: ReadonlyMap<number, SimulatedTask>): StuckTask {
    const waitsFor = [...task.pending].map(({ op, resources }) => {
      const wakers = resources.flatMap((resource) => this.#wakers(resource, task, live));
      return {
        op,
        on: resources.map(({ name }) => name),
        wakers: [...new Set(wakers)].map(({ name }) => name),
      };
    });
    return { id: task.id, name: task.name, waitsFor };
  }

  /** Those of the `live` tasks that could wake `waiter`, who waits for `resource`. */
  #wakers(
    resource: ResourceInfo,
    waiter: SimulatedTask,
    live: ReadonlyMap<number, SimulatedTask>,
  ): SimulatedTask[] {
    const users = this.#users.get(resource);
    const members = [...live.values()].filter(({ group }) => group !== undefined && group === resource.name);
    const candidates = new Set([...members, ...(users?.holders ?? users?.tasks ?? [])]);
    candidates.delete(waiter);
    return [...candidates].filter((task) => task !== undefined && live.has(task.id)) as SimulatedTask[];
  }

  #usersOf(resource: ResourceInfo): Users {
    let users = this.#users.get(resource);
    if (users === undefined) {
      users = { tasks: new Set(), holders: undefined };
      this.#users.set(resource, users);
    }
    return users;
  }
}

/** Whoever gives back need not be who took: then the oldest hold is taken for the one that ended. */
function release(holders: (SimulatedTask | undefined)[] | undefined, task: SimulatedTask | undefined): void {
  const index = holders?.lastIndexOf(task) ?? -1;
  holders?.splice(Math.max(index, 0), 1);
}
