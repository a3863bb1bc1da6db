import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/random.ts";
import type { Runtime } from "../../src/core/runtime.ts";
import type { Scheduler, Suspension } from "../../src/core/scheduler.ts";
import { Waiter } from "../../src/core/waiter.ts";
import { WaiterQueue } from "../../src/core/waiter-queue.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended } from "../support/outcomes.ts";

const plain: Runtime = { clock: systemClock, random: systemRandom };

/** A runtime whose scheduler only notes who can go on; the test resumes them. */
function scheduled(): { readonly runtime: Runtime; readonly ready: Suspension[] } {
  const ready: Suspension[] = [];
  const scheduler = {
    blocked: () => {},
    ready: (suspension: Suspension) => void ready.push(suspension),
  } as unknown as Scheduler;
  return { runtime: { ...plain, scheduler }, ready };
}

/** Whether a promise has settled by now; a microtask more than a settled one needs. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => void (settled = true);
  promise.then(note, note);
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  return settled;
}

describe("Waiter", () => {
  const ends: [string, (waiter: Waiter<string>) => void, unknown][] = [
    ["granted", (waiter) => waiter.grant("first"), { value: "first" }],
    ["failed", (waiter) => waiter.fail("reason"), { error: "reason" }],
    ["cancelled", (waiter) => waiter.onCancel("given up"), { error: "given up" }],
  ];

  test.each(ends)("that was %s stays so, whatever comes before it is resumed", async (_, end, expected) => {
    const { runtime, ready } = scheduled();
    const waiter = new Waiter<string>(runtime, "wait", undefined, undefined);
    end(waiter);
    waiter.grant("second");
    waiter.fail("too late");
    waiter.onCancel("too late");
    expect(ready).toEqual([waiter]);
    waiter.resume();
    expect(await ended(waiter.promise)).toEqual(expected);
  });

  test.each(ends)("that was %s goes on when the scheduler says so, and not before", async (_, end) => {
    const { runtime } = scheduled();
    const waiter = new Waiter<string>(runtime, "wait", undefined, undefined);
    end(waiter);
    expect([waiter.waiting, await isSettled(waiter.promise)]).toEqual([false, false]);
    waiter.resume();
    expect(await isSettled(waiter.promise)).toBe(true);
  });

  test.each(ends)("that was %s goes on at once where there is no scheduler", async (_, end, expected) => {
    const waiter = new Waiter<string>(plain, "wait", undefined, undefined);
    end(waiter);
    expect(await isSettled(waiter.promise)).toBe(true);
    expect(await ended(waiter.promise)).toEqual(expected);
  });

  test.each(ends)("that was %s has left its queue and its signal", async (_, end, expected) => {
    const { signal } = new AbortController();
    const queue = new WaiterQueue<Waiter<string>>();
    const waiter = new Waiter<string>(plain, "wait", undefined, { signal });
    queue.push(waiter);
    expect([queue.size, listenersOf(signal)]).toEqual([1, 1]);
    end(waiter);
    expect([queue.size, listenersOf(signal)]).toEqual([0, 0]);
    expect(await ended(waiter.promise)).toEqual(expected);
  });
});
