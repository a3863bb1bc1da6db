/** How long a resource is kept: idle, old, worn, reset, surplus. */
import { ResourcePool, type ResourcePoolOptions } from "concurrency-model-patterns/resource-pooling";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

/** A pool of numbers from 1, and the numbers that were destroyed, each with when that was. */
function numbered(options: Partial<ResourcePoolOptions<number>> = {}) {
  let made = 0;
  const destroyed: number[] = [];
  const endedMs: number[] = [];
  const pool = new ResourcePool<number>({
    create: () => ++made,
    destroy: (resource) => {
      destroyed.push(resource);
      endedMs.push(now());
    },
    max: 3,
    ...options,
  });
  return { pool, destroyed, endedMs };
}

const ascending = (one: number, other: number): number => one - other;

/** Borrows so many at once, and gives them back in the order in which they came. */
async function borrow(pool: ResourcePool<number>, count: number): Promise<void> {
  const leases = [];
  for (let n = 0; n < count; n++) leases.push(await pool.acquire());
  for (const lease of leases) lease.release();
}

describe("idleTimeoutMs", () => {
  for (const order of ["lifo", "fifo"] as const) {
    inBothRuntimes(`ends what has been idle for so long, the longest first (${order})`, async () => {
      const { pool, destroyed } = numbered({ order, idleTimeoutMs: 100 });
      await borrow(pool, 3);
      await sleep(60);
      const again = await pool.acquire();
      expect(again.value).toBe(order === "lifo" ? 3 : 1);
      await sleep(20);
      again.release();
      await sleep(30);
      expect(destroyed.toSorted(ascending)).toEqual(order === "lifo" ? [1, 2] : [2, 3]);
      await sleep(100);
      expect([pool.size, pool.idle]).toEqual([0, 0]);
      await pool.drain();
    });
  }

  inBothRuntimes("never goes below min, also while those that end take long to", async () => {
    const { pool, destroyed } = numbered({
      min: 2,
      max: 5,
      idleTimeoutMs: 10,
      destroy: async (resource) => {
        await sleep(1000);
        destroyed.push(resource);
      },
    });
    await borrow(pool, 5);
    await sleep(500);
    expect([pool.idle, pool.size]).toEqual([2, 5]);
    await sleep(1000);
    expect([pool.idle, pool.size, destroyed.length]).toEqual([2, 2, 3]);
    await pool.drain();
  });

  inBothRuntimes("does not count what was lent in between", async () => {
    const { pool, destroyed } = numbered({ idleTimeoutMs: 10 });
    for (let round = 0; round < 20; round++) {
      await pool.use(() => {});
      await sleep(7);
    }
    expect([destroyed, pool.created]).toEqual([[], 1]);
    await pool.drain();
  });

  test("sets no timer while nothing is idle that may go, and none after close", async () => {
    const before = hostTimers();
    const { pool } = numbered({ min: 1, idleTimeoutMs: 60_000 });
    const one = await pool.acquire();
    const two = await pool.acquire();
    expect(hostTimers()).toBe(before);
    one.release();
    expect(hostTimers()).toBe(before + 1);
    const three = pool.tryAcquire();
    expect(hostTimers()).toBe(before);
    three?.discard();
    two.release();
    expect([pool.idle, hostTimers()]).toEqual([1, before]);
    const leases = [await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    expect(hostTimers()).toBe(before + 1);
    pool.close();
    expect(hostTimers()).toBe(before);
    await pool.drain();
  });

  test("wakes up no more often than something may end", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const { pool } = numbered({ idleTimeoutMs: 100 });
        await borrow(pool, 3);
        await sleep(10_000);
        await pool.drain();
      },
      { onEvent: (event) => events.push(event) },
    );
    expect(events.filter(({ k }) => k === "timer.fire").length).toBeLessThanOrEqual(4);
  });
});

