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
  const [thrown, ...others] = ["thrown", "one", "two"].map((text) => new Error(text));

  test("join those that an error carries already, each once, and never the error itself", () => {
    withSuppressed(thrown, [others[0], thrown]);
    expect(withSuppressed(thrown, [others[0], others[1]])).toBe(thrown);
    expect(thrown).toMatchObject({ suppressed: others });
  });

  test("do not grow for ever on an error that is thrown again and again", () => {
    const again = new Error("again");
    for (let call = 0; call < 1000; call++) withSuppressed(again, [new Error(`failure ${call}`)]);
    const kept = (again as { suppressed?: unknown[] }).suppressed ?? [];
    expect(kept.length).toBeLessThanOrEqual(101);
    expect(kept.at(-1)).toMatchObject({ message: "failure 999" });
  });

  test("are left off what cannot carry them", () => {
    const frozen = Object.freeze(new Error("frozen"));
    expect([withSuppressed(frozen, others), withSuppressed("text", others)]).toEqual([frozen, "text"]);
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
