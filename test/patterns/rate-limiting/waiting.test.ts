/** What holds of every limiter that waits, whatever it counts. */
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { type Limiter, RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { composite } from "concurrency-model-patterns/rate-limiting/composite";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { SlidingCounterLimiter } from "concurrency-model-patterns/rate-limiting/sliding-counter";
import { SlidingLogLimiter } from "concurrency-model-patterns/rate-limiting/sliding-log";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { systemRandom } from "../../../src/core/random.ts";
import { useRuntime } from "../../../src/core/runtime.ts";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

/** Each grants 2 at once; the third comes after 100 ms, or after 200 ms where a count has to fade. */
const kinds: Record<string, () => Limiter> = {
  "token bucket": () => new RateLimiter({ perSecond: 10, burst: 2 }),
  gcra: () => new GcraLimiter({ perSecond: 10, burst: 2 }),
  "fixed window": () => new FixedWindowLimiter({ limit: 2, windowMs: 100 }),
  "sliding log": () => new SlidingLogLimiter({ limit: 2, windowMs: 100 }),
  "sliding counter": () => new SlidingCounterLimiter({ limit: 2, windowMs: 100 }),
  composite: () =>
    composite(
      new SlidingLogLimiter({ limit: 3, windowMs: 50 }),
      composite(new GcraLimiter({ perSecond: 10, burst: 2 })),
    ),
};

const enough = new Error("enough");

describe.each(Object.entries(kinds))("%s", (_, make) => {
  inBothRuntimes(
    "takes at once what is there, and waits for what is not",
    async () => {
      const limiter = make();
      const startMs = now();
      await limiter.wait(2);
      expect(now()).toBe(startMs);
      const { ok, remaining, retryAfterMs } = limiter.check();
      expect([ok, remaining]).toEqual([false, 0]);
      await limiter.wait();
      expect(now() - startMs).toBeCloseTo(retryAfterMs, 6);
      expect(limiter.waiting).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "serves first come, first served; nobody overtakes, not even one who wants nothing",
    async () => {
      const limiter = make();
      const order: number[] = [];
      limiter.allow(2);
      const waits: Promise<unknown>[] = [];
      for (const [index, ask] of [2, 1, 2, 1].entries()) {
        waits.push(limiter.wait(ask).then(() => order.push(index)));
        await settle();
      }
      expect([limiter.waiting, limiter.allow(1), limiter.check(1).ok]).toEqual([4, false, false]);
      expect(limiter.check(1).retryAfterMs).toBeGreaterThan(0);
      await Promise.all(waits);
      expect([order, limiter.waiting]).toEqual([[0, 1, 2, 3], 0]);
    },
    20,
  );

  inBothRuntimes(
    "a wait that is given up takes nothing, and those behind it move up",
    async () => {
      const limiter = make();
      const startMs = now();
      limiter.allow(2);
      const { retryAfterMs } = limiter.check();
      const controller = new AbortController();
      const failures = [2, 1, 2].map((ask) => failureOf(limiter.wait(ask, controller)));
      await settle();
      const last = limiter.wait();
      await settle();
      expect(limiter.waiting).toBe(4);
      controller.abort(enough);
      expect(listenersOf(controller.signal)).toBe(0);
      expect(await Promise.all(failures)).toEqual([enough, enough, enough]);
      await last;
      expect(now() - startMs).toBeCloseTo(retryAfterMs, 6);
      expect(limiter.waiting).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "fails at once if it is given up already, asks too much, or would miss its deadline; then nothing is taken",
    async () => {
      const limiter = make();
      const { ctx: ended, cancel } = withCancel(background);
      cancel(enough);
      expect(await failureOf(limiter.wait(1, ended))).toBe(enough);
      expect(await failureOf(limiter.wait(3))).toMatchObject({
        code: "LIMIT",
        reason: "burst",
        message: "wait for 3 tokens exceeds limiter's burst 2",
      });
      limiter.allow(2);
      const before = limiter.check().resetAfterMs;
      const tight = withTimeout(background, 40);
      expect(await failureOf(limiter.wait(1, tight.ctx))).toMatchObject({
        code: "LIMIT",
        reason: "deadline",
      });
      const bySignal = await failureOf(limiter.wait(1, { signal: tight.ctx.signal }));
      expect(bySignal).toMatchObject({ code: "LIMIT", reason: "deadline" });
      tight.cancel();
      expect([limiter.check().resetAfterMs, limiter.waiting]).toEqual([before, 0]);
      const enoughTime = withTimeout(background, 1000);
      await limiter.wait(1, enoughTime.ctx);
      enoughTime.cancel();
    },
    20,
  );

  inBothRuntimes(
    "giving up after the grant changes nothing",
    async () => {
      const limiter = make();
      const controller = new AbortController();
      await limiter.wait(2, controller);
      const { resetAfterMs } = limiter.check();
      controller.abort(enough);
      expect(limiter.check().resetAfterMs).toBe(resetAfterMs);
      expect(listenersOf(controller.signal)).toBe(0);
    },
    20,
  );

  test("sets a timer for those who wait, and none when nobody does", async () => {
    const timers = new Set<object>();
    const after: Clock["after"] = () => {
      const timer = { cancel: () => timers.delete(timer) };
      timers.add(timer);
      return timer;
    };
    useRuntime({ clock: { now: () => 0, after }, random: systemRandom });
    try {
      const limiter = make();
      expect([limiter.allow(2), limiter.allow(), timers.size]).toEqual([true, false, 0]);
      const controller = new AbortController();
      const failures = Array.from({ length: 2000 }, () => failureOf(limiter.wait(1, controller)));
      expect([limiter.waiting, timers.size]).toEqual([2000, 1]);
      controller.abort(enough);
      expect([limiter.waiting, timers.size]).toEqual([0, 0]);
      expect(new Set(await Promise.all(failures))).toEqual(new Set([enough]));
    } finally {
      useRuntime();
    }
  });
});

test("many can be let in at one instant", async () => {
  await simulate(async () => {
    const limiter = new FixedWindowLimiter({ limit: 1000, windowMs: 100 });
    limiter.allow(1000);
    await Promise.all(Array.from({ length: 1000 }, () => limiter.wait()));
    expect(now()).toBe(100);
  });
});

test("every verdict is recorded, by each part", async () => {
  const events: RunEvent[] = [];
  await simulate(
    async (ctx) => {
      const tenant = new GcraLimiter({ perSecond: 10, burst: 1, name: "tenant" });
      const both = composite(new FixedWindowLimiter({ limit: 5, windowMs: 1000, name: "all" }), tenant);
      both.allow();
      both.allow();
      await both.wait(1, ctx);
    },
    { seed: 1, onEvent: (event) => events.push(event) },
  );
  const named = events.flatMap((event) => (event.k === "res.new" ? [[event.id, event.name] as const] : []));
  const names = new Map(named);
  const verdicts = events.flatMap((event) =>
    event.k === "limit.grant" || event.k === "limit.deny" ? [{ ...event, name: names.get(event.r) }] : [],
  );
  expect(verdicts).toMatchObject([
    { k: "limit.grant", name: "all", tokens: 4, wait: 0 },
    { k: "limit.grant", name: "tenant", tokens: 0, wait: 0 },
    { k: "limit.deny", name: "tenant", tokens: 0 },
    { k: "limit.grant", name: "all", tokens: 3, wait: 100_000 },
    { k: "limit.grant", name: "tenant", tokens: 0, wait: 100_000 },
  ]);
});

test("one that is given up lets in the next at once, if there is enough for that one", async () => {
  await simulate(async (ctx) => {
    const limiter = new GcraLimiter({ perSecond: 10, burst: 5 });
    limiter.allow(5);
    const { ctx: scope, cancel } = withCancel(ctx);
    const failure = failureOf(limiter.wait(5, scope));
    const small = limiter.wait(1, ctx);
    await sleep(250, ctx);
    cancel(enough);
    await small;
    expect(now()).toBe(250);
    expect(await failure).toBe(enough);
    expect(limiter.check().remaining).toBe(1);
  });
});
