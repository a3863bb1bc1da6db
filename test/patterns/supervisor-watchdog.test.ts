import { type ChildContext, type ChildSpec, Supervisor } from "concurrency-model-patterns/supervisor";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import { Watchdog } from "../../src/patterns/supervisor/watchdog.ts";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { hostTimers } from "../support/listeners.ts";
import { caught, idle, run, steps, stopAt } from "../support/supervision.ts";

/** In its first life, beats after each of these times and then never again; its later lives go on beating. */
const beating =
  (...pauses: number[]): ChildSpec["start"] =>
  async ({ ctx, heartbeat, restarts }) => {
    const times = restarts === 0 ? pauses : Array.from({ length: 100 }, () => 50);
    for (const time of times) {
      await sleep(time, ctx);
      heartbeat();
    }
    await sleep(Number.POSITIVE_INFINITY, ctx);
  };

const watched = (start: ChildSpec["start"], spec: Partial<ChildSpec> = {}): ChildSpec => ({
  id: "a",
  watchdogMs: 100,
  start,
  ...spec,
});

describe("the watchdog", () => {
  test.each([
    ["never beats", [], 100],
    ["beats in time, then not", [60, 60], 220],
    ["beats at the last moment", [99, 99], 298],
    ["is late by a moment", [101], 100],
  ])("a child that %s is restarted as failed", async (_, pauses, at) => {
    await overSeeds(20, async (seed) => {
      const trail = await run([watched(beating(...pauses))], {}, stopAt(1000), seed);
      expect(trail.lines).toEqual(
        steps("0 started a", `${at} failed a, ${at} restarting a, ${at} started a, 1000 stopped a`),
      );
      expect(trail.events[1]).toMatchObject({
        error: { code: "TIMEOUT", message: 'child "a" gave no heartbeat for 100 ms' },
      });
    });
  });

  test("leaves no timer of the host when the child ends by itself", async () => {
    const before = hostTimers();
    const ends: string[] = [];
    const start = (): void => void ends.push("returned");
    const child = watched(start, { restart: "temporary", watchdogMs: 60_000 });
    await using supervisor = new Supervisor([child, { id: "b", start: idle }]);
    await supervisor.started();
    await settle();
    expect([ends, supervisor.active, hostTimers()]).toEqual([["returned"], 1, before]);
  });

  test("its context ends because of that, what it fails with then is attached", async () => {
    const causes: unknown[] = [];
    const start = async (child: ChildContext): Promise<void> => {
      if (child.restarts > 0) return beating()(child);
      await caught(sleep(Number.POSITIVE_INFINITY, child.ctx));
      causes.push(child.ctx.cause);
      throw new Error("cleanup broke");
    };
    const trail = await run([watched(start)], {}, stopAt(200));
    const [, news] = trail.events;
    expect(news).toMatchObject({
      type: "failed",
      error: { code: "TIMEOUT", suppressed: [{ message: "cleanup broke" }] },
    });
    expect(causes).toEqual([news?.type === "failed" ? news.error : undefined]);
  });

  test("one that does not stop either is abandoned, and its later end is ignored", async () => {
    const start = async (child: ChildContext): Promise<void> => {
      if (child.restarts > 0) return beating()(child);
      await sleep(500);
      throw new Error("late");
    };
    const trail = await run([watched(start, { shutdownMs: 50 })], {}, stopAt(1000));
    expect(trail.lines).toEqual(
      steps("0 started a", "150 abandoned a, 150 failed a, 150 restarting a, 150 started a, 1000 stopped a"),
    );
  });

  test("begins to listen when the child is ready", async () => {
    const start = async ({ ctx, ready }: ChildContext): Promise<void> => {
      await sleep(500, ctx);
      ready();
      await sleep(Number.POSITIVE_INFINITY, ctx);
    };
    const trail = await run([watched(start, { readyWithinMs: 1000 })], { intensity: 0 }, (supervisor) =>
      supervisor.wait().catch(() => {}),
    );
    expect(trail.lines).toEqual(steps("500 started a, 600 failed a, 600 gave-up a"));
  });

  test("a temporary child that falls silent is ended and not restarted", async () => {
    const trail = await run([watched(idle, { restart: "temporary" })], {}, (supervisor) => supervisor.wait());
    expect(trail.lines).toEqual(steps("0 started a, 100 failed a"));
  });

  test("takes siblings along as any failure does, and a stop meanwhile starts none again", async () => {
    const slow: ChildSpec["start"] = async ({ ctx }) => {
      await caught(sleep(Number.POSITIVE_INFINITY, ctx));
      await sleep(50);
    };
    const children = [watched(slow), { id: "b", start: idle }];
    const trail = await run(children, { strategy: "one-for-all" }, stopAt(120));
    expect(trail.lines.slice(2)).toEqual(steps("150 failed a, 150 stopped b"));
  });

  test("leaves no timer, however the child ends", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const children = [
          watched(() => sleep(10), { id: "ends", restart: "temporary" }),
          watched(idle, { id: "silent", restart: "temporary" }),
          watched(beating(90, 90, 90), { id: "stopped" }),
        ];
        const supervisor = new Supervisor(children);
        await sleep(200);
        await supervisor.stop();
      },
      { onEvent: (event) => events.push(event) },
    );
    const count = (kind: string): number => events.filter(({ k }) => k === kind).length;
    expect(count("timer.set")).toBe(count("timer.fire") + count("timer.clear"));
  });

  inBothRuntimes("a child that ends and falls silent at the same instant is told of once", async () => {
    const news: string[] = [];
    const supervisor = new Supervisor([watched(() => sleep(100), { restart: "transient" })], {
      onEvent: ({ type }) => news.push(type),
      intensity: 0,
    });
    await caught(supervisor.wait());
    expect(["started,ended", "started,failed,gave-up"]).toContain(news.join(","));
  });
});

test("a host that was held up is no silence of the child: what it waits for may be due only now", () => {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    after: (_delayMs, callback) => {
      due.push(callback);
      return { cancel: () => {} };
    },
  };
  let silent = 0;
  const watchdog = new Watchdog({ ...currentRuntime(), clock }, 100, () => silent++);
  for (let round = 0; round < 3; round++) {
    nowMs += 5000; // the loop was blocked; now its timers come first
    due.shift()?.();
    watchdog.beat(); // and then what the child was waiting for
    due.shift()?.();
  }
  expect([silent, due.length]).toEqual([0, 1]);
  nowMs += 5000;
  due.shift()?.();
  due.shift()?.();
  expect([silent, due.length]).toEqual([1, 0]);
});
