import {
  CanceledError,
  ClosedError,
  ConcurrencyError,
  FullError,
  isCancellation,
  MisuseError,
  TimeoutError,
  withSuppressed,
} from "concurrency-model-patterns/errors";
import { describe, expect, test } from "vitest";
import { outcomeOf, valueOf } from "../../src/core/task.ts";
import { thrownBy } from "../support/outcomes.ts";

describe("errors", () => {
  test.each([
    [new CanceledError(), "CANCELED", "CanceledError", "context canceled"],
    [new TimeoutError(), "TIMEOUT", "TimeoutError", "context deadline exceeded"],
    [new ClosedError("send on closed channel"), "CLOSED", "ClosedError", "send on closed channel"],
    [new FullError("full"), "FULL", "FullError", "full"],
    [new MisuseError("no"), "MISUSE", "MisuseError", "no"],
  ])("%s has a code, a name and a text, and keeps its cause", (error, code, name, message) => {
    expect([error.code, error.name, error.message]).toEqual([code, name, message]);
    expect(error).toBeInstanceOf(ConcurrencyError);
    const cause = new Error("why");
    expect(new CanceledError("gone", { cause }).cause).toBe(cause);
  });

  test("say of a timeout what was going on, where that is known", () => {
    expect(new TimeoutError("late", { phase: "queue" }).phase).toBe("queue");
    expect(Object.keys(new TimeoutError())).not.toContain("phase");
  });

  test.each([
    [new CanceledError(), true],
    [new DOMException("x", "AbortError"), true],
    [{ code: "CANCELED" }, true],
    [new TimeoutError(), false],
    [new DOMException("x", "TimeoutError"), false],
    [new ClosedError("x"), false],
    [undefined, false],
    [null, false],
    ["AbortError", false],
  ])("%s is a cancellation: %s", (error, expected) => {
    expect(isCancellation(error)).toBe(expected);
  });
});

describe("suppressed failures", () => {
  const suppressedBy = (error: unknown): unknown => (error as { suppressed?: unknown }).suppressed;

  test("are attached to what is thrown, without itself and each once", () => {
    const [thrown, other] = [new Error("thrown"), new Error("other")];
    expect(withSuppressed(thrown, [thrown, other, other])).toBe(thrown);
    expect(suppressedBy(thrown)).toEqual([other]);
  });

  test("are added to those that it carries already", () => {
    const [thrown, inner, outer] = [new Error("thrown"), new Error("inner"), new Error("outer")];
    withSuppressed(thrown, [inner]);
    withSuppressed(thrown, [outer, inner]);
    expect(suppressedBy(thrown)).toEqual([inner, outer]);
  });

  test("are not told twice: what it was caused by is not suppressed as well", () => {
    const first = new Error("first");
    const thrown = new Error("handler failed", { cause: new Error("because", { cause: first }) });
    expect("suppressed" in (withSuppressed(thrown, [first]) as Error)).toBe(false);
  });

  test.each<[string, (thrown: Error, other: Error) => Error]>([
    ["as its cause", (cause, other) => withSuppressed(new Error("outer", { cause }), [other]) as Error],
    [
      "among its suppressed ones",
      (thrown, other) => withSuppressed(new Error("outer"), [thrown, other]) as Error,
    ],
    ["in an aggregate", (thrown, other) => new AggregateError([other, thrown])],
    ["deep in it", (cause, other) => new AggregateError([new Error("inner", { cause }), other])],
    [
      "and itself",
      (cause, other) => Object.assign(new Error("outer", { cause }), { errors: [other], error: cause }),
    ],
  ])("make no loop: of one that holds what is thrown %s, the rest is attached", (_, holding) => {
    const [thrown, other] = [new Error("thrown"), new Error("other")];
    const outer = holding(thrown, other);
    withSuppressed(thrown, [outer]);
    expect(suppressedBy(thrown)).toEqual([other]);
  });

  test("are found also among errors that are a loop already", () => {
    const [one, two, thrown] = [new Error("one"), new Error("two"), new Error("thrown")];
    one.cause = two;
    two.cause = one;
    withSuppressed(thrown, [one]);
    expect(suppressedBy(thrown)).toEqual([one]);
    withSuppressed(one, [thrown]);
    expect("suppressed" in one).toBe(false);
  });

  test("do not grow for ever on an error that many throw", () => {
    const shared = new Error("shared");
    const failures = Array.from({ length: 1000 }, (_, index) => new Error(String(index)));
    for (const failure of failures) withSuppressed(shared, [failure]);
    expect(suppressedBy(shared)).toEqual(failures.slice(-64));
  });

  test.each([["text"], [undefined], [Object.freeze(new Error("frozen"))]])("leave %s as it is", (thrown) => {
    expect(withSuppressed(thrown, [new Error("other")])).toBe(thrown);
    if (thrown instanceof Error) expect(suppressedBy(thrown)).toBeUndefined();
  });

  test("are no property of an error that has none", () => {
    const alone = new Error("alone");
    expect("suppressed" in (withSuppressed(alone, [alone]) as Error)).toBe(false);
  });
});

describe("outcomes", () => {
  test.each<[string, () => unknown, unknown]>([
    ["a value", () => 1, { ok: true, value: 1 }],
    ["a promise", () => Promise.resolve(undefined), { ok: true, value: undefined }],
    [
      "a throw",
      () => {
        throw "text";
      },
      { ok: false, error: "text" },
    ],
    ["a rejection with undefined", () => Promise.reject(undefined), { ok: false, error: undefined }],
  ])("of %s are values, and back", async (_, call, expected) => {
    const outcome = await outcomeOf(call);
    expect(outcome).toEqual(expected);
    if (outcome.ok) expect(valueOf(outcome)).toBe(outcome.value);
    else expect(thrownBy(() => valueOf(outcome))).toBe(outcome.error);
  });
});
