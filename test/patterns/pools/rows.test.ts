import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { background, withCancel } from "concurrency-model-patterns/context";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { ended } from "../../support/outcomes.ts";
import { numbers } from "./support.ts";

/** More than stand in a row, so that there are several of them. */
const MANY = 200;

describe("jobs that wait far from their turn", () => {
  inBothRuntimes(
    "are begun in the order of the calls, each in the async context of its caller",
    async () => {
      const storage = new AsyncLocalStorage<number>();
      const seen: (number | undefined)[][] = [];
      await using pool = new WorkerPool(
        async (n: number) => {
          const before = storage.getStore();
          await sleep(1);
          seen.push([n, before, storage.getStore()]);
          return n;
        },
        { workers: 1 },
      );
      const results = numbers(MANY).map((n) => storage.run(n, () => pool.run(n)));
      expect(await Promise.all(results)).toEqual(numbers(MANY));
      expect(seen).toEqual(numbers(MANY).map((n) => [n, n, n]));
    },
    3,
  );

  inBothRuntimes(
    "are begun in the order of their priorities, whichever row they are of",
    async () => {
      const begun: number[] = [];
      await using pool = new WorkerPool((n: number) => void begun.push(n), { workers: 1 });
      pool.pause();
      const results = numbers(MANY).map((n) => pool.run(n, { priority: n % 2 }));
      pool.resume();
      await Promise.all(results);
      const urgent = begun.filter((n) => n % 2 === 1);
      const others = begun.filter((n) => n % 2 === 0);
      expect(urgent).toEqual(numbers(MANY).filter((n) => n % 2 === 1));
      expect(others).toEqual(numbers(MANY).filter((n) => n % 2 === 0));
      // One in eight is the one that has waited longest, as long as urgent ones wait.
      expect(begun.indexOf(198)).toBeGreaterThan(begun.indexOf(199));
    },
    3,
  );

  inBothRuntimes(
    "are rejected at once when they are given up, and those of their row are done",
    async () => {
      await using pool = new WorkerPool((n: number) => n, { workers: 2 });
      await pool.ready();
      pool.pause();
      const reason = new Error("no longer wanted");
      const calls = numbers(MANY).map(() => withCancel(background));
      const ends = calls.map(({ ctx }, n) => ended(pool.run(n, ctx)));
      const left = numbers(MANY).filter((n) => n % 50 === 7);
      for (const n of left) calls[n]?.cancel(reason);
      expect(pool.waiting).toBe(MANY - left.length);
      for (const n of left) expect(await ends[n]).toEqual({ error: reason });
      pool.resume();
      const values = (await Promise.all(ends)).filter((end) => "value" in end);
      expect(values).toEqual(numbers(MANY).flatMap((value) => (left.includes(value) ? [] : [{ value }])));
    },
    10,
  );

  test("may be given up at any moment between the call and the result", async () => {
    for (const turns of numbers(12)) {
      for (const idle of [true, false]) {
        const begun: number[] = [];
        const pool = new WorkerPool((n: number) => void begun.push(n), { workers: 1 });
        if (idle) await pool.ready();
        const { ctx, cancel } = withCancel(background);
        const results = [pool.run(0), pool.run(1, ctx), pool.run(2)];
        const settled = Promise.allSettled(results);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        cancel();
        const [first, given, last] = (await settled).map(({ status }) => status);
        expect([first, last]).toEqual(["fulfilled", "fulfilled"]);
        if (!begun.includes(1)) expect(given).toBe("rejected");
        await pool.drain();
        expect(pool.stats).toMatchObject({ active: 0, waiting: 0, processed: begun.length });
      }
    }
  });
});
