import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { CanceledError, ClosedError } from "concurrency-model-patterns/errors";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";
import { numbers, sleepers } from "./support.ts";

describe("resize", () => {
  inBothRuntimes(
    "adds workers, who are set up and take what is queued",
    async () => {
      const trail: string[] = [];
      const pool = new WorkerPool(() => sleep(10), {
        workers: 1,
        setup: ({ worker }: { readonly worker: number }) => void trail.push(`up ${worker}`),
        teardown: ({ worker }) => void trail.push(`down ${worker}`),
      });
      const jobs = numbers(6).map(() => pool.run(undefined));
      await sleep(5);
      pool.resize(3);
      await pool.ready();
      await sleep(1);
      expect([pool.size, pool.active]).toEqual([3, 3]);
      await Promise.all(jobs);
      expect(now()).toBe(25);
      await pool.drain();
      expect(trail.slice(0, 3).toSorted()).toEqual(["up 1", "up 2", "up 3"]);
      expect(trail.slice(3).toSorted()).toEqual(["down 1", "down 2", "down 3"]);
    },
    50,
  );

  inBothRuntimes(
    "sends idle workers home at once, busy ones after their job, and gives no job up",
    async () => {
      const pool = sleepers({ workers: 4 });
      await pool.ready();
      const jobs = [pool.run(10), pool.run(20)];
      await sleep(1);
      pool.resize(1);
      await sleep(1);
      expect([pool.size, pool.active]).toEqual([2, 2]);
      const later = numbers(3).map(() => pool.run(10));
      expect(await Promise.all(jobs)).toEqual([10, 20]);
      await Promise.all(later);
      expect(pool.size).toBe(1);
      // Whoever was free first has left: the other did all that came later.
      expect(now()).toBe(50);
      await pool.drain();
      expect(pool.size).toBe(0);
    },
    50,
  );

  inBothRuntimes(
    "may change its mind as often as it likes",
    async () => {
      const pool = sleepers({ workers: 3, capacity: 0 });
      const jobs = numbers(9).map(() => pool.run(10));
      for (const workers of [1, 5, 2, 1, 3]) {
        pool.resize(workers);
        await sleep(3);
        expect(pool.active).toBeLessThanOrEqual(5);
      }
      await Promise.all(jobs);
      await sleep(1);
      expect(pool.size).toBe(3);
      pool.resize(1);
      await sleep(1);
      expect(pool.size).toBe(1);
      await pool.drain();
      pool.resize(9);
      expect(pool.size).toBe(0);
    },
    100,
  );

  test("takes at least one worker", async () => {
    const pool = sleepers({ workers: 1 });
    expect(thrownBy(() => pool.resize(0))).toBeInstanceOf(RangeError);
    await pool.drain();
  });
});

describe("pause", () => {
  inBothRuntimes(
    "keeps jobs from being begun, lets those that were begun go on, and ends with resume",
    async () => {
      const pool = sleepers({ workers: 2 });
      await sleep(1);
      const running = pool.run(10);
      pool.pause();
      const held = numbers(3).map(() => pool.run(10));
      await sleep(50);
      expect(await running).toBe(10);
      expect([pool.paused, pool.active, pool.waiting]).toEqual([true, 0, 3]);
      pool.resume();
      await Promise.all(held);
      expect([pool.paused, now()]).toEqual([false, 71]);
      await pool.drain();
    },
    50,
  );

  inBothRuntimes(
    "is ended by close: what was accepted is done",
    async () => {
      const pool = sleepers({ workers: 1, capacity: 0 });
      await pool.ready();
      pool.pause();
      const accepted = pool.run(10);
      const outside = ended(pool.run(10));
      await sleep(5);
      await pool.drain();
      expect(await accepted).toBe(10);
      const end = await outside;
      expect("error" in end && end.error).toBeInstanceOf(ClosedError);
      pool.pause();
      expect(pool.paused).toBe(false);
    },
    50,
  );

  inBothRuntimes(
    "does not stand in the way of cancel, of a caller who leaves, or of a resize",
    async () => {
      const pool = sleepers({ workers: 2 });
      await pool.ready();
      pool.pause();
      const jobs = numbers(3).map(() => ended(pool.run(10)));
      const left = ended(pool.run(10, { signal: AbortSignal.abort("left") }));
      pool.resize(1);
      await sleep(1);
      expect([pool.size, pool.waiting, await left]).toEqual([1, 3, { error: "left" }]);
      const cause = new Error("enough");
      pool.cancel(cause);
      expect(await Promise.all(jobs)).toEqual(numbers(3).map(() => ({ error: cause })));
      await pool.drain();
    },
    50,
  );
});

