import { describe, expect, test } from "vitest";
import { background, withCancel } from "concurrency-model-patterns/context";
import { FullError } from "concurrency-model-patterns/errors";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";
import { numbers, sleepers } from "./support.ts";

describe("maxWaiting", () => {
  inBothRuntimes(
    "bounds the callers who wait for room: one more is refused at once",
    async () => {
      await using pool = sleepers({ workers: 1, capacity: 2, maxWaiting: 3 });
      const calls = numbers(10).map((n) => ended(pool.run(10 + n)));
      expect(pool.waiting).toBe(3 - 1 + 3 + 1);
      const refused = await Promise.all(calls.slice(6));
      expect(now()).toBe(0);
      for (const end of refused) expect("error" in end && end.error).toBeInstanceOf(FullError);
      expect(await Promise.all(calls.slice(0, 6))).toEqual(numbers(6).map((n) => ({ value: 10 + n })));
    },
    30,
  );

  inBothRuntimes(
    "of 0 means that a full pool refuses instead of letting callers wait",
    async () => {
      await using pool = sleepers({ workers: 2, capacity: 0, maxWaiting: 0 });
      const calls = [pool.run(10), pool.run(10)];
      const error = (await failureOf(pool.run(10))) as FullError;
      expect([error.code, error.message]).toEqual([
        "FULL",
        "worker pool is full: 2 jobs are queued and 0 callers wait",
      ]);
      await Promise.all(calls);
      await sleep(1);
      expect(await pool.run(5)).toBe(5);
    },
    30,
  );

  inBothRuntimes(
    "is free again as soon as a waiting caller has left",
    async () => {
      await using pool = sleepers({ workers: 1, capacity: 0, maxWaiting: 1 });
      const first = pool.run(10);
      const { ctx, cancel } = withCancel(background);
      const second = ended(pool.run(10, ctx));
      expect(await failureOf(pool.run(10))).toBeInstanceOf(FullError);
      cancel(new Error("left"));
      const third = pool.run(7);
      expect(await second).toEqual({ error: new Error("left") });
      expect(await Promise.all([first, third])).toEqual([10, 7]);
    },
    30,
  );

  test("is bounded when nothing is said: a loop without await is refused before it fills the memory", async () => {
    const pool = sleepers({ workers: 1 });
    const calls = numbers(20_000).map((n) => ended(pool.run(n)));
    expect(pool.waiting).toBe(2001);
    pool.cancel();
    const ends = await Promise.all(calls);
    const codes = ends.map((end) => ("error" in end ? (end.error as FullError).code : "none"));
    expect(codes.filter((code) => code === "FULL")).toHaveLength(20_000 - 2001);
    expect(codes.filter((code) => code === "CANCELED")).toHaveLength(2001);
    await pool.drain();
  });

  test("is a whole number from 0, or Infinity", () => {
    for (const maxWaiting of [-1, 1.5, Number.NaN]) {
      expect(thrownBy(() => sleepers({ workers: 1, maxWaiting }))).toBeInstanceOf(RangeError);
    }
  });
});
