/**
 * What a task waits for, and who could wake it, as it is now.
 */
import type { StuckTask } from "./reports.ts";
import type { SimulatedResource } from "./simulated-resource.ts";
import { resourcesOf, type SimulatedTask } from "./simulated-task.ts";

/** For a report, among the tasks that are alive. */
export function stuckIn(task: SimulatedTask, live: ReadonlyMap<number, SimulatedTask>): StuckTask {
  const waitsFor = [...task.pending].map((operation) => {
    const resources = resourcesOf(operation);
    const wakers = (resources as readonly SimulatedResource[]).flatMap(({ name, users }) =>
      users.wakersOf(task, name, live),
    );
    return {
      op: operation.op,
      on: resources.map(({ name }) => name),
      wakers: [...new Set(wakers)].map(({ name }) => name),
    };
  });
  return { id: task.id, name: task.name, waitsFor };
}
