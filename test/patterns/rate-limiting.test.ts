import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { pick, seededRandom, systemRandom } from "../../src/core/random.ts";
import { useRuntime } from "../../src/core/runtime.ts";
import { background, withCancel, withDeadline, withTimeout } from "concurrency-model-patterns/context";
import { every, RateLimiter, type Reservation } from "concurrency-model-patterns/rate-limiting";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { random, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { failureOf } from "../support/outcomes.ts";

/** The tables count time in steps of 100 ms. */
const STEP_MS = 100;

type Row = readonly [step: number, tokens: number, ask: number, granted: boolean];

function limiterOf(perSecond: number, burst: number): RateLimiter {
  return new RateLimiter({ perSecond, burst });
}

/** Asks as the rows say, and fills in the tokens before it and the verdict as they are. */
function replay(limiter: RateLimiter, rows: readonly Row[]): Row[] {
  return rows.map(([step, , ask]) => {
    const tokens = Math.round(limiter.tokensAt(step * STEP_MS) * 1e6) / 1e6;
    return [step, tokens + 0, ask, limiter.allowAt(step * STEP_MS, ask)];
  });
}

function reserve(limiter: RateLimiter, step: number, ask: number, maxDelayMs?: number): Reservation {
  return limiter.reserveAt(step * STEP_MS, ask, { maxDelayMs });
}

/** The steps at which reservations may act, to the microsecond; Infinity for one that was refused. */
function actSteps(...reservations: readonly Reservation[]): number[] {
  return reservations.map(({ timeToActMs }) => Math.round(timeToActMs * 1000) / 1000 / STEP_MS);
}

const REFUSED = Number.POSITIVE_INFINITY;

describe("allow", () => {
  test("a bucket of 1 gives one token a step", () => {
    const rows: readonly Row[] = [
      [0, 1, 1, true],
      [0, 0, 1, false],
      [0, 0, 1, false],
      [1, 1, 1, true],
      [1, 0, 1, false],
      [1, 0, 1, false],
      [2, 1, 2, false],
      [2, 1, 1, true],
      [2, 0, 1, false],
    ];
    expect(replay(limiterOf(10, 1), rows)).toEqual(rows);
  });

  test("a bucket of 3 refills step by step and never above its burst", () => {
    const rows: readonly Row[] = [
      [0, 3, 2, true],
      [0, 1, 2, false],
      [0, 1, 1, true],
      [0, 0, 1, false],
      [1, 1, 4, false],
      [2, 2, 1, true],
      [3, 2, 1, true],
      [4, 2, 1, true],
      [4, 1, 1, true],
      [4, 0, 1, false],
      [4, 0, 1, false],
      [9, 3, 3, true],
      [9, 0, 0, true],
    ];
    expect(replay(limiterOf(10, 3), rows)).toEqual(rows);
  });

  test("an instant before the last one adds nothing", () => {
    const rows: readonly Row[] = [
      [1, 3, 1, true],
      [0, 2, 1, true],
      [0, 1, 1, true],
      [0, 0, 1, false],
      [0, 0, 1, false],
      [1, 1, 1, true],
      [1, 0, 1, false],
      [1, 0, 1, false],
      [2, 1, 1, true],
      [2, 0, 1, false],
      [2, 0, 1, false],
    ];
    expect(replay(limiterOf(10, 3), rows)).toEqual(rows);
  });

  test("nothing can be asked for without tokens, but not while tokens are owed", () => {
    const limiter = limiterOf(10, 1);
    const rows: readonly Row[] = [
      [0, 1, 1, true],
      [0, 0, 0, true],
    ];
    expect(replay(limiter, rows)).toEqual(rows);
    limiter.reserveAt(0);
    expect(replay(limiter, [[0, -1, 0, false]])).toEqual([[0, -1, 0, false]]);
  });

  test("of fifteen who ask at once, a burst of 5 serves exactly 5", () => {
    const limiter = limiterOf(1, 5);
    const verdicts = Array.from({ length: 15 }, () => limiter.allowAt(7));
    expect(verdicts.filter(Boolean)).toHaveLength(5);
  });

  test("in the long run it grants what the rate says, no more and hardly less", async () => {
    const { value: granted } = await simulate(async (ctx) => {
      const limiter = limiterOf(100, 100);
      let count = 0;
      while (now() < 5000) {
        if (limiter.allow()) count++;
        await sleep(2, ctx);
      }
      return count;
    });
    expect(granted).toBeLessThanOrEqual(601);
    expect(granted).toBeGreaterThanOrEqual(599);
  });

  test("uneven rates lose nothing to rounding", () => {
    expect(limiterOf(0.7692307692307693, 1).allow()).toBe(true);
    const limiter = limiterOf(3, 1);
    let granted = 0;
    for (let index = 0; index <= 3000; index++) if (limiter.allowAt((index * 1000) / 3)) granted++;
    expect(granted).toBe(3001);
  });

  test("a tiny rate does not overflow", () => {
    const limiter = limiterOf(1e-10, 1);
    expect(limiter.allowAt(0)).toBe(true);
    expect(limiter.allowAt(1000)).toBe(false);
    expect(limiter.reserveAt(0).timeToActMs).toBeCloseTo(1e13, 0);
  });

  test("a clock that goes back mints no tokens", () => {
    let nowMs = 1000;
    useRuntime({ clock: { ...systemClock, now: () => nowMs }, random: { next: () => 0 } });
    try {
      const limiter = limiterOf(10, 1);
      expect(limiter.allow()).toBe(true);
      for (const readingMs of [0, 900, 0, 900, 1000]) {
        nowMs = readingMs;
        expect(limiter.allow()).toBe(false);
      }
      nowMs = 1100;
      expect(limiter.allow()).toBe(true);
    } finally {
      useRuntime();
    }
  });
});

describe("reserve", () => {
  test("puts each reservation behind the one before", () => {
    const limiter = limiterOf(10, 2);
    const all = [reserve(limiter, 0, 2), reserve(limiter, 0, 2), reserve(limiter, 3, 2)];
    expect(actSteps(...all)).toEqual([0, 2, 4]);
  });

  test("mixes with allow", () => {
    const limiter = limiterOf(10, 2);
    expect(actSteps(reserve(limiter, 0, 3), reserve(limiter, 0, 2))).toEqual([REFUSED, 0]);
    expect(replay(limiter, [[1, 1, 2, false]])).toEqual([[1, 1, 2, false]]);
    expect(actSteps(reserve(limiter, 1, 2))).toEqual([2]);
    const rows: readonly Row[] = [
      [1, -1, 1, false],
      [3, 1, 1, true],
    ];
    expect(replay(limiter, rows)).toEqual(rows);
  });

  test("goes back in time as Go does", () => {
    const limiter = limiterOf(10, 2);
    const all = [
      reserve(limiter, 1, 2),
      reserve(limiter, 0, 1),
      reserve(limiter, 2, 2),
      reserve(limiter, 0, 3),
      reserve(limiter, 2, 1),
      reserve(limiter, 0, 2, STEP_MS),
      reserve(limiter, 2, 1),
    ];
    expect(actSteps(...all)).toEqual([1, 1, 3, REFUSED, 4, REFUSED, 5]);
  });

  test("refuses what is further off than the caller would wait", () => {
    const limiter = limiterOf(10, 2);
    const all = [2, 1, 1].map((ask) => reserve(limiter, 0, ask, STEP_MS));
    expect(actSteps(...all)).toEqual([0, 1, REFUSED]);
    expect(all.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(all[2]?.delayFrom(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("tells the delay from now, and from any instant", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 1);
      limiter.allow();
      const reservation = limiter.reserve();
      expect(reservation.delayMs).toBe(100);
      await sleep(40, ctx);
      expect(reservation.delayMs).toBe(60);
      expect(reservation.delayFrom(90)).toBe(10);
      expect(reservation.delayFrom(200)).toBe(0);
    });
  });
});

describe("cancelling a reservation", () => {
  test("gives nothing back if it was refused", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 0, 2);
    reserve(limiter, 0, 3).cancelAt(0);
    expect(actSteps(reserve(limiter, 0, 2))).toEqual([2]);
  });

  test("gives all back if it was the last", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 0, 2);
    reserve(limiter, 0, 2).cancelAt(100);
    expect(actSteps(reserve(limiter, 1, 2))).toEqual([2]);
  });

  test("gives nothing back once its time has passed", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 0, 2);
    reserve(limiter, 0, 2).cancelAt(300);
    expect(actSteps(reserve(limiter, 3, 2))).toEqual([4]);
  });

  test("does not give back what was reserved behind it: none of 1", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 0, 2);
    const [cancelled, behind] = [reserve(limiter, 0, 1), reserve(limiter, 0, 1)];
    cancelled.cancelAt(0);
    expect(actSteps(cancelled, behind, reserve(limiter, 0, 1))).toEqual([1, 2, 3]);
  });

  test("does not give back what was reserved behind it: 1 of 2", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 0, 2);
    const [cancelled, behind] = [reserve(limiter, 0, 2), reserve(limiter, 0, 1)];
    cancelled.cancelAt(200);
    expect(actSteps(cancelled, behind, reserve(limiter, 2, 2))).toEqual([2, 3, 4]);
  });

  test("gives back what two of them held", () => {
    const limiter = limiterOf(10, 4);
    reserve(limiter, 0, 4);
    const [first, middle, last] = [
      reserve(limiter, 0, 3),
      reserve(limiter, 0, 1),
      reserve(limiter, 0, 1),
    ] as const;
    last.cancelAt(100);
    first.cancelAt(100);
    expect(actSteps(first, middle, last, reserve(limiter, 1, 3))).toEqual([3, 4, 5, 5]);
  });

  test("works at an instant before the last one", () => {
    const limiter = limiterOf(10, 2);
    reserve(limiter, 1, 2);
    const [cancelled, behind] = [reserve(limiter, 1, 2), reserve(limiter, 1, 1)];
    cancelled.cancelAt(0);
    expect(actSteps(cancelled, behind, reserve(limiter, 1, 2))).toEqual([3, 4, 4]);
  });

  test("twice gives back once", () => {
    const limiter = limiterOf(10, 10);
    reserve(limiter, 0, 10);
    const reservation = reserve(limiter, 0, 5);
    expect(limiter.tokensAt(0)).toBeCloseTo(-5, 6);
    reservation.cancelAt(0);
    expect(limiter.tokensAt(0)).toBeCloseTo(0, 6);
    reservation.cancelAt(0);
    reservation.cancel();
    expect(limiter.tokensAt(0)).toBeCloseTo(0, 6);
  });

  test("gives back all that nobody stands behind, one after the other from the end, also where instants round", () => {
    const limiter = limiterOf(0.5, 5);
    limiter.allowAt(400, 1);
    limiter.allowAt(500, 2);
    limiter.reserveAt(820, 2);
    const instants = [890, 1040, 1180, 1240];
    const [kept, ...others] = [3, 3, 1, 4].map((ask, index) => limiter.reserveAt(instants[index] ?? 0, ask));
    for (const [index, reservation] of others.toReversed().entries()) reservation.cancelAt(1540 + index * 80);
    expect(kept?.timeToActMs).toBeCloseTo(6400, 3);
    expect(limiter.tokensAt(1710)).toBeCloseTo(-2.345, 6);
  });

  test("gives all back though one that was further off was cancelled before", () => {
    const limiter = limiterOf(0.5, 4);
    limiter.allowAt(300, 4);
    limiter.reserveAt(820, 3).cancelAt(830);
    const reservation = limiter.reserveAt(950, 1);
    expect(reservation.timeToActMs).toBeCloseTo(2300, 3);
    reservation.cancelAt(1180);
    expect(limiter.reserveAt(1470, 4).timeToActMs).toBeCloseTo(8300, 3);
  });

  test("gives all back if it stood in the gap that another one left", () => {
    const limiter = limiterOf(0.5, 4);
    limiter.allowAt(0, 4);
    const [gap, last] = [limiter.reserveAt(1000, 4), limiter.reserveAt(1000, 1)];
    gap.cancelAt(1200);
    const filling = limiter.reserveAt(1300, 1);
    filling.cancelAt(1500);
    const again = limiter.reserveAt(1700, 1);
    const instants = [gap, last, filling, again].map(
      ({ timeToActMs }) => Math.round(timeToActMs * 1000) / 1000,
    );
    expect(instants).toEqual([8000, 10_000, 6000, 6000]);
  });

  test("never gives back more than it held, though an earlier gap was filled again", () => {
    const limiter = limiterOf(10, 3);
    reserve(limiter, 0, 3);
    const [gap, last] = [reserve(limiter, 0, 3), reserve(limiter, 0, 1)];
    gap.cancelAt(0);
    const filled = reserve(limiter, 0, 1);
    last.cancelAt(0);
    expect(actSteps(gap, last, filled)).toEqual([3, 4, 3]);
    expect(limiter.tokensAt(0)).toBeCloseTo(-2, 6);
  });
});

