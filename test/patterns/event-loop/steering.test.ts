/** Pause, step, the life of a loop, ticks, and the watch. */
import { AsyncLocalStorage } from "node:async_hooks";
import { withCancel } from "concurrency-model-patterns/context";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { ticks } from "concurrency-model-patterns/event-loop/ticks";
import { LoopWatch, type SlowLoopEvent } from "concurrency-model-patterns/event-loop/watch";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

type Numbers = { n: number };

function collecting(takesMs = 0) {
  const loop = new EventLoop<Numbers>();
  const seen: number[] = [];
  loop.on("n", async (n) => {
    await sleep(takesMs);
    seen.push(n);
  });
  return { loop, seen };
}

describe("pause", () => {
  inBothRuntimes("holds the next event back until resume, and takes posts meanwhile", async () => {
    const { loop, seen } = collecting(5);
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await loop.post("n", 1);
      await sleep(2);
      loop.pause();
      loop.pause();
      for (const n of [2, 3]) await loop.post("n", n);
      await sleep(100);
      expect([seen, loop.paused]).toEqual([[1], true]);
      loop.resume();
      loop.resume();
      await loop.drain();
    });
    expect([seen, loop.stats.processed]).toEqual([[1, 2, 3], 3]);
  });

  inBothRuntimes("can be ended by stop and by the signal of the run; what it held is unhandled", async () => {
    for (const how of ["stop", "signal"] as const) {
      const { loop, seen } = collecting();
      const { ctx, cancel } = withCancel({});
      loop.pause();
      await loop.post("n", 1);
      await TaskGroup.run(async (group) => {
        group.go(async () => {
          if (how === "stop") await loop.run(ctx);
          else expect(await failureOf(loop.run(ctx))).toMatchObject({ code: "CANCELED" });
        });
        await settle();
        if (how === "stop") loop.stop();
        else cancel();
      });
      expect([seen, loop.unhandled]).toEqual([[], [{ kind: "n", value: 1 }]]);
      cancel();
    }
  });
});

describe("step", () => {
  inBothRuntimes("lets a paused loop handle one event, and waits for its end", async () => {
    const { loop, seen } = collecting(5);
    loop.pause();
    for (const n of [1, 2, 3]) await loop.post("n", n);
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      expect([await loop.step(), [...seen]]).toEqual([true, [1]]);
      await sleep(50);
      expect(seen).toEqual([1]);
      expect([await loop.step(), [...seen]]).toEqual([true, [1, 2]]);
      const late = [loop.step(), loop.step()];
      await sleep(50);
      loop.stop();
      expect(new Set(await Promise.all(late))).toEqual(new Set([true, false]));
      expect(await loop.step()).toBe(false);
    });
    expect(seen).toEqual([1, 2, 3]);
  });

  inBothRuntimes("can be given up before and while it waits, and then lets nothing through", async () => {
    const { loop, seen } = collecting();
    loop.pause();
    const { ctx, cancel } = withCancel({});
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      const leaving = failureOf(loop.step(ctx));
      await settle();
      cancel("enough");
      expect(await leaving).toBe("enough");
      expect(await failureOf(loop.step(ctx))).toBe("enough");
      await loop.post("n", 1);
      await settle();
      expect(seen).toEqual([]);
      expect(await loop.step()).toBe(true);
      expect(seen).toEqual([1]);
      loop.stop();
    });
  });
});

inBothRuntimes("the context of a loop ends with its run, and stats count its sources", async () => {
  const { loop } = collecting();
  const source = loop.source("n", async function* (ctx) {
    yield 1;
    await sleep(Number.POSITIVE_INFINITY, ctx);
  });
  loop.source("n", [2]);
  expect(loop.stats).toEqual({ processed: 0, failed: 0, size: 0, waiting: 0, sources: 2 });
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    await sleep(5);
    expect([loop.stats.sources, loop.ctx.error]).toEqual([1, undefined]);
    source.unsubscribe();
    await sleep(5);
    loop.close();
  });
  expect(loop.stats).toEqual({ processed: 2, failed: 0, size: 0, waiting: 0, sources: 0 });
  expect(loop.ctx.error?.code).toBe("CANCELED");
});

inBothRuntimes("stats tell what was processed from what failed; what was given up is neither", async () => {
  const { ctx, cancel } = withCancel({});
  const loop = new EventLoop<Numbers>({ onError: () => {} });
  loop.on("n", async (n, own) => {
    if (n === 2) throw new Error("two");
    if (n === 3) cancel();
    if (n === 3) await sleep(1, own);
  });
  loop.source("n", function* () {
    yield 1;
    throw new Error("source");
  });
  await TaskGroup.run(async (group) => {
    group.go(async () => void (await failureOf(loop.run(ctx))));
    await sleep(1);
    expect(loop.stats).toMatchObject({ processed: 1, failed: 1 });
    for (const n of [2, 4, 3]) await loop.post("n", n);
  });
  expect(loop.stats).toMatchObject({ processed: 2, failed: 2 });
});

