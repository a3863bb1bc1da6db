import { exponentialDelay } from "concurrency-model-patterns/schedule";
import { type ChildContext, Supervisor } from "concurrency-model-patterns/supervisor";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { plainly } from "../support/idle-clock.ts";
import { abc, caught, failing, run, steps, stopAt } from "../support/supervision.ts";

const FOREVER = { intensity: Number.POSITIVE_INFINITY } as const;

/** Doubles, from 10. */
const doubling = (restarts: number): number => 10 * 2 ** (restarts - 1);

const delaysOf = (events: readonly { readonly type: string }[]): unknown[] =>
  events.flatMap((event) => ("delayMs" in event ? [event.delayMs] : []));

describe("a delay that is a function", () => {
  test("grows with each restart in a row, and begins anew after a healthy life", async () => {
    const children = [{ id: "a", start: failing(0, 0, 99, 100, 0, 0) }];
    const options = { ...FOREVER, restartDelayMs: doubling, healthyAfterMs: 100 };
    const trail = await run(children, options, stopAt(1000));
    expect(delaysOf(trail.events)).toEqual([10, 20, 40, 10, 20, 40]);
  });

  test.each([
    ["periodMs", { periodMs: 50 }, [10, 10, 10]],
    ["0, so that every life is healthy", { healthyAfterMs: 0 }, [10, 10, 10]],
    ["Infinity, so that none is", { healthyAfterMs: Number.POSITIVE_INFINITY }, [10, 20, 40]],
    ["5000", {}, [10, 20, 40]],
  ])("healthyAfterMs is %s", async (_, options, delays) => {
    const children = [{ id: "a", start: failing(50, 50, 50) }];
    const trail = await run(children, { ...FOREVER, restartDelayMs: doubling, ...options }, stopAt(1000));
    expect(delaysOf(trail.events)).toEqual(delays);
  });

  test("each child has a row of its own, and a bystander's does not grow", async () => {
    const children = abc({ a: failing(1, 1), b: failing(Number.POSITIVE_INFINITY, 50) });
    const options = { ...FOREVER, restartDelayMs: doubling, strategy: "one-for-all" } as const;
    const trail = await run(children, options, stopAt(500));
    const announced = trail.events.flatMap((event) =>
      event.type === "restarting" ? [`${event.id} ${event.delayMs}`] : [],
    );
    expect(announced).toEqual(["a 10", "a 20"]);
  });

  test("only the time after it is ready counts as healthy, and a failed start counts as none", async () => {
    const start = async ({ ctx, ready, restarts }: ChildContext): Promise<void> => {
      if (restarts > 0) {
        await sleep(200, ctx);
        throw new Error("not up");
      }
      ready();
      throw new Error("down");
    };
    const children = [{ id: "a", readyWithinMs: 1000, start }];
    const options = { ...FOREVER, restartDelayMs: doubling, healthyAfterMs: 100 };
    const trail = await run(children, options, stopAt(700));
    expect(delaysOf(trail.events)).toEqual([10, 20, 40, 80]);
  });

  test("is told the row, the delay before and the failure", async () => {
    const told: unknown[] = [];
    const restartDelayMs = (...facts: unknown[]): number => {
      told.push(facts);
      return 7 * told.length;
    };
    await run([{ id: "a", start: failing(0, 0) }], { ...FOREVER, restartDelayMs }, stopAt(100));
    expect(told).toMatchObject([
      [1, 0, { message: "failure 1" }],
      [2, 7, { message: "failure 2" }],
    ]);
  });

  test("that breaks, or gives no number, ends the supervisor and is told", async () => {
    const broken = new Error("no delay");
    const delays = [
      () => {
        throw broken;
      },
      () => Number.NaN,
    ];
    const errors: unknown[] = [];
    for (const restartDelayMs of delays) {
      const trail = await run(abc({ a: failing(10) }), { restartDelayMs }, async (supervisor) => {
        errors.push(await caught(supervisor.wait()));
      });
      expect(trail.lines.slice(3)).toEqual(steps("10 failed a, 10 stopped c, 10 stopped b"));
    }
    expect(errors[0]).toBe(broken);
    expect(errors[1]).toMatchObject({
      name: "RangeError",
      message: expect.stringContaining("restartDelayMs(1)"),
    });
  });

  test("that is Infinity allows no further restart: the supervisor gives up, however many are left", async () => {
    const restartDelayMs = (restarts: number): number => (restarts === 3 ? Number.POSITIVE_INFINITY : 10);
    const errors: unknown[] = [];
    const children = abc({ a: failing(1, 1, 1) });
    const trail = await run(children, { ...FOREVER, restartDelayMs }, async (supervisor) => {
      errors.push(await caught(supervisor.wait()), supervisor.restarts);
    });
    expect(errors).toMatchObject([
      {
        code: "GAVE_UP",
        message: 'child "a" failed, and its delay allows no further restart',
        cause: { message: "failure 3" },
        history: [{ id: "a", after: "failed", atMs: 23 }],
      },
      2,
    ]);
    expect(trail.lines.slice(-4)).toEqual(steps("23 failed a, 23 gave-up a, 23 stopped c, 23 stopped b"));
  });

  test("can be one of the schedules that retry takes", async () => {
    const restartDelayMs = exponentialDelay({ firstMs: 10, factor: 3, maxMs: 50, jitter: 0 });
    const trail = await run(
      [{ id: "a", start: failing(0, 0, 0) }],
      { ...FOREVER, restartDelayMs },
      stopAt(500),
    );
    expect(delaysOf(trail.events)).toEqual([10, 30, 50]);
  });

  test("in the plain runtime too", async () => {
    const starts: number[] = [];
    await plainly(async () => {
      const start = ({ restarts }: ChildContext): void => {
        starts.push(now());
        if (restarts < 3) throw new Error("not yet");
      };
      const child = { id: "a", restart: "transient", start } as const;
      await new Supervisor([child], { ...FOREVER, restartDelayMs: doubling }).wait();
    });
    expect(starts).toEqual([0, 10, 30, 70]);
  });
});
