/** A pool for each key: the bound of each, the bound of all, and who gets a place. */
import { background, withCancel } from "concurrency-model-patterns/context";
import {
  KeyedResourcePool,
  type KeyedResourcePoolOptions,
} from "concurrency-model-patterns/resource-pooling/keyed";
import { random } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

/** Resources are named by key and number: `a1`; with what was destroyed, in order. */
function named(options: Partial<KeyedResourcePoolOptions<string, string>> = {}) {
  let made = 0;
  const destroyed: string[] = [];
  const pool = new KeyedResourcePool<string, string>({
    create: (key) => `${key}${++made}`,
    destroy: (resource) => void destroyed.push(resource),
    max: 3,
    ...options,
  });
  return { pool, destroyed };
}

describe("the bounds", () => {
  inBothRuntimes("hold for each key and for all, and everybody is served", async () => {
    const alive = new Map<string, number>();
    const excess: string[] = [];
    const change = (key: string, by: number): void => {
      alive.set(key, (alive.get(key) ?? 0) + by);
      const all = [...alive.values()].reduce((sum, count) => sum + count, 0);
      if ((alive.get(key) ?? 0) > 2 || all > 5) excess.push(`${key}: ${alive.get(key)} of ${all}`);
    };
    const pool = new KeyedResourcePool<string, string>({
      create: async (key) => {
        change(key, 1);
        await sleep(random() * 3);
        return key;
      },
      destroy: async (key) => {
        await sleep(random() * 3);
        change(key, -1);
      },
      max: 5,
      maxPerKey: 2,
    });
    const keys = [..."abcdefgh"].flatMap((key) => [key, key, key, key, key]);
    const used = keys.map((key) =>
      pool.use(key, async (resource) => {
        await sleep(random() * 4);
        return resource;
      }),
    );
    expect(await Promise.all(used)).toEqual(keys);
    expect(pool.stats).toMatchObject({ active: 0, waiting: 0, failed: 0 });
    await pool.drain();
    expect(excess).toEqual([]);
    expect(pool.stats).toMatchObject({ size: 0, keys: 0 });
    expect(pool.stats.created).toBe(pool.stats.destroyed);
  });

  inBothRuntimes("a key takes no more than maxPerKey, though there is room", async () => {
    const { pool } = named({ maxPerKey: 1 });
    const first = await pool.acquire("a");
    const second = pool.acquire("a");
    await settle();
    expect(pool.statsOf("a")).toMatchObject({ size: 1, active: 1, waiting: 1 });
    const other = await pool.acquire("b");
    first.release();
    expect((await second).value).toBe("a1");
    (await second).release();
    other.release();
    await pool.drain();
  });

  test.each([
    [{ max: 0 }, "max must be a whole number of at least 1, got 0"],
    [{ maxPerKey: 4 }, "maxPerKey must be a whole number from 1 to 3, got 4"],
    [{ capacity: -1 }, "capacity must be a whole number of at least 0, or Infinity, got -1"],
    [{ create: 1 }, "create must be a function, got 1"],
  ])("are checked at the call: %o", (options, message) => {
    expect((thrownBy(() => named(options as never)) as Error).message).toBe(message);
  });
});

