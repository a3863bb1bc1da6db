/**
 * A clock for programs in the plain runtime that jumps to the next timer whenever nothing else is to be done. So they
 * run as in production, without a scheduler, and yet do not depend on how busy the machine is.
 */
import { type Clock, nextTurn, type Timer } from "../../src/core/clock.ts";
import { turnIsAwaited } from "../../src/core/fairness.ts";
import { systemRandom } from "../../src/core/random.ts";
import { currentRuntime, useRuntime } from "../../src/core/runtime.ts";
import { type HeapTimer, TimerHeap } from "../../src/core/timer-heap.ts";

interface IdleTimer extends HeapTimer {
  readonly callback: () => void;
}

class IdleClock implements Clock {
  readonly #timers = new TimerHeap<IdleTimer>();
  #nowMs = 0;
  #nextId = 0;

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const dueMs = this.#nowMs + delayMs;
    const timer: IdleTimer = { id: this.#nextId++, dueMs, callback, state: "set" };
    if (dueMs !== Number.POSITIVE_INFINITY) this.#timers.push(timer);
    return { cancel: () => this.#timers.cancel(timer) };
  }

  jump(): void {
    const timer = this.#timers.shift();
    if (timer === undefined) return;
    timer.state = "over";
    this.#nowMs = timer.dueMs;
    timer.callback();
  }
}

/** So many turns in a row may a program take before it counts as one that never ends, and time must pass. */
const TURNS = 50;

/** Two turns, as a completion that waits for the host's turn is late by one; more while somebody waits for another. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 2 || (turn < TURNS && turnIsAwaited()); turn++) {
    await new Promise<void>((resolve) => nextTurn(resolve));
  }
}

/** Runs a program in the plain runtime, on a clock of its own. */
export async function plainly<T>(program: () => T | PromiseLike<T>): Promise<T> {
  const clock = new IdleClock();
  const before = currentRuntime();
  useRuntime({ clock, random: systemRandom });
  let over = false;
  const run = Promise.resolve()
    .then(program)
    .finally(() => {
      over = true;
    });
  run.catch(() => {});
  for (;;) {
    await idle();
    if (over) break;
    clock.jump();
  }
  useRuntime(before);
  return run;
}