describe("maxLifetimeMs", () => {
  inBothRuntimes("ends what is older, when it comes back or would be lent, and never in use", async () => {
    const { pool, endedMs, destroyed } = numbered({ maxLifetimeMs: 100, lifetimeJitter: 0 });
    const lease = await pool.acquire();
    await sleep(150);
    expect([lease.value, destroyed]).toEqual([1, []]);
    lease.release();
    expect(await pool.use((resource) => resource)).toBe(2);
    await sleep(99);
    expect(await pool.use((resource) => resource)).toBe(2);
    await sleep(2);
    expect(await pool.use((resource) => resource)).toBe(3);
    await settle();
    expect(destroyed.toSorted(ascending)).toEqual([1, 2]);
    expect(endedMs).toHaveLength(2);
    await pool.drain();
  });

  inBothRuntimes("holds also for what is validated, and for tryAcquire", async () => {
    for (const validate of [() => true, undefined]) {
      const options = validate === undefined ? {} : { validate };
      const { pool, destroyed } = numbered({ maxLifetimeMs: 10, ...options });
      await borrow(pool, 2);
      await sleep(20);
      expect(pool.tryAcquire()).toBeUndefined();
      expect(await pool.use((resource) => resource)).toBe(3);
      await settle();
      expect(destroyed.toSorted(ascending)).toEqual([1, 2]);
      await pool.drain();
    }
  });

  test("is shorter by chance, so that what was made together does not end together", async () => {
    const lifetimes = new Set<number>();
    await simulate(
      async () => {
        const { pool } = numbered({ max: 20, maxLifetimeMs: 1000, lifetimeJitter: 0.5 });
        await borrow(pool, 20);
        for (let ms = 0; ms < 1000; ms += 10) {
          await sleep(10);
          const leases = Array.from({ length: 20 }, () => pool.tryAcquire()).filter(
            (lease) => lease !== undefined,
          );
          for (let ended = leases.length; ended < 20; ended++) lifetimes.add(leases.length);
          if (ms < 480) expect(leases).toHaveLength(20);
          for (const lease of leases) lease.release();
        }
        expect(pool.size).toBe(0);
        await pool.drain();
      },
      { seed: 3 },
    );
    expect(lifetimes.size).toBeGreaterThan(5);
  });

  test("thousands that are too old are passed over at once, without a deep stack", async () => {
    await simulate(async () => {
      let made = 0;
      const pool = new ResourcePool({
        create: () => ++made,
        validate: () => true,
        max: 20_000,
        maxLifetimeMs: 5,
        capacity: Number.POSITIVE_INFINITY,
      });
      const leases = await Promise.all(Array.from({ length: 3000 }, () => pool.acquire()));
      for (const lease of leases) lease.release();
      await sleep(10);
      expect(await pool.use((resource) => resource)).toBe(3001);
      await pool.drain();
    });
  });
});

describe("maxUses", () => {
  inBothRuntimes("replaces a resource that was lent so often", async () => {
    const { pool, destroyed } = numbered({ max: 1, maxUses: 2 });
    const seen: number[] = [];
    for (let use = 0; use < 5; use++) await pool.use((resource) => void seen.push(resource));
    expect([seen, destroyed]).toEqual([
      [1, 1, 2, 2, 3],
      [1, 2],
    ]);
    await pool.drain();
  });
});

describe("reset", () => {
  inBothRuntimes(
    "comes before anybody else gets the resource, and makes nothing more meanwhile",
    async () => {
      const trail: string[] = [];
      const { pool } = numbered({
        max: 2,
        reset: async (resource) => {
          await sleep(5);
          trail.push(`reset ${resource}`);
        },
      });
      (await pool.acquire()).release();
      expect([pool.idle, pool.active, pool.size]).toEqual([0, 0, 1]);
      const next = await pool.acquire();
      trail.push(`lent ${next.value}`);
      next.release();
      await settle();
      await pool.drain();
      expect(trail).toEqual(["reset 1", "lent 1", "reset 1"]);
      expect(pool.created).toBe(1);
    },
  );

  inBothRuntimes("that fails ends the resource, and is told to onError", async () => {
    const failure = new Error("still in a transaction");
    const errors: unknown[] = [];
    for (const how of ["throws", "rejects"]) {
      const { pool, destroyed } = numbered({
        max: 1,
        reset: () => {
          if (how === "rejects") return Promise.reject(failure);
          throw failure;
        },
        onError: (error, callback) => void errors.push([error, callback]),
      });
      (await pool.acquire()).release();
      expect(await pool.use((resource) => resource)).toBe(2);
      await settle();
      expect(destroyed).toEqual([1, 2]);
      await pool.drain();
    }
    expect(errors).toEqual(Array.from({ length: 4 }, () => [failure, "reset"]));
  });

  inBothRuntimes("is not called for what was discarded", async () => {
    let resets = 0;
    const { pool } = numbered({ reset: () => void resets++ });
    (await pool.acquire()).discard();
    await settle();
    expect([resets, pool.size]).toEqual([0, 0]);
    await pool.drain();
  });
});