describe("a place for another key", () => {
  inBothRuntimes("is that of what has been idle for longest, of whatever key", async () => {
    const { pool, destroyed } = named();
    for (const key of ["a", "b", "c"]) {
      await pool.use(key, () => {});
      await sleep(1);
    }
    await pool.use("a", () => {});
    await sleep(1);
    expect(await pool.use("d", (resource) => resource)).toBe("d4");
    expect(destroyed).toEqual(["b2"]);
    expect([pool.statsOf("b"), pool.stats.keys]).toEqual([undefined, 3]);
    await pool.drain();
  });

  inBothRuntimes("is free only when what had it is really destroyed", async () => {
    let alive = 0;
    const { pool } = named({
      max: 1,
      create: (key) => `${key}, beside ${alive++} others`,
      destroy: async () => {
        await sleep(5);
        alive--;
      },
    });
    await pool.use("a", () => {});
    expect(await pool.use("b", (resource) => resource)).toBe("b, beside 0 others");
    await pool.drain();
  });

  inBothRuntimes("what is idle makes room for no more than are needed", async () => {
    const { pool, destroyed } = named({ destroy: async () => sleep(5) });
    const leases = await Promise.all(["a", "a", "b"].map((key) => pool.acquire(key)));
    for (const lease of leases) lease.release();
    await pool.use("c", () => {});
    expect([pool.stats.destroyed, destroyed]).toEqual([1, []]);
    await pool.drain();
  });

  inBothRuntimes("goes first to a key that has nothing, before one that waited longer for more", async () => {
    const { pool, destroyed } = named({ max: 2 });
    const [one, two] = [await pool.acquire("a"), await pool.acquire("a")];
    const more = pool.acquire("a");
    await settle();
    const other = pool.acquire("b");
    await settle();
    one.release();
    expect((await other).value).toBe("b3");
    expect([destroyed, pool.statsOf("a")?.waiting]).toEqual([["a1"], 1]);
    two.release();
    expect((await more).value).toBe("a2");
    (await more).release();
    (await other).release();
    await pool.drain();
  });

  inBothRuntimes("is given in turn: a key that is always busy keeps no other from its first", async () => {
    const { pool } = named({ max: 1 });
    const order: string[] = [];
    const use = (key: string): Promise<void> => pool.use(key, () => void order.push(key));
    const first = await pool.acquire("a");
    const busy = Array.from({ length: 20 }, () => use("a"));
    await settle();
    const others = [use("b"), use("c")];
    await settle();
    first.release();
    await Promise.all([...busy, ...others]);
    expect(order.slice(0, 3).toSorted()).toEqual(["a", "b", "c"]);
    expect(order.length).toBe(22);
    await pool.drain();
  });

  inBothRuntimes("within a key, callers are served first come, first served", async () => {
    const { pool } = named({ max: 2, maxPerKey: 1 });
    const held = await pool.acquire("a");
    const order: number[] = [];
    const users = [];
    for (let n = 0; n < 4; n++) {
      users.push(pool.use("a", () => void order.push(n)));
      await settle();
    }
    held.release();
    await Promise.all(users);
    expect(order).toEqual([0, 1, 2, 3]);
    await pool.drain();
  });
});

describe("a caller who leaves", () => {
  inBothRuntimes("takes nothing, and its key is forgotten", async () => {
    const { pool, destroyed } = named({ max: 1 });
    const held = await pool.acquire("a");
    const { ctx, cancel } = withCancel(background);
    const reason = new Error("given up");
    const waiting = pool.acquire("b", ctx);
    const left = failureOf(waiting);
    await settle();
    expect(pool.stats).toMatchObject({ keys: 2, waiting: 1 });
    cancel(reason);
    expect([await left, await failureOf(pool.acquire("c", ctx))]).toEqual([reason, reason]);
    expect(pool.stats).toMatchObject({ keys: 1, waiting: 0 });
    held.release();
    await settle();
    expect([pool.stats.idle, destroyed, listenersOf(ctx.signal)]).toEqual([1, [], 0]);
    await pool.drain();
  });

  inBothRuntimes("after the grant keeps what was lent", async () => {
    const { pool } = named();
    const { ctx, cancel } = withCancel(background);
    const lease = await pool.acquire("a", ctx);
    cancel();
    expect([lease.value, pool.stats.active]).toEqual(["a1", 1]);
    lease.release();
    await pool.drain();
  });
});

describe("capacity", () => {
  inBothRuntimes("bounds those who wait of all keys together", async () => {
    const { pool } = named({ max: 2, capacity: 2 });
    const held = [await pool.acquire("a"), await pool.acquire("b")];
    const waiting = [pool.acquire("a"), pool.acquire("c")];
    await settle();
    for (const key of ["a", "d"]) expect(await failureOf(pool.acquire(key))).toMatchObject({ code: "FULL" });
    expect(pool.stats).toMatchObject({ waiting: 2, keys: 3 });
    for (const lease of held) lease.release();
    for (const lease of await Promise.all(waiting)) lease.release();
    await pool.drain();
  });

  inBothRuntimes("of 0 refuses nobody for whom something idle can go", async () => {
    const { pool } = named({ max: 1, capacity: 0 });
    await pool.use("a", () => {});
    const lease = await pool.acquire("b");
    expect(await failureOf(pool.acquire("a"))).toMatchObject({ code: "FULL" });
    lease.release();
    await pool.drain();
  });
});

