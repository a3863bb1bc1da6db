import { AsyncLocalStorage } from "node:async_hooks";
import { type Context } from "concurrency-model-patterns/context";
import {
  LoadingCache,
  type LoadingCacheOptions,
} from "concurrency-model-patterns/singleflight/loading-cache";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers, listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

/** A cache whose n-th load gives n after `loadMs`, or fails if it is told to. */
function counting(options: LoadingCacheOptions<string>, loadMs = 10) {
  const state = { loads: 0, fails: false, told: [] as unknown[], contexts: [] as Context[] };
  const load = async (_: string, ctx: Context): Promise<number> => {
    state.contexts.push(ctx);
    const n = ++state.loads;
    await sleep(loadMs, ctx);
    if (state.fails) throw new Error(`load ${n}`);
    return n;
  };
  const onError = (error: unknown, key: string): void =>
    void state.told.push([(error as Error).message, key]);
  return { cache: new LoadingCache<string, number>(load, { onError, ...options }), state };
}

describe("a loading cache", () => {
  inBothRuntimes(
    "loads once for all who ask at the same time, keeps the value for its time, and then loads anew",
    async () => {
      const { cache, state } = counting({ ttlMs: 100 });
      expect(await Promise.all([1, 2, 3].map(() => cache.get("k")))).toEqual([1, 1, 1]);
      await sleep(99);
      expect([await cache.get("k"), cache.peek("k"), cache.size]).toEqual([1, 1, 1]);
      await sleep(1);
      expect(cache.peek("k")).toBe(undefined);
      expect([await cache.get("k"), state.loads]).toEqual([2, 2]);
    },
    20,
  );

  inBothRuntimes(
    "gives a failure, at once or later, to all who wait, and never keeps one",
    async () => {
      for (const early of [true, false]) {
        let loads = 0;
        const wrong = new Error("no");
        const cache = new LoadingCache<string, number>(
          () => {
            if (++loads > 1) return loads;
            if (early) throw wrong;
            return sleep(1).then(() => Promise.reject(wrong));
          },
          { ttlMs: Number.POSITIVE_INFINITY },
        );
        const failures = [cache.get("k"), early ? Promise.reject(wrong) : cache.get("k")].map(failureOf);
        for (const failure of failures) expect(await failure).toBe(wrong);
        expect([cache.size, await cache.get("k"), await cache.get("k")]).toEqual([0, 2, 2]);
      }
    },
    20,
  );

  inBothRuntimes(
    "while a value is stale gives it at once and refreshes it once behind it",
    async () => {
      const { cache, state } = counting({ ttlMs: 100, staleWhileRevalidateMs: 50 });
      await cache.get("k");
      await sleep(100);
      expect(await Promise.all([cache.get("k"), cache.get("k")])).toEqual([1, 1]);
      await sleep(11);
      expect([await cache.get("k"), state.loads, state.told]).toEqual([2, 2, []]);
      await sleep(150);
      expect([await cache.get("k"), state.loads]).toEqual([3, 3]);
    },
    20,
  );

  inBothRuntimes(
    "tells of a refresh that failed, goes on with the stale value until its time is over, and then fails",
    async () => {
      const { cache, state } = counting({ ttlMs: 100, staleWhileRevalidateMs: 50 });
      await cache.get("k");
      state.fails = true;
      await sleep(100);
      expect(await cache.get("k")).toBe(1);
      await sleep(20);
      expect([await cache.get("k"), state.told]).toEqual([1, [["load 2", "k"]]]);
      await sleep(30);
      expect(await failureOf(cache.get("k"))).toMatchObject({ message: "load 4" });
      expect(state.told).toEqual([
        ["load 2", "k"],
        ["load 3", "k"],
      ]);
    },
    20,
  );

  inBothRuntimes(
    "gives a stale value for a failure, tells of it once however many asked, and not for ever",
    async () => {
      const { cache, state } = counting({ ttlMs: 100, staleIfErrorMs: 50 });
      await cache.get("k");
      state.fails = true;
      await sleep(100);
      expect(await Promise.all([cache.get("k"), cache.get("k")])).toEqual([1, 1]);
      await settle();
      expect([state.loads, state.told]).toEqual([2, [["load 2", "k"]]]);
      await sleep(50);
      expect(await failureOf(cache.get("k"))).toMatchObject({ message: "load 3" });
      state.fails = false;
      expect(await cache.get("k")).toBe(4);
    },
    20,
  );

  inBothRuntimes(
    "lets each caller leave with its own reason, also where a stale value would hide a failure",
    async () => {
      const { cache, state } = counting({ ttlMs: 100, staleIfErrorMs: 1000 });
      const controller = new AbortController();
      const reason = new Error("left");
      const leaves = failureOf(cache.get("k", controller));
      const stays = cache.get("k");
      await settle();
      controller.abort(reason);
      expect([await leaves, await stays, state.loads]).toEqual([reason, 1, 1]);
      expect(await failureOf(cache.get("k", controller))).toBe(reason);
      await sleep(100);
      const last = new AbortController();
      const alone = failureOf(cache.get("k", last));
      await settle();
      last.abort(reason);
      expect(await alone).toBe(reason);
      expect([state.contexts[1]?.error?.code, state.told]).toEqual(["CANCELED", []]);
      expect([listenersOf(controller.signal), listenersOf(last.signal)]).toEqual([0, 0]);
      expect(await cache.get("k")).toBe(3);
    },
    20,
  );

  inBothRuntimes(
    "does not keep what a load gives that began before its key was deleted, whichever ends first",
    async () => {
      for (const delays of [
        [10, 20],
        [20, 10],
      ] as const) {
        let loads = 0;
        const cache = new LoadingCache<string, number>(
          async () => {
            const n = loads++;
            await sleep(delays[n] ?? 0);
            return n;
          },
          { ttlMs: Number.POSITIVE_INFINITY },
        );
        const old = cache.get("k");
        await settle();
        expect(cache.delete("k")).toBe(false);
        const fresh = cache.get("k");
        expect([await old, await fresh, await cache.get("k"), loads]).toEqual([0, 1, 1, 2]);
        expect([cache.delete("k"), cache.size]).toEqual([true, 0]);
      }
    },
    20,
  );

  inBothRuntimes(
    "gives up a refresh whose key is deleted, and tells nobody",
    async () => {
      const { cache, state } = counting({ ttlMs: 100, staleWhileRevalidateMs: 1000 });
      await cache.get("k");
      await sleep(100);
      await cache.get("k");
      await settle();
      cache.clear();
      expect(state.contexts[1]?.error?.code).toBe("CANCELED");
      await sleep(20);
      expect([cache.size, state.told]).toEqual([0, []]);
      expect(await cache.get("k")).toBe(3);
    },
    20,
  );

  test("drops the value that was not used for longest, and not the one that was loaded first", async () => {
    const cache = new LoadingCache<string, string>((key) => key, {
      ttlMs: Number.POSITIVE_INFINITY,
      capacity: 2,
    });
    for (const key of ["a", "b", "a", "c"]) await cache.get(key);
    expect([cache.peek("a"), cache.peek("b"), cache.peek("c")]).toEqual(["a", undefined, "c"]);
  });

  test("holds the values that were used last, as a model does, and never more than its capacity", async () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.constantFrom("get", "delete", "peek")), { maxLength: 40 });
    const check = async (capacity: number, plan: readonly (readonly [number, string])[]): Promise<void> => {
      let loads = 0;
      const cache = new LoadingCache<number, number>(() => ++loads, {
        ttlMs: Number.POSITIVE_INFINITY,
        capacity,
      });
      let model: (readonly [key: number, value: number])[] = [];
      for (const [key, step] of plan) {
        const kept = model.find(([each]) => each === key)?.[1];
        if (step === "peek") expect(cache.peek(key)).toBe(kept);
        else model = model.filter(([each]) => each !== key);
        if (step === "delete") expect(cache.delete(key)).toBe(kept !== undefined);
        if (step === "get") {
          const value = await cache.get(key);
          expect(value).toBe(kept ?? loads);
          model = [...model, [key, value] as const].slice(-capacity);
        }
        expect(cache.size).toBe(model.length);
      }
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, check), { numRuns: 200 });
  });

  test("keeps any value under any key, sets no timer, and calls onError in its maker's async context", async () => {
    const before = hostTimers();
    const values = new LoadingCache<unknown, unknown>((key) => key, { ttlMs: Number.POSITIVE_INFINITY });
    for (const key of [undefined, null, Number.NaN, "__proto__", {}]) {
      expect(await values.get(key)).toBe(key);
      expect(await values.get(key)).toBe(key);
    }
    expect([values.size, hostTimers()]).toEqual([5, before]);
    const storage = new AsyncLocalStorage<string>();
    const heard: unknown[] = [];
    const onError = (): void => void heard.push(storage.getStore());
    let loads = 0;
    const load = (): number | Promise<number> => (loads++ === 0 ? 1 : Promise.reject("no"));
    const cache = storage.run(
      "maker",
      () => new LoadingCache(load, { ttlMs: 0, staleIfErrorMs: 1e6, onError }),
    );
    for (const _ of [1, 2]) expect(await storage.run("caller", () => cache.get("k"))).toBe(1);
    await settle();
    expect(heard).toEqual(["maker"]);
  });

  test.each([
    [{ ttlMs: Number.NaN }, RangeError],
    [{ ttlMs: "1" as never }, TypeError],
    [{ ttlMs: 1, capacity: 0 }, RangeError],
    [{ ttlMs: 1, staleIfErrorMs: 1 }, TypeError],
    [{ ttlMs: 1, staleWhileRevalidateMs: 1 }, TypeError],
    [{ ttlMs: 1, onError: 1 as never }, TypeError],
  ])("refuses %o", (options, kind) => {
    expect(thrownBy(() => new LoadingCache(() => 1, options))).toBeInstanceOf(kind);
    expect(thrownBy(() => new LoadingCache(1 as never, { ttlMs: 1 }))).toBeInstanceOf(TypeError);
  });
});
