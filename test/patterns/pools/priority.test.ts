import { describe, expect, test } from "vitest";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { thrownBy } from "../../support/outcomes.ts";
import { numbers, sleepers } from "./support.ts";

/** One worker, and the order in which it begins its jobs. */
async function recorder(
  capacity: number,
): Promise<{ readonly pool: WorkerPool<string, void>; readonly begun: string[] }> {
  const begun: string[] = [];
  const pool = new WorkerPool<string, void>(
    async (name) => {
      begun.push(name);
      await sleep(1);
    },
    { workers: 1, capacity },
  );
  await sleep(1);
  return { pool, begun };
}

describe("priority", () => {
  inBothRuntimes(
    "lets urgent jobs be taken first, and equal ones in the order of the calls",
    async () => {
      const { pool, begun } = await recorder(10);
      const jobs = [["running"], ["low", -1], ["a"], ["urgent a", 5], ["b"], ["urgent b", 5]] as const;
      await Promise.all(jobs.map(([name, priority]) => pool.run(name, { priority })));
      expect(begun).toEqual(["running", "urgent a", "urgent b", "a", "b", "low"]);
      await pool.drain();
    },
    30,
  );

  inBothRuntimes(
    "counts also among the callers who wait for room",
    async () => {
      const { pool, begun } = await recorder(1);
      const jobs = [["running"], ["queued"], ["a"], ["urgent", 1]] as const;
      await Promise.all(jobs.map(([name, priority]) => pool.run(name, { priority })));
      expect(begun).toEqual(["running", "urgent", "queued", "a"]);
      await pool.drain();
    },
    30,
  );

  inBothRuntimes(
    "starves nobody: under a flood of urgent jobs, one in eight is the oldest",
    async () => {
      const { pool, begun } = await recorder(20);
      const patient = numbers(3).map((n) => pool.run(`patient ${n}`));
      const flooding = { open: true };
      const flood = numbers(10).map(async () => {
        while (flooding.open && begun.length < 200) await pool.run("urgent", { priority: 1 });
      });
      await Promise.all(patient);
      flooding.open = false;
      await Promise.all(flood);
      const places = numbers(3).map((n) => begun.indexOf(`patient ${n}`));
      // The first was taken before the flood came; the others wait for their turns.
      expect(places[0]).toBe(0);
      expect(places[1]).toBeLessThanOrEqual(8);
      expect(places[2]).toBeLessThanOrEqual(16);
      await pool.drain();
    },
    30,
  );

  test("of a map is that of each of its jobs", async () => {
    const { pool, begun } = await recorder(10);
    const flow = pool.map(["m1", "m2"], { priority: 1 });
    const mapped = flow.toArray();
    const plain = numbers(4).map((n) => pool.run(`plain ${n}`));
    await Promise.all([mapped, ...plain]);
    await pool.drain();
    expect(begun.indexOf("m2")).toBeLessThan(begun.indexOf("plain 3"));
    expect(begun).toHaveLength(6);
  });

  test("is a whole number; a wrong one throws at the call, and no job is made", async () => {
    const pool = sleepers({ workers: 1 });
    expect(thrownBy(() => pool.run(1, { priority: 0.5 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => pool.tryRun(1, { priority: Number.NaN }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => pool.map([1], { priority: 0.5 }))).toBeInstanceOf(RangeError);
    expect(pool.waiting).toBe(0);
    await pool.drain();
  });
});
