/**
 * Holds what the hot operations cost, in what can be counted: no clock is looked at. Bytes are those that the interpreter
 * allocates, which are the same in each run; optimised code makes less. `costs.mjs` says how they are counted.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";

interface Costs {
  readonly bytes: number;
  readonly promises: number;
  /** On a signal that was given to ten operations which have ended; missing where none is taken. */
  readonly listeners?: number;
}

/** So much more than when it was written down is a regression: another release of Node may take a bit more. */
const MARGIN = 1.25;

/** For each operation: the bytes counted when it was written down; the most promises; what they are for. */
const bounds: Readonly<Record<string, readonly [bytes: number, promises: number, why: string]>> = {
  "channel: a try pair": [56, 0, "the result of the receive"],
  "channel: a send and a receive, buffered": [
    288,
    1,
    "what is received; all sends that need not wait give one",
  ],
  "channel: a hand-off to who waits": [720, 1, "a waiter; all sends that need not wait give one"],
  "select: one of two is ready": [744, 1, "the cases, and what is returned; no waiter"],
  "select: it waits for one of two": [1608, 1, "a waiter for each case; what is returned"],
  "semaphore: a permit tried": [152, 0, "the permit"],
  "semaphore: a section": [1008, 5, "the permit, and the awaits of the section"],
  "semaphore: a permit waited for": [1000, 2, "a waiter and a permit; the second is the test's then"],
  "mutex: a section": [1008, 5, "it is a semaphore of 1"],
  "rate limiter: a token allowed": [48, 0, "numbers; it keeps nothing"],
  "rate limiter: a token waited for": [408, 0, "all waits that are over at once give one"],
  "context: made and cancelled": [712, 0, "a context and its cancellation; no AbortController"],
  "pool: a job": [1424, 4, "its start, in the context of its caller, and its result; the test's await"],
  "resource pool: a use": [1160, 5, "the lease, and the awaits of the use"],
  "task group: a task": [3215, 5.11, "the task and its handle"],
  "pubsub: a message to a handler": [165, 0.04, "a place in the log; a wake-up and a wait for a hundred"],
  "pubsub: a message to ten handlers": [276, 0.22, "a place in the log of all ten; wake-ups and waits"],
  "singleflight: a flight": [3664, 6, "the flight, and its call as a task"],
  "fan: a value through two workers": [375, 0.58, "values are taken and handed over in batches"],
  "pipeline: a value through a stage": [2257, 5.07, "a bounded map that keeps the order"],
  "pipeline: a value through three stages": [2761, 7.95, "a task for each, and a wait between two"],
  "pipeline: a value through three fused stages": [245, 0.42, "what begins and ends the pipeline"],
};

let costs: Readonly<Record<string, Costs>>;

beforeAll(() => {
  buildIfStale();
  const script = fileURLToPath(new URL("costs.mjs", import.meta.url));
  const sizes = ["--min-semi-space-size=128", "--max-semi-space-size=128"];
  const args = ["--expose-gc", "--no-opt", ...sizes, script];
  costs = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Record<string, Costs>;
});

function costsOf(name: string): Costs {
  const found = costs[name];
  if (found === undefined) throw new Error(`${name} was not counted`);
  return found;
}

describe.each(Object.entries(bounds))("%s", (name, [bytes, promises, why]) => {
  test("allocates no more than it did", () => {
    expect(costsOf(name).bytes, why).toBeLessThanOrEqual(bytes * MARGIN);
  });

  test("makes no more promises than it did", () => {
    expect(costsOf(name).promises, why).toBeLessThanOrEqual(promises);
  });

  test("leaves no listener on the signal that it was given", () => {
    expect(costsOf(name).listeners ?? 0).toBe(0);
  });
});

describe("the counting", () => {
  test("finds what is known to be there", () => {
    const { bytes } = costsOf("known: an array of 128");
    expect(bytes).toBeGreaterThan(128 * 4);
    expect(bytes).toBeLessThan(128 * 8 + 128);
    expect(costsOf("known: ten promises").promises).toBe(10);
    expect(costsOf("known: a listener that stays").listeners).toBe(10);
  });

  test("has a bound for everything that it counts, and gives most of them a signal", () => {
    const counted = Object.keys(costs).filter((name) => !name.startsWith("known: "));
    expect(counted.toSorted()).toEqual(Object.keys(bounds).toSorted());
    const signalled = counted.filter((name) => costsOf(name).listeners !== undefined);
    expect(signalled.length).toBe(counted.length - 5);
  });
});
