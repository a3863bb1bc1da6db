/**
 * What a program leaves behind: each task, wait, timer and listener of it that is still there when it has ended.
 */
import { requireFunction } from "../core/arguments.ts";
import { waits } from "./reports.ts";
import { type Program, type SimulateOptions, simulateSurveyed } from "./simulate.ts";
import type { Simulation } from "./simulation.ts";
import type { SimulationClock } from "./simulation-clock.ts";

/** Something that a program has left behind. */
export interface Leak {
  /**
   * A `task` that has not ended; a `wait` that nobody waits for any more, as its task has ended; a `timer` that is set, such
   * as that of a `withTimeout` whose `cancel` was not called; a `listener` for the abort of a signal.
   */
  readonly kind: "task" | "wait" | "timer" | "listener";
  /** What it is, for a person: the task, what that waits for, when the timer is due. */
  readonly text: string;
}

/**
 * Runs a program as `simulate` does, and gives what it has left behind when it has ended and nobody can go on without
 * time: nothing, if it is clean. A test is `expect(await leaks(program)).toEqual([])`.
 *
 * **Guarantees** As those of `simulate`. Whatever is found has been given up, and leaves nothing in the host.
 * **Errors** What `program` throws, `DeadlockError` and `StalledError`: a program that has not ended well is not looked at.
 * **Cost** That of `simulate`.
 * **Not for** what this library does not know: timers and listeners that the program has set in the host by itself.
 * **Source** Go's `goleak`, and `go vet`, which looks for contexts that are never cancelled.
 *
 * @example
 * const forgetful = (): void => {
 *   withTimeout(background, 1000); // and its cancel is never called
 * };
 * await leaks(forgetful, { seed: 1 }); //=> [{ kind: "timer", text: "a timer of main, due at 1000 ms" }]
 */
export function leaks(program: Program<unknown>, options: SimulateOptions = {}): Promise<readonly Leak[]> {
  requireFunction("program", program);
  return surveyed(program, options);
}

async function surveyed(program: Program<unknown>, options: SimulateOptions): Promise<readonly Leak[]> {
  const found: Leak[] = [];
  await simulateSurveyed(program, options, (simulation, clock) => {
    found.push(...tasksOf(simulation), ...timersOf(clock), ...listenersOf(simulation));
    simulation.untie();
  });
  return found;
}

function tasksOf(simulation: Simulation): Leak[] {
  const live = simulation.stuck().map((task) => ({ kind: "task" as const, task }));
  const ended = simulation.orphans().map((task) => ({ kind: "wait" as const, task }));
  return [...live, ...ended].map(({ kind, task }) => ({
    kind,
    text: `${task.name} (task ${task.id}): ${waits(task)}`,
  }));
}

function timersOf(clock: SimulationClock): Leak[] {
  return clock.timers.map(({ task, dueMs }) => ({
    kind: "timer",
    text: `a timer of ${task?.name ?? "nobody"}, due at ${dueMs} ms`,
  }));
}

function listenersOf({ signalTies }: Simulation): Leak[] {
  return Array.from(signalTies, () => ({ kind: "listener", text: "a listener for the abort of a signal" }));
}