describe("clear", () => {
  inBothRuntimes(
    "rejects every caller who waits, and no other",
    async () => {
      await using pool = sleepers({ workers: 1, capacity: 2 });
      await pool.ready();
      const running = pool.run(10);
      const waiting = numbers(4).map(() => ended(pool.run(10)));
      await sleep(1);
      expect(pool.clear()).toBe(4);
      expect([pool.waiting, pool.active]).toEqual([0, 1]);
      for (const end of await Promise.all(waiting))
        expect("error" in end && end.error).toBeInstanceOf(CanceledError);
      expect(now()).toBe(1);
      expect(await running).toBe(10);
      expect(await pool.run(5)).toBe(5);
      expect(pool.clear()).toBe(0);
    },
    50,
  );

  inBothRuntimes(
    "rejects with what it is given, and leaves no timer of the jobs behind",
    async () => {
      await using pool = sleepers({ workers: 1 });
      const cause = new Error("not needed any more");
      const jobs = numbers(2).map(() => failureOf(pool.run(10, { queueTimeoutMs: 1e9 })));
      expect(pool.clear(cause)).toBe(2);
      expect(await Promise.all(jobs)).toEqual([cause, cause]);
    },
    20,
  );
});

describe("stats", () => {
  inBothRuntimes(
    "count what has become of every job",
    async () => {
      const pool = new WorkerPool(
        async (ms: number, { ctx }) => {
          await sleep(ms, ctx);
          if (ms === 7) throw new Error("seven");
        },
        { workers: 1, capacity: 2, maxWaiting: 1 },
      );
      await pool.ready();
      const jobs = [10, 7, 5, 5].map((ms, n) => ended(pool.run(ms, { timeoutMs: n === 2 ? 1 : undefined })));
      jobs.push(ended(pool.run(1)));
      await sleep(4);
      const settled = { processed: 0, failed: 0, givenUp: 0 };
      expect(pool.stats).toEqual({
        size: 1,
        active: 1,
        waiting: 3,
        waitingForRoom: 1,
        oldestMs: 4,
        ...settled,
      });
      await Promise.all(jobs);
      await sleep(1);
      const idle = { size: 1, active: 0, waiting: 0, waitingForRoom: 0, oldestMs: 0 };
      expect(pool.stats).toEqual({ ...idle, processed: 2, failed: 1, givenUp: 1 });
      await pool.drain();
      expect(pool.stats.size).toBe(0);
    },
    50,
  );
});

describe("every job", () => {
  inBothRuntimes("settles once and alone, whatever happens to the pool", async () => {
    const pool = sleepers({ workers: 2, capacity: 3, maxWaiting: 4 });
    const calls = numbers(30).map(async (n) => {
      await sleep(n);
      const options = { priority: n % 3, timeoutMs: 4 + (n % 5), queueTimeoutMs: 5 + (n % 7) };
      return ended(pool.run(3 + (n % 6), options));
    });
    const meddling = [
      async (): Promise<void> => sleep(6).then(() => pool.pause()),
      async (): Promise<void> => sleep(9).then(() => pool.resize(3)),
      async (): Promise<void> => sleep(12).then(() => pool.resume()),
      async (): Promise<void> => sleep(15).then(() => void pool.clear()),
      async (): Promise<void> => sleep(18).then(() => pool.resize(1)),
      async (): Promise<void> => sleep(22).then(() => pool.drain()),
    ].map((meddle) => meddle());
    const ends = await Promise.all(calls);
    await Promise.all(meddling);
    const values = ends.filter((end) => "value" in end).length;
    const codes = ends.flatMap((end) => ("error" in end ? [(end.error as { code?: string }).code] : []));
    expect(codes.every((code) => ["TIMEOUT", "CANCELED", "FULL", "CLOSED"].includes(code ?? ""))).toBe(true);
    expect(values + codes.length).toBe(30);
    const { processed, failed, ...left } = pool.stats;
    expect([processed, failed]).toEqual([values, 0]);
    expect(left).toMatchObject({ size: 0, active: 0, waiting: 0, waitingForRoom: 0, oldestMs: 0 });
  });

  inBothRuntimes(
    "keeps the async context of its caller through priority, pause and time limits",
    async () => {
      const storage = new AsyncLocalStorage<number>();
      const seen: (number | undefined)[] = [];
      await using pool = new WorkerPool(
        async (n: number) => {
          await sleep(1);
          seen[n] = storage.getStore();
        },
        { workers: 3, capacity: 4 },
      );
      pool.pause();
      const options = (n: number) => ({ priority: n % 4, timeoutMs: 1000, queueTimeoutMs: 1000 });
      const jobs = numbers(20).map((n) => storage.run(n, () => pool.run(n, options(n))));
      storage.run(-1, () => pool.resume());
      await Promise.all(jobs);
      expect(seen).toEqual(numbers(20));
    },
    20,
  );
});
