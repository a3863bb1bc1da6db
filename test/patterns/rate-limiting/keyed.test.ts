import { withCancel } from "concurrency-model-patterns/context";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { composite } from "concurrency-model-patterns/rate-limiting/composite";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { KeyedLimiters } from "concurrency-model-patterns/rate-limiting/keyed";
import { random, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { overSeeds } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

const perMinute = (): FixedWindowLimiter => new FixedWindowLimiter({ limit: 1, windowMs: 60_000 });

describe("KeyedLimiters", () => {
  test("gives each key a limiter of its own, whatever the key", () => {
    const made: unknown[] = [];
    const make = (key: unknown): FixedWindowLimiter => {
      made.push(key);
      return perMinute();
    };
    const limits = new KeyedLimiters(make, { capacity: 10 });
    const keys = ["constructor", "__proto__", undefined, null, 1, "1"];
    for (const key of keys) expect(limits.get(key).allow()).toBe(true);
    for (const key of keys) expect(limits.get(key).allow()).toBe(false);
    expect([made, limits.size, limits.capacity]).toEqual([keys, 6, 10]);
  });

  test("forgets those that are as new, without a timer, and nobody notices", async () => {
    await simulate(async (ctx) => {
      const limits = new KeyedLimiters(() => new RateLimiter({ perSecond: 5, burst: 1 }), { capacity: 1000 });
      for (let key = 0; key < 100; key++) limits.get(key).allow();
      await sleep(199, ctx);
      for (let n = 0; n < 200; n++) expect(limits.get(n % 100).allow()).toBe(false);
      expect(limits.size).toBe(100);
      await sleep(101, ctx);
      for (let n = 0; n < 50; n++) limits.get(1000).allow();
      expect(limits.size).toBe(1);
    });
  });

  test("never has more than its capacity, and forgets none that is limited to make room", async () => {
    await simulate(async (ctx) => {
      const limits = new KeyedLimiters<string, FixedWindowLimiter>(perMinute, { capacity: 2 });
      expect(["a", "b"].map((key) => limits.get(key).allow())).toEqual([true, true]);
      await sleep(30_000, ctx);
      for (let n = 0; n < 100; n++)
        expect(thrownBy(() => limits.get(`key ${n}`))).toMatchObject({ code: "FULL" });
      expect(["a", "b"].map((key) => limits.get(key).allow())).toEqual([false, false]);
      expect(limits.size).toBe(2);
      await sleep(30_000, ctx);
      expect(["c", "d"].map((key) => limits.get(key).allow())).toEqual([true, true]);
      expect(limits.size).toBe(2);
    });
  });

  test("makes room of whichever is idle, also behind those that are limited for long", async () => {
    await simulate(async (ctx) => {
      const make = (windowMs: number): FixedWindowLimiter => new FixedWindowLimiter({ limit: 1, windowMs });
      const limits = new KeyedLimiters(make, { capacity: 3 });
      for (const windowMs of [90_000, 80_000, 1000]) limits.get(windowMs).allow();
      await sleep(1000, ctx);
      expect(limits.get(2000).allow()).toBe(true);
      expect([limits.get(90_000).allow(), limits.get(80_000).allow()]).toEqual([false, false]);
    });
  });

  test("keeps one that was just asked for, though it is not used yet", async () => {
    await simulate(async (ctx) => {
      const limits = new KeyedLimiters<string, FixedWindowLimiter>(perMinute, { capacity: 3 });
      const [a, b, c] = [limits.get("a"), limits.get("b"), limits.get("c")];
      await sleep(50, ctx);
      expect([limits.get("a"), limits.get("b"), limits.get("c")]).toEqual([a, b, c]);
      await sleep(99, ctx);
      expect(thrownBy(() => limits.get("d"))).toMatchObject({ code: "FULL" });
      await sleep(1, ctx);
      expect(limits.get("d").allow()).toBe(true);
    });
  });

  test("never forgets one that somebody waits for", async () => {
    await simulate(async (ctx) => {
      const everybody = perMinute();
      everybody.allow();
      const make = (): FixedWindowLimiter => new FixedWindowLimiter({ limit: 1, windowMs: 120_000 });
      const limits = new KeyedLimiters<string, FixedWindowLimiter>(make, { capacity: 1 });
      const { ctx: scope, cancel } = withCancel(ctx);
      const a = limits.get("a");
      const wait = failureOf(composite(a, everybody).wait(1, scope));
      await sleep(59_000, ctx);
      expect([a.waiting, everybody.waiting, a.check(0).resetAfterMs]).toEqual([1, 1, 0]);
      expect(thrownBy(() => limits.get("b"))).toMatchObject({ code: "FULL" });
      cancel(new Error("enough"));
      expect(await wait).toMatchObject({ message: "enough" });
      await sleep(200, ctx);
      expect(limits.get("b").allow()).toBe(true);
    });
  });

  test("a make that throws leaves nothing behind, and is asked again", () => {
    let fails = true;
    const make = (): FixedWindowLimiter => {
      if (fails) throw new Error("no such tenant");
      return perMinute();
    };
    const limits = new KeyedLimiters<string, FixedWindowLimiter>(make, { capacity: 1 });
    expect(thrownBy(() => limits.get("a"))).toMatchObject({ message: "no such tenant" });
    expect(limits.size).toBe(0);
    fails = false;
    expect(limits.get("b").allow()).toBe(true);
  });

  test("no key ever gets more than its limit, however many others come and go", async () => {
    await overSeeds(10, async (seed) => {
      await simulate(
        async (ctx) => {
          const make = (key: number): GcraLimiter => new GcraLimiter({ perSecond: 1 + key, burst: 2 });
          const limits = new KeyedLimiters(make, { capacity: 6 });
          const grants = Array.from({ length: 12 }, (): number[] => []);
          for (let step = 0; step < 300; step++) {
            const key = Math.floor(random() * 12);
            const limiter = failureless(() => limits.get(key));
            if (limiter?.allow() === true) grants[key]?.push(now());
            await sleep(Math.floor(random() * 60), ctx);
          }
          for (const [key, times] of grants.entries())
            for (const [at, atMs] of times.entries())
              expect((times[at + 2] ?? Infinity) - atMs).toBeGreaterThanOrEqual(1000 / (1 + key) - 1e-6);
          expect(grants.flat().length).toBeGreaterThan(100);
        },
        { seed },
      );
    });
  });

  test("its limiters can be parts of a composite: one limit for all and one for each", () => {
    const everybody = new FixedWindowLimiter({ limit: 3, windowMs: 60_000 });
    const tenants = new KeyedLimiters<string, FixedWindowLimiter>(
      () => new FixedWindowLimiter({ limit: 2, windowMs: 60_000 }),
      { capacity: 100 },
    );
    const verdicts = ["a", "a", "a", "b", "b"].map((key) => composite(everybody, tenants.get(key)).allow());
    expect(verdicts).toEqual([true, true, false, true, false]);
    expect(tenants.get("b").check().remaining).toBe(1);
  });

  test("checks its arguments at the call", () => {
    expect(() => new KeyedLimiters(perMinute, { capacity: 0 })).toThrow(RangeError);
    expect(() => new KeyedLimiters(1 as never, { capacity: 1 })).toThrow(TypeError);
  });
});

/** What a call gives; undefined if there is no room. */
function failureless<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    expect(error).toMatchObject({ code: "FULL" });
    return undefined;
  }
}
