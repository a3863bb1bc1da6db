/** A create that hangs or fails: what its callers get, and how often it is tried. */
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { ResourcePool, type ResourcePoolOptions } from "concurrency-model-patterns/resource-pooling";
import { now, sleep } from "concurrency-model-patterns/timers";
import { exponentialDelay } from "concurrency-model-patterns/schedule";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

const refused = new Error("connection refused");

/** A pool whose server is up or down, and the instants at which it was called. */
function servedBy(options: Partial<ResourcePoolOptions<number>> = {}) {
  const calls: number[] = [];
  const server = { up: false };
  const pool = new ResourcePool<number>({
    create: () => {
      calls.push(now());
      if (!server.up) throw refused;
      return calls.length;
    },
    max: 4,
    ...options,
  });
  return { pool, server, calls };
}

describe("createTimeoutMs", () => {
  inBothRuntimes("fails the caller, and ends the context of the create", async () => {
    const seen: unknown[] = [];
    const errors: unknown[] = [];
    const pool = new ResourcePool({
      create: (ctx: Context) =>
        sleep(60_000, ctx).catch((error: unknown) => {
          seen.push(error);
          throw error;
        }),
      max: 1,
      createTimeoutMs: 20,
      onError: (error) => void errors.push(error),
    });
    const failure = await failureOf(pool.acquire());
    expect(failure).toMatchObject({ code: "TIMEOUT" });
    expect((failure as Error).message).toBe("no resource was made within 20 ms");
    await settle();
    expect([seen, errors, pool.size]).toEqual([[failure], [], 0]);
    await pool.drain();
  });

  inBothRuntimes("keeps the place of a create that does not let go, and what it makes late", async () => {
    let made = 0;
    const pool = new ResourcePool({
      create: async () => {
        const id = ++made;
        if (id === 1) await sleep(100);
        return id;
      },
      max: 2,
      createTimeoutMs: 20,
    });
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "TIMEOUT" });
    expect(pool.size).toBe(1);
    const other = await pool.acquire();
    const waiting = pool.acquire();
    expect([other.value, (await waiting).value]).toEqual([2, 1]);
    expect([pool.size, pool.created]).toEqual([2, 2]);
    (await waiting).release();
    other.release();
    await pool.drain();
  });

  inBothRuntimes("reports the late failure of a create of its own, and frees its place", async () => {
    const errors: unknown[] = [];
    const pool = new ResourcePool<number>({
      create: async () => {
        await sleep(100);
        throw refused;
      },
      max: 1,
      createTimeoutMs: 20,
      onError: (error, callback) => void errors.push([error, callback]),
    });
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "TIMEOUT" });
    await sleep(200);
    expect([errors, pool.size]).toEqual([[[refused, "create"]], 0]);
    await pool.drain();
  });

  inBothRuntimes("fails ready, and leaves no timer of a create that is in time", async () => {
    const hung = new ResourcePool({
      create: (ctx) => sleep(60_000, ctx),
      min: 1,
      max: 1,
      createTimeoutMs: 5,
      onError: () => {},
    });
    expect(await failureOf(hung.ready())).toMatchObject({ code: "TIMEOUT" });
    await hung.drain();
    const before = hostTimers();
    const quick = new ResourcePool({ create: () => 1, max: 1, createTimeoutMs: 5 });
    (await quick.acquire()).release();
    expect(hostTimers()).toBe(before);
    await quick.drain();
  });
});

describe("backoff", () => {
  inBothRuntimes(
    "lets one attempt through a pause; callers meanwhile get the error at once",
    async () => {
      const { pool, calls } = servedBy({ backoff: () => 100 });
      const startMs = now();
      const failures: unknown[] = [];
      for (let caller = 0; caller < 40; caller++) {
        failures.push(await failureOf(pool.acquire()));
        await sleep(10);
      }
      expect(new Set(failures)).toEqual(new Set([refused]));
      expect(calls.length).toBeLessThanOrEqual(5);
      for (const [index, atMs] of calls.entries()) {
        expect(atMs - startMs).toBeGreaterThanOrEqual(index * 100);
      }
      await pool.drain();
    },
    10,
  );

  inBothRuntimes("fails all who wait for what cannot come, and nobody twice", async () => {
    const { pool, calls } = servedBy({
      create: async () => {
        await sleep(1);
        calls.push(now());
        throw refused;
      },
      max: 2,
      backoff: () => 1000,
    });
    const failures = await Promise.all(Array.from({ length: 50 }, () => failureOf(pool.acquire())));
    expect(new Set(failures)).toEqual(new Set([refused]));
    expect([calls.length, pool.waiting, now() < 100]).toEqual([2, 0, true]);
    await pool.drain();
  });

  inBothRuntimes("lets those wait for whom something may come back, and tries again for them", async () => {
    const { pool, server, calls } = servedBy({ max: 2, backoff: () => 100 });
    server.up = true;
    const held = await pool.acquire();
    server.up = false;
    expect(await failureOf(pool.acquire())).toBe(refused);
    const waiting = pool.acquire();
    await settle();
    expect([pool.waiting, calls.length]).toEqual([1, 2]);
    server.up = true;
    const lease = await waiting;
    expect([lease.value, calls.length]).toEqual([3, 3]);
    lease.release();
    held.release();
    await pool.drain();
  });

  inBothRuntimes("grows with the failures in a row, and starts anew after a success", async () => {
    const told: number[] = [];
    const { pool, server } = servedBy({
      backoff: (failures, previousMs, error) => {
        expect(error).toBe(refused);
        told.push(failures, previousMs);
        return failures * 10;
      },
    });
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await failureOf(pool.acquire())).toBe(refused);
      await sleep(100);
    }
    server.up = true;
    (await pool.acquire()).discard();
    await settle();
    server.up = false;
    expect(await failureOf(pool.acquire())).toBe(refused);
    expect(told).toEqual([1, 0, 2, 10, 3, 20, 1, 0]);
    await pool.drain();
  });

  inBothRuntimes("fails ready during a pause, and takes the schedules of retries", async () => {
    const { pool, server } = servedBy({
      min: 2,
      backoff: exponentialDelay({ firstMs: 50, jitter: 0 }),
      onError: () => {},
    });
    expect(await failureOf(pool.ready())).toBe(refused);
    expect(await failureOf(pool.ready())).toBe(refused);
    server.up = true;
    await sleep(60);
    await pool.ready();
    expect(pool.idle).toBe(2);
    await pool.drain();
  });

  test("leaves no timer when nobody waits, nor after close", async () => {
    const before = hostTimers();
    const { pool, server } = servedBy({ max: 2, backoff: () => 60_000 });
    server.up = true;
    const held = await pool.acquire();
    server.up = false;
    await failureOf(pool.acquire());
    expect(hostTimers()).toBe(before);
    const { ctx, cancel } = withCancel(background);
    const leaving = failureOf(pool.acquire(ctx));
    expect(hostTimers()).toBe(before + 1);
    cancel();
    await leaving;
    expect(hostTimers()).toBe(before);
    const closed = failureOf(pool.acquire());
    expect(hostTimers()).toBe(before + 1);
    pool.close();
    await closed;
    expect(hostTimers()).toBe(before);
    held.release();
    await pool.drain();
  });
});

test("without backoff, a factory that always fails is called once a caller, and timers go on", async () => {
  const { pool, calls } = servedBy();
  const failures = Array.from({ length: 500 }, () => failureOf(pool.acquire()));
  expect(new Set(await Promise.all(failures))).toEqual(new Set([refused]));
  await sleep(0);
  expect(calls).toHaveLength(500);
  await pool.drain();
});