describe("a key that fails", () => {
  inBothRuntimes("fails its own callers, and its place goes to another", async () => {
    const { pool } = named({
      max: 1,
      create: (key) => {
        if (key === "dead") throw new Error("refused");
        return key;
      },
    });
    const ends = await Promise.allSettled(
      ["dead", "live", "dead", "live"].map((key) => pool.use(key, (resource) => resource)),
    );
    expect(
      ends.map((end) => (end.status === "fulfilled" ? end.value : (end.reason as Error).message)),
    ).toEqual(["refused", "live", "refused", "live"]);
    expect(pool.stats).toMatchObject({ failed: 2, keys: 1 });
    await pool.drain();
  });

  inBothRuntimes("is left alone while it pauses, also when nobody has waited meanwhile", async () => {
    const attempts: string[] = [];
    const pool = new KeyedResourcePool<string, never>({
      create: (key) => {
        attempts.push(key);
        throw new Error(`${key} refused`);
      },
      max: 2,
      backoff: () => 100,
    });
    for (const key of ["a", "a", "b"])
      expect((await failureOf(pool.acquire(key))) as Error).toMatchObject({ name: "Error" });
    expect([attempts, pool.stats.keys]).toEqual([["a", "b"], 0]);
    await sleep(100);
    await failureOf(pool.acquire("a"));
    expect(attempts).toEqual(["a", "b", "a"]);
    await pool.drain();
  });

  inBothRuntimes("is remembered among no more than max, those that failed last", async () => {
    const attempts: string[] = [];
    const pool = new KeyedResourcePool<string, never>({
      create: (key) => {
        attempts.push(key);
        throw new Error("refused");
      },
      max: 2,
      backoff: () => Number.POSITIVE_INFINITY,
    });
    for (const key of ["a", "b", "c", "b", "c", "a"]) await failureOf(pool.acquire(key));
    expect(attempts).toEqual(["a", "b", "c", "a"]);
    expect([..."abc"].map((key) => pool.statsOf(key) !== undefined)).toEqual([true, false, true]);
    expect(pool.stats.failed).toBe(4);
    await pool.drain();
  });
});

describe("the end", () => {
  inBothRuntimes("close fails those who wait, makes nothing more, and destroys what is idle", async () => {
    const { pool, destroyed } = named({ max: 2 });
    const held = await pool.acquire("a");
    await pool.use("b", () => {});
    const busy = await pool.acquire("b");
    const waiting = ["a", "b", "c"].map((key) => failureOf(pool.acquire(key)));
    await settle();
    pool.close();
    pool.close();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: "CLOSED" });
    expect(await failureOf(pool.acquire("a"))).toMatchObject({ code: "CLOSED" });
    expect(thrownBy(() => pool.tryAcquire("a"))).toMatchObject({ code: "CLOSED" });
    const drained = pool[Symbol.asyncDispose]();
    busy.release();
    await settle();
    expect([destroyed, pool.stats.size, pool.closed]).toEqual([["b2"], 1, true]);
    held.release();
    await drained;
    expect(pool.stats).toEqual({
      size: 0,
      idle: 0,
      active: 0,
      waiting: 0,
      created: 2,
      destroyed: 2,
      failed: 0,
      keys: 0,
    });
  });

  inBothRuntimes("drain takes away what does not come back in time", async () => {
    const { pool } = named();
    const leases = [await pool.acquire("a"), await pool.acquire("b")];
    await pool.drain({ forceAfterMs: 10 });
    expect(leases.map((lease) => (thrownBy(() => lease.value) as { code?: string }).code)).toEqual([
      "MISUSE",
      "MISUSE",
    ]);
    expect(pool.stats.size).toBe(0);
  });

  inBothRuntimes("a pool that was never used, or whose keys all pause, ends at once", async () => {
    await named().pool.drain();
    const pool = new KeyedResourcePool<string, never>({
      create: () => {
        throw new Error("refused");
      },
      max: 1,
      backoff: () => Number.POSITIVE_INFINITY,
    });
    await failureOf(pool.acquire("a"));
    await pool.drain();
    expect(pool.statsOf("a")).toBe(undefined);
  });
});

describe("a key", () => {
  inBothRuntimes("is forgotten when its last resource has gone for being idle", async () => {
    const { pool } = named({ idleTimeoutMs: 10 });
    for (let round = 0; round < 50; round++) await pool.use(`tenant ${round}`, () => {});
    expect(pool.stats).toMatchObject({ keys: 3, size: 3, created: 50 });
    await sleep(20);
    expect(pool.stats).toMatchObject({ keys: 0, size: 0, created: 50, destroyed: 50 });
    await pool.drain();
  });

  inBothRuntimes("lends without waiting only what is idle and its own", async () => {
    const { pool } = named();
    expect(pool.tryAcquire("a")).toBe(undefined);
    await pool.use("a", () => {});
    expect(pool.tryAcquire("b")).toBe(undefined);
    const lease = pool.tryAcquire("a");
    expect([lease?.value, pool.stats.keys]).toEqual(["a1", 1]);
    lease?.release();
    await pool.drain();
  });
});