describe("reserving and cancelling in any order", () => {
  test("never promises more than the bucket allows, in any span of time", () => {
    for (let seed = 0; seed < 3000; seed++) {
      const source = seededRandom(seed);
      const below = (count: number): number => pick(source, count);
      const limiter = limiterOf(10, 4);
      const held = new Map<Reservation, number>();
      let nowMs = 0;
      for (let step = 0; step < 40; step++) {
        nowMs += below(5) * 17;
        const pending = [...held.keys()].filter(({ timeToActMs }) => timeToActMs > nowMs);
        const cancelled = below(2) === 0 ? pending[below(pending.length)] : undefined;
        const ask = below(4) + 1;
        cancelled?.cancelAt(nowMs);
        if (cancelled === undefined) held.set(limiter.reserveAt(nowMs, ask), ask);
        else held.delete(cancelled);
      }
      const grants = [...held].map(([{ timeToActMs }, tokens]) => ({ atMs: timeToActMs, tokens }));
      expect(mostAtOnce(grants, 10), `seed ${seed}`).toBeLessThanOrEqual(4 + 1e-6);
    }
  });
});

describe("changing the limits", () => {
  test("a new rate holds for new reservations", () => {
    const limiter = limiterOf(5, 2);
    const before = [reserve(limiter, 0, 2), reserve(limiter, 0, 2)];
    limiter.setLimitAt(200, 10);
    expect(actSteps(...before, reserve(limiter, 2, 1))).toEqual([0, 4, 4]);
  });

  test("a new burst holds for new reservations", () => {
    const limiter = limiterOf(5, 2);
    const before = [reserve(limiter, 0, 2), reserve(limiter, 0, 2)];
    limiter.setBurstAt(300, 4);
    expect(actSteps(...before, reserve(limiter, 0, 4))).toEqual([0, 4, 9]);
  });

  test("a reservation is given back by the rate it was made with", () => {
    const limiter = limiterOf(5, 2);
    reserve(limiter, 0, 2);
    const reservation = reserve(limiter, 0, 2);
    limiter.setLimitAt(200, 10);
    reservation.cancelAt(200);
    expect(actSteps(reservation, reserve(limiter, 2, 2))).toEqual([4, 3]);
  });

  test("a lower burst clips the tokens, a higher one keeps them", () => {
    const limiter = limiterOf(10, 10);
    limiter.setBurstAt(0, 4);
    expect(limiter.tokensAt(0)).toBeCloseTo(4, 6);
    expect(limiter.allowAt(0, 4)).toBe(true);
    limiter.setBurstAt(0, 10);
    expect(limiter.tokensAt(0)).toBeCloseTo(0, 6);
    expect(limiter.tokensAt(500)).toBeCloseTo(5, 6);
    expect(limiter.tokensAt(5000)).toBeCloseTo(10, 6);
    expect(limiter.burst).toBe(10);
  });

  test("an infinite rate grants everything, whatever the burst", () => {
    const limiter = limiterOf(Number.POSITIVE_INFINITY, 0);
    expect(limiter.allowAt(0, 1_000_000)).toBe(true);
    const reservation = reserve(limiter, 0, 5);
    expect(actSteps(reservation)).toEqual([0]);
    limiter.setLimitAt(0, 10);
    reservation.cancelAt(0);
    expect(limiter.tokensAt(0)).toBe(0);
  });

  test("a burst of 0 grants nothing but nothing", () => {
    const limiter = limiterOf(10, 0);
    expect(limiter.allowAt(1000, 0)).toBe(true);
    expect(limiter.allowAt(1000, 1)).toBe(false);
    expect(reserve(limiter, 10, 1).ok).toBe(false);
  });

  test("a rate of 0 grants the first burst, and more only when it is raised", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(0, 1);
      expect([limiter.allow(), limiter.allow()]).toEqual([true, false]);
      expect(limiter.reserve().delayMs).toBe(Number.POSITIVE_INFINITY);
      const waiting = limiter.wait(1, ctx);
      await sleep(5000, ctx);
      limiter.setLimit(10);
      await waiting;
      expect(now()).toBeCloseTo(5100, 3);
    });
  });

  test("every turns an interval into a rate", () => {
    const table = [
      [0, Number.POSITIVE_INFINITY],
      [-1, Number.POSITIVE_INFINITY],
      [10, 100],
      [1000, 1],
      [2500, 0.4],
    ] as const;
    for (const [intervalMs, perSecond] of table) expect(every(intervalMs)).toBe(perSecond);
  });

  test("those who wait follow a new rate and a new burst", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(1, 5);
      limiter.allow(5);
      const wait = limiter.wait(5, ctx);
      await sleep(1000, ctx);
      limiter.setLimit(2);
      await sleep(500, ctx);
      limiter.setBurst(3);
      await wait;
      expect(now()).toBeCloseTo(2000, 3);
      expect(limiter.tokens).toBeCloseTo(-2, 6);
      const rest = limiter.wait(3, ctx);
      limiter.setLimit(Number.POSITIVE_INFINITY);
      await rest;
      expect(now()).toBeCloseTo(2000, 3);
    });
  });
});

