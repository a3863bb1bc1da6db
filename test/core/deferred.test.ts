import { describe, expect, test } from "vitest";
import { Deferred } from "../../src/core/deferred.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import type { Outcome } from "../../src/core/task.ts";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended } from "../support/outcomes.ts";

const well = (value: string): Outcome<string> => ({ ok: true, value });
const badly = (error: string): Outcome<string> => ({ ok: false, error });

describe("Deferred", () => {
  test.each<[string, Outcome<string>, unknown]>([
    ["good", well("first"), { value: "first" }],
    ["bad", badly("first"), { error: "first" }],
  ])("keeps its first outcome, a %s one, whatever comes later", async (_, first, expected) => {
    const deferred = new Deferred<string>(currentRuntime(), "wait");
    const early = ended(deferred.wait());
    deferred.settle(first);
    deferred.settle(well("second"));
    deferred.settle(badly("third"));
    expect(deferred.outcome).toEqual(first);
    expect([await early, await ended(deferred.wait())]).toEqual([expected, expected]);
  });

  inBothRuntimes(
    "wakes all who wait, and none who has given up",
    async () => {
      const deferred = new Deferred<string>(currentRuntime(), "wait");
      const controller = new AbortController();
      const waits = [deferred.wait(), deferred.wait({ signal: controller.signal }), deferred.wait()];
      const ends = Promise.all(waits.map(ended));
      await settle();
      expect(deferred.waiting).toBe(3);
      controller.abort("given up");
      expect(deferred.waiting).toBe(2);
      deferred.settle(well("outcome"));
      expect(deferred.waiting).toBe(0);
      expect(await ends).toEqual([{ value: "outcome" }, { error: "given up" }, { value: "outcome" }]);
    },
    20,
  );

  test("rejects a caller who was cancelled before, also when it has its outcome", async () => {
    const deferred = new Deferred<string>(currentRuntime(), "wait");
    deferred.settle(well("outcome"));
    const signal = AbortSignal.abort("given up");
    expect(await ended(deferred.wait({ signal }))).toEqual({ error: "given up" });
  });
});
