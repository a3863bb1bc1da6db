/**
 * Promise 7: a failure, a timeout, a cancellation and a closure are four different things, whatever they look like; and
 * a further failure is attached to the first, and not lost.
 */
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import { failureOf } from "../../support/outcomes.ts";
import { Failure, type Subject } from "../subject.ts";
import { type Check, checksFor, everywhere } from "./check.ts";
import { disguises } from "./waiting.ts";

export function errorChecks(subject: Subject): readonly Check[] {
  const promises = [7];
  return [
    ...checksFor(subject.failing, (call) => [
      {
        name: "fails with what user code throws, whatever that looks like",
        promises,
        run: () => everywhere(subject, () => failsAsItIs(call)),
      },
    ]),
    ...checksFor(subject.closed, (call) => [
      {
        name: "says that it was closed, and why",
        promises,
        run: () => everywhere(subject, () => tellsClosure(call)),
      },
    ]),
    ...checksFor(subject.secondary, (program) => [
      {
        name: "does not lose a further failure",
        promises,
        run: () => everywhere(subject, () => attaches(program)),
      },
    ]),
  ];
}

async function failsAsItIs(call: (work: () => Promise<never>) => Promise<unknown>): Promise<void> {
  for (const make of disguises) {
    const thrown = make();
    const work = async (): Promise<never> => {
      await sleep(1);
      throw thrown;
    };
    expect(await failureOf(call(work)), "promise 7: what user code threw").toBe(thrown);
  }
}

async function tellsClosure(call: (cause: Error) => Promise<unknown>): Promise<void> {
  const cause = new Failure(1);
  const error = (await failureOf(call(cause))) as Error & { readonly code?: unknown };
  expect([error.code, error.cause], "promise 7: closed, and why").toEqual(["CLOSED", cause]);
}

async function attaches(program: NonNullable<Subject["secondary"]>[string]): Promise<void> {
  const failures = [1, 2].map((of) => new Failure(of)) as [Failure, Failure];
  const error = await failureOf(
    program(async (of, afterMs) => {
      await sleep(afterMs);
      throw failures[of - 1] ?? new Failure(of);
    }),
  );
  for (const failure of failures)
    expect(foundFrom(error), "promise 7: no failure is lost").toContain(failure);
}

/** An error, and all that can be found from it, at whatever depth. */
function foundFrom(error: unknown, found = new Set<unknown>()): readonly unknown[] {
  if (typeof error !== "object" || error === null || found.has(error)) return [...found];
  found.add(error);
  const { cause, suppressed, errors } = error as Record<"cause" | "suppressed" | "errors", unknown>;
  for (const next of [cause, suppressed, errors].flat()) foundFrom(next, found);
  return [...found];
}