describe("wait", () => {
  test("takes tokens that are there at once, and waits for those that are not", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 3);
      await limiter.wait(2, ctx);
      expect(now()).toBe(0);
      await limiter.wait(3, ctx);
      expect(now()).toBeCloseTo(200, 3);
      expect(limiter.waiting).toBe(0);
    });
  });

  test("fails at once if it is given up already, asks too much, or would miss its deadline", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 3);
      const reason = new Error("given up");
      const { ctx: ended, cancel } = withCancel(ctx);
      cancel(reason);
      expect(await failureOf(limiter.wait(1, ended))).toBe(reason);
      expect(await failureOf(limiter.wait(4, ctx))).toMatchObject({
        code: "LIMIT",
        reason: "burst",
        message: "wait for 4 tokens exceeds limiter's burst 3",
      });
      limiter.allow(3);
      const tight = withTimeout(ctx, 150);
      expect(await failureOf(limiter.wait(2, tight.ctx))).toMatchObject({
        code: "LIMIT",
        reason: "deadline",
      });
      tight.cancel();
      expect([now(), limiter.tokens, limiter.waiting]).toEqual([0, 0, 0]);
      const enough = withDeadline(ctx, 200);
      await limiter.wait(1, enough.ctx);
      enough.cancel();
      expect(now()).toBe(100);
    });
  });

  test("fails at once by the earlier of its own deadline and that of its context", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 1);
      limiter.allow();
      const tight = withTimeout(ctx, 50);
      for (const [signal, deadlineMs] of [
        [tight.ctx.signal, 500],
        [ctx.signal, 50],
      ] as const) {
        const late = await failureOf(limiter.wait(1, { signal, deadlineMs }));
        expect(late).toMatchObject({ code: "LIMIT", reason: "deadline" });
      }
      expect([now(), limiter.tokens]).toEqual([0, 0]);
      tight.cancel();
    });
  });

  test("with an infinite rate takes any number at once, whatever the burst", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(Number.POSITIVE_INFINITY, 0);
      for (const tokens of [1, 7, 1_000_000]) await limiter.wait(tokens, ctx);
      expect([now(), limiter.waiting]).toEqual([0, 0]);
    });
  });

  test("serves first come, first served, and lets nobody overtake", async () => {
    await simulate(
      async (ctx) => {
        const limiter = limiterOf(10, 3);
        limiter.allow(3);
        const order: [number, number][] = [];
        await TaskGroup.run(
          async (group) => {
            const waits = [3, 1, 2, 1].map((ask, index) =>
              limiter.wait(ask, group.ctx).then(() => order.push([index, Math.round(now())])),
            );
            await sleep(290, group.ctx);
            expect(limiter.allow()).toBe(false);
            await Promise.all(waits);
          },
          { signal: ctx.signal },
        );
        expect(order.map(([index]) => index)).toEqual([0, 1, 2, 3]);
        expect(order.map(([, atMs]) => atMs)).toEqual([300, 400, 600, 700]);
      },
      { seed: 1 },
    );
  });

  test("one that is given up takes nothing, and those behind it move up", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 1);
      limiter.allow();
      const { ctx: some, cancel } = withCancel(ctx);
      const reason = new Error("given up");
      const failures = Array.from({ length: 50 }, () => failureOf(limiter.wait(1, some)));
      const last = limiter.wait(1, ctx);
      await sleep(10, ctx);
      expect([limiter.waiting, Math.round(limiter.tokens)]).toEqual([51, -51]);
      cancel(reason);
      expect(new Set(await Promise.all(failures))).toEqual(new Set([reason]));
      expect(limiter.waiting).toBe(1);
      await last;
      expect(now()).toBeCloseTo(100, 3);
    });
  });

  test("the one in front can be given up, and the next does not wait any longer than it must", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 5);
      limiter.allow(5);
      const { ctx: large, cancel } = withCancel(ctx);
      const failure = failureOf(limiter.wait(5, large));
      const small = limiter.wait(1, ctx);
      await sleep(250, ctx);
      cancel();
      await small;
      expect(now()).toBe(250);
      expect(await failure).toMatchObject({ code: "CANCELED" });
      expect(limiter.tokens).toBeCloseTo(1.5, 6);
    });
  });

  test("two that are given up at once both leave, though the second would have fitted", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 5);
      limiter.allow(5);
      const { ctx: scope, cancel } = withCancel(ctx);
      const failures = [failureOf(limiter.wait(5, scope)), failureOf(limiter.wait(1, scope))];
      await sleep(250, ctx);
      cancel();
      expect(await Promise.all(failures)).toMatchObject([{ code: "CANCELED" }, { code: "CANCELED" }]);
      expect(limiter.tokens).toBeCloseTo(2.5, 6);
    });
  });

  test("giving up after the grant changes nothing", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 1);
      const { ctx: scope, cancel } = withCancel(ctx);
      await limiter.wait(1, scope);
      cancel();
      expect(limiter.tokens).toBe(0);
    });
  });

  test("a reservation comes behind those who wait, and neither moves the other back", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 1);
      limiter.allow();
      const { ctx: scope, cancel } = withCancel(ctx);
      const instants: number[] = [];
      const note = (): number => instants.push(Math.round(now()));
      const first = limiter.wait(1, ctx).then(note);
      const givenUp = failureOf(limiter.wait(1, scope));
      await sleep(0, ctx);
      expect(limiter.reserve().timeToActMs).toBeCloseTo(300, 3);
      const behind = limiter.wait(1, ctx).then(note);
      await sleep(0, ctx);
      expect(limiter.waiting).toBe(3);
      cancel();
      await Promise.all([first, givenUp, behind]);
      expect(instants).toEqual([100, 400]);
      expect(limiter.waiting).toBe(0);
    });
  });

  test("those who wait move up when a reservation before them is cancelled", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(10, 2);
      limiter.allow(2);
      const reservation = limiter.reserve(2);
      const wait = limiter.wait(1, ctx);
      await sleep(50, ctx);
      reservation.cancel();
      await wait;
      expect(now()).toBeCloseTo(100, 3);
    });
  });

  test("grants with a burst of 1 are evenly spaced", async () => {
    await simulate(async (ctx) => {
      const limiter = limiterOf(2, 1);
      const instants: number[] = [];
      for (let index = 0; index < 6; index++) {
        await limiter.wait(1, ctx);
        instants.push(now());
        if (index === 3) await sleep(700, ctx);
      }
      expect(instants).toEqual([0, 500, 1000, 1500, 2200, 2700]);
    });
  });

  test("never grants more than the bucket allows, in any span of time, however it is used", async () => {
    for (let seed = 0; seed < 200; seed++) {
      expect(mostAtOnce(await randomUse(seed), 20), `seed ${seed}`).toBeLessThanOrEqual(4 + 1e-6);
    }
  });

  test("records every verdict", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async (ctx) => {
        const limiter = new RateLimiter({ perSecond: 10, burst: 1, name: "api" });
        limiter.allow();
        limiter.allow();
        await limiter.wait(1, ctx);
      },
      { seed: 1, onEvent: (event) => events.push(event) },
    );
    const verdicts = events.filter(({ k }) => k.startsWith("limit."));
    expect(verdicts).toMatchObject([
      { k: "limit.grant", tokens: 0, wait: 0, t: 0 },
      { k: "limit.deny", tokens: 0, t: 0 },
      { k: "limit.grant", tokens: 0, wait: 100_000, t: 100_000 },
    ]);
    expect(events).toContainEqual(expect.objectContaining({ k: "res.new", type: "limiter", name: "api" }));
  });

  test("works the same without a simulation", async () => {
    const limiter = limiterOf(1000, 1);
    const startMs = now();
    for (let index = 0; index < 4; index++) await limiter.wait();
    expect(now() - startMs).toBeGreaterThanOrEqual(3 - 1e-3);
    expect(limiter.waiting).toBe(0);
  });

  test("sets one timer for all who wait, and none when nobody does", async () => {
    const timers = new Set<object>();
    useRuntime({ clock: countingClock(timers), random: systemRandom });
    try {
      const limiter = limiterOf(0.001, 1);
      limiter.allow();
      expect(timers.size).toBe(0);
      const { ctx, cancel } = withCancel(background);
      const failures = [failureOf(limiter.wait(1, ctx)), failureOf(limiter.wait(1, ctx))];
      expect([limiter.waiting, timers.size]).toEqual([2, 1]);
      cancel();
      expect(await Promise.all(failures)).toMatchObject([{ code: "CANCELED" }, { code: "CANCELED" }]);
      expect([limiter.waiting, timers.size]).toEqual([0, 0]);
    } finally {
      useRuntime();
    }
  });

  test("twenty thousand who wait can all be given up", async () => {
    const limiter = limiterOf(0.001, 1);
    limiter.allow();
    const { ctx, cancel } = withCancel(background);
    const waits = Array.from({ length: 20_000 }, () => limiter.wait(1, ctx));
    expect(limiter.waiting).toBe(20_000);
    cancel();
    const outcomes = await Promise.allSettled(waits);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(limiter.waiting).toBe(0);
  });
});