describe("resize", () => {
  inBothRuntimes("to more serves those who wait", async () => {
    const { pool } = numbered({ max: 1 });
    const held = await pool.acquire();
    const waiting = [pool.acquire(), pool.acquire()];
    await settle();
    pool.resize({ max: 3 });
    const leases = await Promise.all(waiting);
    expect(leases.map(({ value }) => value).toSorted(ascending)).toEqual([2, 3]);
    for (const lease of [held, ...leases]) lease.release();
    await pool.drain();
  });

  inBothRuntimes("to fewer ends what is idle now, and what is lent once it comes back", async () => {
    const { pool, destroyed } = numbered({ max: 4, min: 3 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire(), await pool.acquire()];
    leases[0]?.release();
    pool.resize({ max: 2 });
    await settle();
    expect([pool.size, pool.idle, pool.active, destroyed]).toEqual([
      3,
      0,
      3,
      [leases[0] === undefined ? 0 : 1],
    ]);
    const waiting = pool.acquire();
    await settle();
    leases[1]?.release();
    await settle();
    expect([pool.size, pool.waiting]).toEqual([2, 1]);
    leases[2]?.release();
    (await waiting).release();
    leases[3]?.release();
    expect([pool.size, pool.idle]).toEqual([2, 2]);
    await pool.drain();
  });

  test("refuses what the constructor refuses, and a pool that is closed", async () => {
    const { pool } = numbered();
    expect(thrownBy(() => pool.resize({ max: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => pool.resize({ max: 2, min: 3 }))).toBeInstanceOf(RangeError);
    await pool.drain();
    expect(thrownBy(() => pool.resize({ max: 2 }))).toMatchObject({ code: "CLOSED" });
  });
});

describe("drain with forceAfterMs", () => {
  inBothRuntimes("takes away what has not come back by then, and leaves no timer", async () => {
    const causes: unknown[] = [];
    const { pool } = numbered({ destroy: (_, cause) => void causes.push(cause) });
    const lease = await pool.acquire();
    const startMs = now();
    await pool.drain({ forceAfterMs: 50 });
    expect(now() - startMs).toBeGreaterThanOrEqual(50);
    expect(causes).toEqual([expect.objectContaining({ code: "TIMEOUT" })]);
    expect(thrownBy(() => lease.value)).toMatchObject({ code: "MISUSE" });
    lease.release();
    expect(pool.size).toBe(0);
  });

  inBothRuntimes("takes nothing away from those who are in time, nor for a caller who leaves", async () => {
    const { pool, destroyed } = numbered();
    const lease = await pool.acquire();
    const signal = AbortSignal.abort("no");
    expect(await failureOf(pool.drain({ forceAfterMs: 5, signal }))).toBe("no");
    await sleep(20);
    expect(lease.value).toBe(1);
    const drained = pool.drain({ forceAfterMs: 1000 });
    lease.release();
    await drained;
    expect([destroyed, now() < 1000]).toEqual([[1], true]);
  });
});

test("stats count what was made, ended and failed", async () => {
  let calls = 0;
  const { pool } = numbered({
    create: () => {
      if (++calls === 2) throw new Error("refused");
      return calls;
    },
  });
  const one = await pool.acquire();
  await failureOf(pool.acquire());
  (await pool.acquire()).release();
  one.discard();
  await settle();
  expect(pool.stats).toEqual({
    size: 1,
    idle: 1,
    active: 0,
    waiting: 0,
    created: 2,
    destroyed: 1,
    failed: 1,
  });
  await pool.drain();
});
