import { describe, expect, test } from "vitest";
import { DedupeWindow } from "concurrency-model-patterns/producer-consumer/dedupe-window";
import { sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { thrownBy } from "../../support/outcomes.ts";

describe("DedupeWindow", () => {
  inBothRuntimes(
    "remembers an id for its window from the first time it was seen, and no longer",
    async () => {
      const seen = new DedupeWindow<string>({ windowMs: 100 });
      expect([seen.add("a"), seen.add("a"), seen.add("b")]).toEqual([true, false, true]);
      await sleep(60);
      expect([seen.add("a"), seen.add("c"), seen.size]).toEqual([false, true, 3]);
      await sleep(40);
      expect([seen.size, seen.has("a"), seen.has("c"), seen.add("a")]).toEqual([1, false, true, true]);
    },
    10,
  );

  test("forgets the oldest beyond its capacity, and what it is told to", () => {
    const seen = new DedupeWindow<number>({ windowMs: Number.POSITIVE_INFINITY, capacity: 3 });
    for (let n = 0; n < 1000; n++) expect(seen.add(n)).toBe(true);
    expect([seen.size, seen.has(996), seen.has(997)]).toEqual([3, false, true]);
    expect([seen.delete(998), seen.delete(998), seen.add(998)]).toEqual([true, false, true]);
  });

  test("refuses wrong arguments at the call", () => {
    expect(thrownBy(() => new DedupeWindow({ windowMs: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new DedupeWindow({ windowMs: 1, capacity: 0 }))).toBeInstanceOf(RangeError);
  });
});