describe("arguments", () => {
  test("are checked at the call", () => {
    const wrong = [Number.NaN, -1, "3", undefined, null, 2n];
    for (const value of wrong as number[]) {
      expect(() => limiterOf(value, 1)).toThrow("perSecond must be");
      expect(() => limiterOf(1, value)).toThrow("burst must be");
      if (value !== undefined) expect(() => limiterOf(1, 1).wait(value)).toThrow("n must be");
      expect(() => limiterOf(1, 1).allowAt(value)).toThrow("nowMs must be");
      expect(() => limiterOf(1, 1).setLimit(value)).toThrow("perSecond must be");
      expect(() => limiterOf(1, 1).setBurst(value)).toThrow("burst must be");
    }
    for (const deadlineMs of [Number.NaN, "3", {}] as number[]) {
      expect(() => limiterOf(1, 1).wait(1, { deadlineMs })).toThrow("deadlineMs must be");
    }
    expect(() => limiterOf(1, 1).allow(1.5)).toThrow(RangeError);
    expect(() => limiterOf(1, Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(() => every(Number.NaN)).toThrow("intervalMs");
  });
});

/** The system's clock; those of its timers that are set stand in `timers`. */
function countingClock(timers: Set<object>): Clock {
  return {
    now: () => systemClock.now(),
    after: (delayMs, callback) => {
      const timer = systemClock.after(delayMs, () => {
        timers.delete(timer);
        callback();
      });
      timers.add(timer);
      return {
        cancel: () => {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
  };
}

interface Grant {
  readonly atMs: number;
  readonly tokens: number;
}

/** The burst that a bucket would need to grant all this: over every span of time, what was granted beyond the rate. */
function mostAtOnce(grants: readonly Grant[], perSecond: number): number {
  const sorted = grants.toSorted((one, other) => one.atMs - other.atMs);
  let most = 0;
  for (const [index, from] of sorted.entries()) {
    let sum = 0;
    for (const { atMs, tokens } of sorted.slice(index)) {
      sum += tokens;
      most = Math.max(most, sum - ((atMs - from.atMs) / 1000) * perSecond);
    }
  }
  return most;
}

/** Some tasks that use a limiter of 20 a second and a burst of 4 in every way there is, and give up now and then. */
async function randomUse(seed: number): Promise<Grant[]> {
  const grants: Grant[] = [];
  const below = (count: number): number => Math.floor(random() * count);
  await simulate(
    async (ctx) => {
      const limiter = limiterOf(20, 4);
      const use = async (): Promise<void> => {
        const tokens = below(5);
        const kind = below(3);
        if (kind === 0 && limiter.allow(tokens)) grants.push({ atMs: now(), tokens });
        if (kind === 1) {
          const reservation = limiter.reserve(tokens);
          await sleep(Math.min(reservation.delayMs, below(200)), ctx);
          if (below(2) === 0) reservation.cancel();
          else grants.push({ atMs: reservation.timeToActMs, tokens });
        }
        if (kind === 2) {
          const { ctx: scope, cancel } = withCancel(ctx);
          const wait = limiter.wait(tokens, scope).then(
            () => grants.push({ atMs: now(), tokens }),
            () => 0,
          );
          await sleep(below(300), ctx);
          if (below(2) === 0) cancel();
          await wait;
          cancel();
        }
      };
      await TaskGroup.run(
        (group) => {
          for (let task = 0; task < 6; task++) {
            group.go(async () => {
              for (let round = 0; round < 5; round++) await use();
            });
          }
        },
        { signal: ctx.signal },
      );
      expect(limiter.waiting).toBe(0);
    },
    { seed },
  );
  return grants;
}
