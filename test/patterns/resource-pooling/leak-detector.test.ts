import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { type LeaseLeak, LeakDetector } from "concurrency-model-patterns/resource-pooling/leak-detector";
import { sleep } from "concurrency-model-patterns/timers";
import { expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

/** A pool that is watched. */
function watchedPool(leakAfterMs: number, max = 3) {
  const leaks: LeaseLeak[] = [];
  const detector = new LeakDetector({ leakAfterMs, onLeak: (leak) => void leaks.push(leak) });
  const pool = new ResourcePool({ create: () => 1, max, name: "database", leaks: detector });
  return { pool, detector, leaks };
}

inBothRuntimes("a lease that is held for too long is reported once, with where it was acquired", async () => {
  const { pool, leaks, detector } = watchedPool(100);
  async function forgetful(): Promise<void> {
    await pool.acquire();
  }
  await forgetful();
  const second = await pool.acquire();
  await sleep(50);
  await pool.use(() => sleep(10));
  second.release();
  expect(leaks).toEqual([]);
  await sleep(1000);
  expect(leaks).toHaveLength(1);
  const [leak] = leaks;
  expect(leak?.pool).toBe("database");
  expect(leak?.heldMs).toBeGreaterThanOrEqual(100);
  expect(leak?.heldMs).toBeLessThan(200);
  expect(leak?.acquiredAt).toContain("forgetful");
  expect(detector.size).toBe(0);
  await pool.drain({ forceAfterMs: 0 });
});

inBothRuntimes("the wait for a lease does not count, and one who was given up holds nothing", async () => {
  const { pool, leaks, detector } = watchedPool(100, 1);
  const held = await pool.acquire();
  const { ctx, cancel } = withCancel(background);
  const leaving = failureOf(pool.acquire(ctx));
  const waiting = pool.acquire();
  await sleep(90);
  cancel();
  await leaving;
  held.release();
  const lease = await waiting;
  expect(detector.size).toBe(1);
  await sleep(90);
  lease.release();
  await sleep(200);
  expect([leaks, detector.size]).toEqual([[], 0]);
  await pool.drain();
});

test("there is a timer only while something is held that has not been reported", async () => {
  const before = hostTimers();
  const { pool } = watchedPool(60_000);
  const leases = [await pool.acquire(), await pool.acquire()];
  expect(hostTimers()).toBe(before + 1);
  leases[0]?.release();
  expect(hostTimers()).toBe(before + 1);
  leases[1]?.discard();
  expect(hostTimers()).toBe(before);
  await pool.drain();
});

test("onLeak runs in the async context of the detector, and one detector may watch several pools", async () => {
  const request = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const detector = request.run(
    "maker",
    () =>
      new LeakDetector({ leakAfterMs: 1, onLeak: ({ pool }) => void seen.push([pool, request.getStore()]) }),
  );
  const pools = ["one", "two"].map(
    (name) => new ResourcePool({ create: () => 1, max: 1, name, leaks: detector }),
  );
  const leases = await request.run("user", () => Promise.all(pools.map((pool) => pool.acquire())));
  while (seen.length < 2) await settle();
  expect(seen).toEqual([
    ["one", "maker"],
    ["two", "maker"],
  ]);
  for (const lease of leases) lease.release();
});

test("wrong arguments are refused at the call", () => {
  const onLeak = (): void => {};
  expect(thrownBy(() => new LeakDetector({ leakAfterMs: Number.NaN, onLeak }))).toBeInstanceOf(RangeError);
  expect(thrownBy(() => new LeakDetector({ leakAfterMs: 1, onLeak: 1 as never }))).toBeInstanceOf(TypeError);
});
