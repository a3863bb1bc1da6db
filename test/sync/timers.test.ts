import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import type { Timer } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/random.ts";
import { useRuntime } from "../../src/core/runtime.ts";
import { inBothRuntimes, overSeeds } from "../support/both-runtimes.ts";
import { hostTimers } from "../support/listeners.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

describe("sleep", () => {
  inBothRuntimes(
    "never returns early",
    async () => {
      for (const delay of [-1, 0, 0.5, 1, 2.3]) {
        const before = now();
        await sleep(delay);
        expect(now() - before).toBeGreaterThanOrEqual(Math.max(0, delay));
      }
    },
    5,
  );

  inBothRuntimes(
    "returns in the order of the delays, not of the calls",
    async () => {
      const order: number[] = [];
      await Promise.all([9, 1, 5].map((delay) => sleep(delay).then(() => order.push(delay))));
      expect(order).toEqual([1, 5, 9]);
    },
    20,
  );

  test("takes exactly its time in a simulation, whatever it is", async () => {
    const century = 100 * 365.25 * 24 * 3600 * 1000;
    await simulate(async () => {
      await sleep(century);
      expect(now()).toBe(century);
      await sleep(0);
      expect(now()).toBe(century);
    });
  });

  test("leaves no timer of the host when it is given up", async () => {
    const before = hostTimers();
    const { ctx, cancel } = withCancel(background);
    const sleeping = failureOf(sleep(1e6, ctx));
    expect(hostTimers()).toBe(before + 1);
    cancel();
    expect(hostTimers()).toBe(before);
    await sleeping;
    expect(await failureOf(sleep(1e6, ctx))).toBe(ctx.error);
    expect(hostTimers()).toBe(before);
  });

  test("for ever ends only by cancellation, and sets no timer", async () => {
    const before = hostTimers();
    const { ctx, cancel } = withCancel(background);
    const sleeping = failureOf(sleep(Number.POSITIVE_INFINITY, ctx));
    expect(hostTimers()).toBe(before);
    cancel();
    expect(await sleeping).toBe(ctx.error);
  });

  test("with a deadline at the same instant ends either way, as the seed decides", async () => {
    const ends = new Set<string>();
    await overSeeds(40, async (seed) => {
      await simulate(
        async () => {
          const { ctx, cancel } = withTimeout(background, 5);
          await sleep(5, ctx).then(
            () => ends.add("slept"),
            () => ends.add("timed out"),
          );
          cancel();
        },
        { seed },
      );
    });
    expect(ends).toEqual(new Set(["slept", "timed out"]));
  });

  test.each([Number.NaN, "3", null, {}, undefined])("refuses a delay of %s at the call", (delay) => {
    const error = thrownBy(() => sleep(delay as number));
    expect(error).toBeInstanceOf(typeof delay === "number" ? RangeError : TypeError);
    expect((error as Error).message).toMatch(/^delayMs must be a number of milliseconds, got /);
  });
});

describe("Ticker", () => {
  test("ticks at whole multiples of its interval after the start", async () => {
    await simulate(async () => {
      await sleep(3);
      using ticker = new Ticker(10);
      const ticks: number[] = [];
      for (let n = 0; n < 3; n++) ticks.push((await ticker.receive()).value ?? 0);
      expect([ticks, now()]).toEqual([[13, 23, 33], 33]);
    });
  });

  test("keeps one tick at most: a slow receiver loses ticks, not time", async () => {
    await simulate(async () => {
      using ticker = new Ticker(10);
      await sleep(45);
      expect(ticker.tryReceive()).toEqual({ value: 10, done: false });
      expect(ticker.tryReceive()).toBeUndefined();
      expect((await ticker.receive()).value).toBe(50);
    });
  });

  test("skips what a busy host made it miss: one tick, and the next at a multiple that lies ahead", () => {
    let nowMs = 100;
    let fire = (): void => {};
    const delays: number[] = [];
    const after = (delayMs: number, callback: () => void): Timer => {
      delays.push(delayMs);
      fire = callback;
      return { cancel: () => {} };
    };
    useRuntime({ clock: { now: () => nowMs, after }, random: systemRandom });
    const ticker = new Ticker(10);
    useRuntime();
    nowMs = 135;
    fire();
    expect(delays).toEqual([10, 5]);
    expect([ticker.tryReceive()?.value, ticker.tryReceive()]).toEqual([110, undefined]);
    nowMs = 140;
    fire();
    expect([ticker.tryReceive()?.value, delays.at(-1)]).toEqual([140, 10]);
  });

  test("sets no timer once it is stopped, and does not close", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async (ctx) => {
        const ticker = new Ticker(10);
        await sleep(10);
        await ticker.receive();
        ticker.stop();
        ticker.stop();
        expect(ticker.tryReceive()).toBeUndefined();
        const { ctx: limited } = withTimeout(ctx, 100);
        expect(await failureOf(ticker.receive(limited))).toMatchObject({ code: "TIMEOUT" });
      },
      { onEvent: (event) => events.push(event) },
    );
    const count = (k: string): number => events.filter((event) => event.k === k).length;
    expect(count("timer.set")).toBe(count("timer.fire") + count("timer.clear"));
  });

  test("gives a tick that was due before the stop", async () => {
    await simulate(async () => {
      const ticker = new Ticker(10);
      await sleep(15);
      ticker.stop();
      expect(ticker.tryReceive()).toEqual({ value: 10, done: false });
      expect(ticker.tryReceive()).toBeUndefined();
    });
  });

  test("can be iterated, and leaves no timer of the host", async () => {
    const before = hostTimers();
    {
      using ticker = new Ticker(1);
      let ticks = 0;
      for await (const tick of ticker) {
        expect(tick).toBeLessThanOrEqual(now());
        if (++ticks === 3) break;
      }
    }
    expect(hostTimers()).toBe(before);
  });

  inBothRuntimes(
    "gives each tick to one receiver",
    async () => {
      const ticker = new Ticker(2);
      const ticks: number[] = [];
      await TaskGroup.run((group) => {
        for (let n = 0; n < 2; n++) {
          group.go(async () => {
            for (let k = 0; k < 2; k++) ticks.push((await ticker.receive(group.ctx)).value ?? 0);
          });
        }
      });
      ticker.stop();
      expect(new Set(ticks).size).toBe(4);
    },
    20,
  );

  test.each([Number.NaN, 0, -1, "3", null, {}])("refuses an interval of %s", (interval) => {
    const error = thrownBy(() => new Ticker(interval as number));
    expect(error).toBeInstanceOf(typeof interval === "number" ? RangeError : TypeError);
    expect((error as Error).message).toMatch(/^intervalMs must be a number above 0, got /);
  });
});
