/**
 * Promises 1, 3, 4, 5 and 7, for every waiting call: who gives up leaves at once, with nothing in its hands, nothing
 * behind it, and with the reason for which it was given up. All others are served, in the order in which they came.
 */
import { background, withTimeout } from "concurrency-model-patterns/context";
import { ClosedError, isCancellation, TimeoutError } from "concurrency-model-patterns/errors";
import { expect } from "vitest";
import { settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { type Ended, ended } from "../../support/outcomes.ts";
import { codeOf, type Jam, type Subject } from "../subject.ts";
import { type Check, checksFor, everywhere } from "./check.ts";

type MakeJam = () => Jam | Promise<Jam>;

export function waitingChecks(subject: Subject): readonly Check[] {
  return checksFor(subject.jams, (makeJam) => [
    {
      name: "lets one of many go at once, and serves the others as if it had never come",
      promises: [1, 3, 4],
      run: () => everywhere(subject, () => oneLeaves(makeJam)),
    },
    {
      name: "lets all go who wait with one signal, which has one listener",
      promises: [3, 4],
      run: () => everywhere(subject, () => allLeave(makeJam)),
    },
    {
      name: "serves first who came first",
      promises: [5],
      run: () => everywhere(subject, () => firstComeFirstServed(makeJam)),
    },
    {
      name: "fails with the reason of its signal, whatever that looks like",
      promises: [7],
      run: () => everywhere(subject, () => failsWithReason(makeJam)),
    },
    {
      name: "fails with a timeout when a deadline passes, and not with a cancellation",
      promises: [7],
      run: () => everywhere(subject, () => failsWithTimeout(makeJam)),
    },
  ]);
}

const enough = new Error("enough");

async function oneLeaves(makeJam: MakeJam): Promise<void> {
  const jam = await makeJam();
  const controller = new AbortController();
  const others = [0, 1].map((n) => jam.call(n, {}));
  const leaver = ended(jam.call(2, controller));
  const more = [3, 4].map((n) => jam.call(n, {}));
  await settle();
  expect(jam.waiting(), "promise 3: all wait").toBe(5);
  expect(listenersOf(controller.signal), "promise 4: one listener").toBe(1);
  controller.abort(enough);
  expect(jam.waiting(), "promise 3: who is given up leaves at once, and nobody else does").toBe(4);
  expect(listenersOf(controller.signal), "promise 4: no listener is left").toBe(0);
  expect(await leaver, "promise 7: it fails with the reason").toEqual({ error: enough });
  jam.free();
  await Promise.all([...others, ...more]);
  expect(jam.waiting(), "promise 4: nobody waits").toBe(0);
  await jam.end?.();
}

async function allLeave(makeJam: MakeJam): Promise<void> {
  const jam = await makeJam();
  const controller = new AbortController();
  const leavers = Array.from({ length: 20 }, (_, n) => ended(jam.call(n, controller)));
  await settle();
  expect(jam.waiting(), "promise 3: all wait").toBe(20);
  expect(listenersOf(controller.signal), "promise 4: one listener for all").toBe(1);
  controller.abort(enough);
  expect(jam.waiting(), "promise 3: all leave at once").toBe(0);
  expect(listenersOf(controller.signal), "promise 4: no listener is left").toBe(0);
  for (const end of await Promise.all(leavers)) expect(end).toEqual({ error: enough });
  jam.free();
  await jam.end?.();
}

async function firstComeFirstServed(makeJam: MakeJam): Promise<void> {
  const jam = await makeJam();
  const callers = [0, 1, 2, 3, 4, 5, 6, 7];
  const calls = callers.map((n) => jam.call(n, {}));
  await settle();
  jam.free();
  await Promise.all(calls);
  await jam.end?.();
  if (jam.served !== undefined) expect(jam.served, "promise 5: first come, first served").toEqual(callers);
}

/** Errors of a caller that look like something else. They are still only what the caller said. */
export const disguises: readonly (() => unknown)[] = [
  () => new ClosedError("somebody else's channel"),
  () => new TimeoutError(),
  () => new DOMException("too late", "TimeoutError"),
  () => new DOMException("stopped", "AbortError"),
  () => undefined,
  () => "stop",
];

async function failsWithReason(makeJam: MakeJam): Promise<void> {
  const jam = await makeJam();
  for (const make of disguises) {
    const [before, meanwhile] = [new AbortController(), new AbortController()];
    before.abort(make());
    const waiting = ended(jam.call(0, meanwhile));
    await settle();
    meanwhile.abort(make());
    checkReason(await waiting, meanwhile);
    checkReason(await ended(jam.call(0, before)), before);
  }
  jam.free();
  await jam.end?.();
}

function checkReason(end: Ended, { signal }: AbortController): void {
  expect(end, "promise 7: a cancelled call fails").toHaveProperty("error");
  expect("error" in end && end.error, "promise 7: with the reason of its signal").toBe(signal.reason);
}

async function failsWithTimeout(makeJam: MakeJam): Promise<void> {
  const jam = await makeJam();
  const { ctx, cancel } = withTimeout(background, 3);
  const end = await ended(jam.call(0, ctx));
  const error = "error" in end ? end.error : undefined;
  expect(isCancellation(error), "promise 7: a timeout is no cancellation").toBe(false);
  // A limiter need not wait to know that it will be too late.
  if (codeOf(error) !== "LIMIT") expect(error, "promise 7: the timeout").toBe(ctx.cause);
  cancel();
  jam.free();
  await jam.end?.();
}
