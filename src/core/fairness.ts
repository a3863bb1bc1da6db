/**
 * Lets the host have its turn when tasks only ever talk to each other.
 *
 * A promise that is settled goes on in a microtask, and timers and I/O wait until there is none left. Two tasks that
 * exchange values for ever would starve them. So operations that do not wait draw on a budget, and now and then one
 * of them takes a turn of the host's loop. By budget and not per operation: a turn costs about as much as ten of them.
 */
import { nextTurn, systemClock } from "./clock.ts";

/** So many operations go by between two looks at the clock. */
const OPERATIONS = 512;
/** So long may the host be kept waiting before an operation takes a turn. */
const SLICE_MS = 5;

let left = OPERATIONS;
let turnStartedMs = 0;

/** Draws on the budget. True if the caller should pass its result through {@link afterTurn}. */
export function budgetSpent(): boolean {
  return --left <= 0 && refill();
}

function refill(): boolean {
  left = OPERATIONS;
  return systemClock.now() - turnStartedMs > SLICE_MS;
}

/** Gives `value` when the host has had its turn. */
export function afterTurn<R>(value: R): Promise<R> {
  return new Promise((resolve) => {
    nextTurn(() => {
      turnStartedMs = systemClock.now();
      resolve(value);
    });
  });
}
