/**
 * Promise 6: time is that of the runtime's clock and of no other. It may be moved by hand, jump, or be longer than a
 * timer of the host can be; what the wall clock says does not matter.
 */
import { simulate } from "concurrency-model-patterns/testing";
import { expect, vi } from "vitest";
import { type Clock, nextTurn, type Timer } from "../../../src/core/clock.ts";
import { seededRandom } from "../../../src/core/random.ts";
import { currentRuntime, useRuntime } from "../../../src/core/runtime.ts";
import { hostTimers } from "../../support/listeners.ts";
import type { Subject, Timed } from "../subject.ts";
import { type Check, checksFor } from "./check.ts";

export function timeChecks({ timed }: Subject): readonly Check[] {
  const promises = [6];
  return checksFor(timed, (call) => [
    {
      name: "waits for the clock of its runtime, whatever the wall clock says",
      promises,
      run: () => byHand((clock) => waitsForClock(call, clock)),
    },
    {
      name: "is over after a jump of a year",
      promises,
      run: () => byHand((clock) => survivesJump(call, clock)),
    },
    {
      name: "lasts as long as it should when that is longer than a timer of the host can be",
      promises,
      run: () => lastsLong(call),
    },
  ]);
}

async function waitsForClock(call: Timed, clock: HandClock): Promise<void> {
  const host = hostTimers();
  let over = false;
  const waiting = call(1000).then(() => (over = true));
  await quiet();
  for (const ms of [250, 250, 499]) {
    vi.setSystemTime(Date.now() + (ms % 2 === 0 ? 1e9 : -3e9));
    await clock.jump(ms);
    expect(hostTimers(), "promise 6: no timer of the host").toBe(host);
    expect(over, "promise 6: not earlier").toBe(false);
  }
  await clock.jump(1);
  expect(over, "promise 6: not later").toBe(true);
  await waiting;
  expect(clock.set, "promise 4: no timer is left").toBe(0);
}

async function survivesJump(call: Timed, clock: HandClock): Promise<void> {
  let over = false;
  const waiting = call(1000).then(() => (over = true));
  await quiet();
  for (let jump = 0; jump < (call.inSteps === true ? 2 : 1); jump++) await clock.jump(365 * 86_400_000);
  expect(over, "promise 6: over after the jump").toBe(true);
  await waiting;
  expect(clock.set, "promise 4: no timer is left").toBe(0);
}

/** More than 2^31-1 ms, and a number that halves and quarters well. */
const LONG_MS = 2 ** 33 + 8;

async function lastsLong(call: Timed): Promise<void> {
  for (let seed = 0; seed < 3; seed++) {
    const { elapsedMs } = await simulate(() => call(LONG_MS), { seed });
    expect(elapsedMs, "promise 6: as long as it should").toBe(LONG_MS);
  }
}

/** Runs a program on a clock that is moved by hand, while the wall clock is not the real one. */
async function byHand(program: (clock: HandClock) => Promise<void>): Promise<void> {
  const before = currentRuntime();
  const clock = new HandClock();
  vi.useFakeTimers({ toFake: ["Date"] });
  useRuntime({ clock, random: seededRandom(1) });
  try {
    await program(clock);
  } finally {
    useRuntime(before);
    vi.useRealTimers();
  }
}

/** A clock that somebody moves. */
class HandClock implements Clock {
  #nowMs = 5;
  readonly #timers = new Map<Timer, { readonly dueMs: number; readonly callback: () => void }>();

  get set(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: Timer = { cancel: () => this.#timers.delete(timer) };
    if (delayMs !== Number.POSITIVE_INFINITY)
      this.#timers.set(timer, { dueMs: this.#nowMs + delayMs, callback });
    return timer;
  }

  /** Time has passed, and nobody was called in between: the machine was asleep. */
  async jump(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= this.#nowMs);
    for (const [timer, { callback }] of due.toSorted(([, one], [, other]) => one.dueMs - other.dueMs))
      if (this.#timers.delete(timer)) callback();
    await quiet();
  }
}

/** Lets everybody go on who can. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => nextTurn(resolve));
}