inBothRuntimes(
  "no handler is called once the run was given up, also if that happened in onError",
  async () => {
    const { ctx, cancel } = withCancel({});
    const loop = new EventLoop<Numbers>({ onError: () => cancel("enough") });
    const seen: number[] = [];
    loop.on("n", () => Promise.reject(new Error("first")));
    loop.on("n", (n) => void seen.push(n));
    await loop.post("n", 1);
    expect(await failureOf(loop.run(ctx))).toBe("enough");
    expect(seen).toEqual([]);
  },
);

describe("ticks", () => {
  inBothRuntimes("are due at multiples of the interval, and are missed rather than kept", async () => {
    const loop = new EventLoop<{ tick: number }>();
    const startMs = now();
    const seen: number[] = [];
    loop.on("tick", async (dueMs) => {
      seen.push(dueMs - startMs);
      if (seen.length === 2) await sleep(35);
      if (seen.length === 5) loop.stop();
    });
    loop.source("tick", ticks(10));
    await loop.run();
    expect(seen.map((ms) => Math.round(ms))).toEqual([10, 20, 30, 60, 70]);
  });

  test("leave no timer, and want an interval above 0", async () => {
    const before = hostTimers();
    const loop = new EventLoop<{ tick: number }>();
    loop.on("tick", () => {});
    const source = loop.source("tick", ticks(60_000));
    expect(hostTimers()).toBe(before);
    const running = loop.run();
    await settle();
    expect(hostTimers()).toBe(before + 1);
    source.unsubscribe();
    await settle();
    expect(hostTimers()).toBe(before);
    loop.stop();
    await running;
    expect(thrownBy(() => ticks(0))).toBeInstanceOf(RangeError);
  });
});

describe("a watch", () => {
  inBothRuntimes("reports a handler that hangs while it hangs, and events that wait behind it", async () => {
    const slow: SlowLoopEvent[] = [];
    const watch = new LoopWatch({ slowMs: 10, lagMs: 50, onSlow: (event) => void slow.push(event) });
    const loop = new EventLoop<{ quick: number; hung: number }>({ observer: watch });
    loop.on("quick", () => {});
    loop.on("hung", async () => {
      await sleep(5);
      expect(slow).toEqual([]);
      await sleep(95);
      expect(slow.map(({ kind, because }) => [kind, because])).toEqual([["hung", "handling"]]);
    });
    await loop.post("hung", 1);
    await loop.post("quick", 2);
    await loop.drain();
    await settle();
    expect(slow.map(({ kind, because }) => [kind, because])).toEqual([
      ["hung", "handling"],
      ["quick", "waiting"],
    ]);
    expect(slow[0]?.ms).toBeGreaterThanOrEqual(10);
    expect(slow[1]?.ms).toBeGreaterThanOrEqual(100);
    expect(watch.busyMs).toBeGreaterThanOrEqual(100);
    expect(watch.longestMs).toBeGreaterThanOrEqual(100);
    expect(watch.longestWaitMs).toBeGreaterThanOrEqual(100);
  });

  inBothRuntimes("says nothing of one that was handled in time, also when that time is over", async () => {
    const slow: SlowLoopEvent[] = [];
    const watch = new LoopWatch({ slowMs: 10, onSlow: (event) => void slow.push(event) });
    const loop = new EventLoop<{ quick: number }>({ observer: watch });
    loop.on("quick", () => {});
    await loop.post("quick", 1);
    await loop.drain();
    await sleep(20);
    expect(slow).toEqual([]);
  });

  test("reports one that computes once it is done, in the context of the watch, and leaves no timer", async () => {
    const before = hostTimers();
    const request = new AsyncLocalStorage<string>();
    const slow: unknown[] = [];
    const watch = request.run(
      "maker",
      () =>
        new LoopWatch({ slowMs: 3, onSlow: ({ because }) => void slow.push([because, request.getStore()]) }),
    );
    const loop = new EventLoop<Numbers>({ observer: watch });
    loop.on("n", () => {
      for (const untilMs = now() + 6; now() < untilMs; );
    });
    await loop.post("n", 1);
    await loop.drain();
    await settle();
    expect(slow).toEqual([["handling", "maker"]]);
    expect(hostTimers()).toBe(before);
  });
});
