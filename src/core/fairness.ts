/**
 * Lets the host have its turn when tasks only ever talk to each other.
 *
 * A promise that is settled goes on in a microtask, and timers and I/O wait until there is none left. Two tasks that
 * exchange values for ever would starve them. So what completes draws on a budget, and now and then a completion takes
 * a turn of the host's loop. By budget and not per operation: a turn costs about as much as ten of them.
 *
 * The operation itself takes effect at once, in any case: only its completion is late. And while a turn is due, every
 * completion waits for it, in order. So neither the order of effects nor that of completions changes.
 */
import type { BareRuntime } from "./bare-runtime.ts";
import { nextTurn, systemNow } from "./clock.ts";

/** So many completions go by between two looks at the clock. */
const COMPLETIONS = 512;
/** So long may the host be kept waiting. */
const SLICE_MS = 5;

let left = COMPLETIONS;
let turnStartedMs = 0;
/** What waits for the turn that is due; undefined if none is. Then nothing is left of the budget. */
let late: (() => void)[] | undefined;

/** Whether anybody waits for the host's turn. */
export function turnIsAwaited(): boolean {
  return late !== undefined;
}

/** Draws on the budget. True if the completion should take a turn. A scheduler gives the host its turns itself. */
export function turnIsDue(runtime: BareRuntime): boolean {
  return runtime.scheduler === undefined && --left <= 0 && refill();
}

/** Once a turn is due, it stays so until somebody takes it: who asks may leave that to another. */
function refill(): boolean {
  if (late !== undefined || sliceIsOver()) return true;
  left = COMPLETIONS;
  return false;
}

/** A clock that has gone back was a test's: what it said last means nothing, and must not starve the host. */
function sliceIsOver(): boolean {
  const passedMs = systemNow() - turnStartedMs;
  return passedMs > SLICE_MS || passedMs < 0;
}

/**
 * Lets the host have its turn, if it has waited long enough: for loops over callbacks that may be long and need not
 * wait, so that no budget says anything about the time they take.
 */
export function giveTurn(runtime: BareRuntime): Promise<void> | undefined {
  if (runtime.scheduler !== undefined || !sliceIsOver()) return undefined;
  return new Promise((resolve) => {
    afterTurn(resolve);
  });
}

/** Calls back when the host has had its turn, after those who asked earlier. */
export function afterTurn(callback: () => void): void {
  if (late === undefined) {
    late = [];
    left = 0;
    nextTurn(catchUp);
  }
  late.push(callback);
}

function catchUp(): void {
  const callbacks = late ?? [];
  late = undefined;
  left = COMPLETIONS;
  turnStartedMs = systemNow();
  for (const callback of callbacks) callback();
}

/** The turn of the host, if a completion should take one; undefined if nothing has to be waited for. */
export function turnIfDue(runtime: BareRuntime): Promise<void> | undefined {
  return turnIsDue(runtime) ? new Promise((resolve) => afterTurn(resolve)) : undefined;
}

/** For all completions that give nothing: a promise that is settled cannot be changed by who has it. */
const nothing: Promise<unknown> = /* @__PURE__ */ Promise.resolve();

/** The completion of an operation that did not have to wait. */
export function completed<R>(runtime: BareRuntime, value: R): Promise<R> {
  if (turnIsDue(runtime)) return completedLater(value);
  return value === undefined ? (nothing as Promise<R>) : Promise.resolve(value);
}

/** Apart: a function that may make a closure makes room for what that holds on whenever it is called. */
function completedLater<R>(value: R): Promise<R> {
  return new Promise((resolve) => {
    afterTurn(() => resolve(value));
  });
}
