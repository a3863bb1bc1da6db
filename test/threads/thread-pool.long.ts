import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { failureOf, pause, withPool } from "./with-pool.ts";

beforeAll(buildIfStale);

describe("a thread that ends", () => {
  test("takes no call with it that it had not begun: each is done once, and only the one that it was at fails", async () => {
    const memory = new SharedArrayBuffer(4 * 200);
    await withPool({ workers: 2, capacity: 200 }, async (pool) => {
      // Short ones first, so that several are sent at a time.
      await Promise.all(Array.from({ length: 100 }, () => pool.run("square", 1)));
      const calls = Array.from({ length: 200 }, (_, n) =>
        pool.run("markThen", [memory, n, n % 20 === 7 ? "exit" : "return"]),
      );
      const outcomes = await Promise.allSettled(calls);
      const failed = outcomes.flatMap(({ status }, n) => (status === "rejected" ? [n] : []));
      expect(failed).toEqual(Array.from({ length: 10 }, (_, i) => i * 20 + 7));
      expect([...new Int32Array(memory)]).toEqual(Array.from({ length: 200 }, () => 1));
      expect(pool.size).toBe(2);
    });
  });
});

describe("the threads of a pool", () => {
  test("give a call its time from its begin, and not from the call", async () => {
    await withPool({ workers: 1, graceMs: 5 }, async (pool) => {
      const first = pool.run("spinFor", 550);
      const second = pool.run("square", 3, { timeoutMs: 500 });
      expect([await first, await second]).toEqual([550, 9]);
      const late = (await failureOf(pool.run("spin", undefined, { timeoutMs: 10 }))) as Error;
      expect([late.name, late.message]).toEqual(["TimeoutError", "the job took longer than 10 ms"]);
      expect(await pool.run("square", 4)).toBe(16);
    });
  });

  test("end when they have had nothing to do for long, and come back", async () => {
    await withPool({ idleMs: 5 }, async (pool) => {
      await pool.run("square", 2);
      while (pool.size > 0) await pause(5);
      expect(await pool.run("square", 3)).toBe(9);
      expect(pool.stats.restarts).toBe(0);
    });
  });

  test("come back also if they are wanted while they are being ended", async () => {
    await withPool({ idleMs: 1, workers: 1 }, async (pool) => {
      for (let n = 1; n <= 10; n++) {
        while (pool.size > 0) await pause(0);
        expect(await pool.run("square", n)).toBe(n * n);
      }
    });
  });
});
