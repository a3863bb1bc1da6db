import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import type { LineLimiter } from "concurrency-model-patterns/rate-limiting/composite";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { SlidingCounterLimiter } from "concurrency-model-patterns/rate-limiting/sliding-counter";
import { SlidingLogLimiter } from "concurrency-model-patterns/rate-limiting/sliding-log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/core/random.ts";
import { useRuntime } from "../../../src/core/runtime.ts";

/** The clock's time; the tests turn its hands. */
let nowMs = 0;

beforeEach(() => {
  nowMs = 0;
  const after = (): never => {
    throw new Error("a timer was set");
  };
  useRuntime({ clock: { now: () => nowMs, after }, random: { next: () => 0 } });
});
afterEach(() => useRuntime());

type Row = readonly [atMs: number, ask: number, granted: boolean];

function replay(limiter: LineLimiter, rows: readonly Row[]): Row[] {
  return rows.map(([atMs, ask]) => {
    nowMs = atMs;
    return [atMs, ask, limiter.allow(ask)];
  });
}

const window = { limit: 3, windowMs: 100 };

const tables: Record<string, readonly [make: () => LineLimiter, rows: readonly Row[]]> = {
  "a GCRA of 3 gives back one token each 100 ms and never holds more than its burst": [
    () => new GcraLimiter({ perSecond: 10, burst: 3 }),
    [
      [0, 2, true],
      [0, 2, false],
      [0, 1, true],
      [0, 1, false],
      [0, 0, true],
      [99, 1, false],
      [100, 4, false],
      [200, 1, true],
      [200, 2, false],
      [200, 1, true],
      [900, 3, true],
      [900, 1, false],
    ],
  ],
  "a GCRA of 1 spaces grants evenly": [
    () => new GcraLimiter({ perSecond: 10, burst: 1 }),
    [
      [50, 1, true],
      [149, 1, false],
      [150, 1, true],
      [1000, 1, true],
      [1000, 1, false],
    ],
  ],
  "a fixed window begins with the first grant and gives all anew at its end": [
    () => new FixedWindowLimiter(window),
    [
      [40, 1, true],
      [139, 2, true],
      [139, 1, false],
      [139, 0, true],
      [140, 3, true],
      [239, 1, false],
      [240, 4, false],
      [500, 3, true],
      [599, 1, false],
    ],
  ],
  "a sliding log frees each grant one window after it": [
    () => new SlidingLogLimiter(window),
    [
      [0, 1, true],
      [40, 1, true],
      [90, 1, true],
      [99, 1, false],
      [100, 2, false],
      [100, 1, true],
      [139, 1, false],
      [140, 1, true],
      [190, 2, false],
      [200, 2, true],
      [200, 0, true],
      [200, 1, false],
    ],
  ],
  "a sliding counter lets the last window fade": [
    () => new SlidingCounterLimiter({ limit: 10, windowMs: 100 }),
    [
      [0, 10, true],
      [99, 1, false],
      [100, 1, false],
      [109, 1, false],
      [110, 1, true],
      [150, 5, false],
      [150, 4, true],
      [200, 5, true],
      [200, 1, false],
      [500, 11, false],
      [500, 10, true],
    ],
  ],
};

describe("allow", () => {
  test.each(Object.entries(tables))("%s", (_, [make, rows]) => {
    expect(replay(make(), rows)).toEqual(rows);
  });
});

const kinds: Record<string, (limit: number, windowMs: number) => LineLimiter> = {
  gcra: (limit, windowMs) => new GcraLimiter({ perSecond: (limit / windowMs) * 1000, burst: limit }),
  "fixed window": (limit, windowMs) => new FixedWindowLimiter({ limit, windowMs }),
  "sliding log": (limit, windowMs) => new SlidingLogLimiter({ limit, windowMs }),
  "sliding counter": (limit, windowMs) => new SlidingCounterLimiter({ limit, windowMs }),
};

interface Ask {
  readonly atMs: number;
  readonly tokens: number;
  readonly granted: boolean;
}

/** Asks at random instants, often several at one, now and then after a pause. */
function randomAsks(seed: number, limiter: { allow(n: number): boolean }, count = 200): Ask[] {
  const random = seededRandom(seed);
  const below = (end: number): number => Math.floor(random.next() * end);
  nowMs = 0;
  return Array.from({ length: count }, () => {
    nowMs += [0, 0, below(10), below(40), below(300)][below(5)] ?? 0;
    const tokens = below(4);
    return { atMs: nowMs, tokens, granted: limiter.allow(tokens) };
  });
}

/** The most that was granted in any span of so long, its end not included. */
function mostIn(asks: readonly Ask[], spanMs: number): number {
  const grants = asks.filter(({ granted }) => granted);
  const sums = grants.map(({ atMs: fromMs }) =>
    grants
      .filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + spanMs)
      .reduce((sum, { tokens }) => sum + tokens, 0),
  );
  return Math.max(0, ...sums);
}

describe("how much is granted", () => {
  test("a sliding log grants what fits in every window, and nothing else", () => {
    for (let seed = 0; seed < 100; seed++) {
      const asks = randomAsks(seed, new SlidingLogLimiter({ limit: 5, windowMs: 100 }));
      const expected: Ask[] = [];
      for (const { atMs, tokens } of asks) {
        const used = expected
          .filter((ask) => ask.granted && ask.atMs + 100 > atMs)
          .reduce((sum, ask) => sum + ask.tokens, 0);
        expected.push({ atMs, tokens, granted: used + tokens <= 5 });
      }
      expect(asks, `seed ${seed}`).toEqual(expected);
    }
  });

  test("a GCRA grants what the token bucket grants, and decides as it does", () => {
    for (let seed = 0; seed < 30; seed++) {
      const bucket = new RateLimiter({ perSecond: 50, burst: 5 });
      const gcra = new GcraLimiter({ perSecond: 50, burst: 5 });
      const both = (n: number): boolean => {
        const [one, other] = [bucket.check(n), gcra.check(n)];
        expect([one.ok, one.remaining], `seed ${seed}`).toEqual([other.ok, other.remaining]);
        expect(one.retryAfterMs).toBeCloseTo(other.retryAfterMs, 6);
        expect(one.resetAfterMs).toBeCloseTo(other.resetAfterMs, 6);
        const verdict = gcra.allow(n);
        expect(bucket.allow(n), `seed ${seed}`).toBe(verdict);
        return verdict;
      };
      expect(randomAsks(seed, { allow: both }).some(({ granted }) => !granted)).toBe(true);
    }
  });

  test("fixed windows and sliding counters stay below twice their limit in any span", () => {
    for (let seed = 0; seed < 100; seed++) {
      const fixed = new FixedWindowLimiter({ limit: 5, windowMs: 100 });
      expect(mostIn(randomAsks(seed, fixed), 100), `seed ${seed}`).toBeLessThan(10);
      const counter = new SlidingCounterLimiter({ limit: 5, windowMs: 100 });
      expect(mostIn(randomAsks(seed, counter), 100), `seed ${seed}`).toBeLessThan(10);
    }
  });

  test("at the boundary of two fixed windows it is nearly twice the limit", () => {
    const limiter = new FixedWindowLimiter({ limit: 5, windowMs: 100 });
    const asks = replay(limiter, [
      [0, 1, true],
      [99, 4, true],
      [100, 5, true],
    ]).map(([atMs, tokens, granted]) => ({ atMs, tokens, granted }));
    expect(mostIn(asks, 100)).toBe(9);
  });

  test("a sliding counter is furthest off when all came at the end of a window, or at its beginning", () => {
    const late = new SlidingCounterLimiter({ limit: 100, windowMs: 100 });
    const asks: Ask[] = [];
    for (nowMs = 0; nowMs < 199; nowMs++) {
      const tokens = nowMs === 0 ? 1 : 99;
      if (nowMs === 0 || nowMs === 99) asks.push({ atMs: nowMs, tokens, granted: late.allow(tokens) });
      if (nowMs <= 99) continue;
      while (late.allow()) asks.push({ atMs: nowMs, tokens: 1, granted: true });
    }
    expect(mostIn(asks, 100)).toBe(99 + 98);
    const early = new SlidingCounterLimiter({ limit: 100, windowMs: 100 });
    expect(
      replay(early, [
        [0, 100, true],
        [100, 1, false],
      ]),
    ).toEqual([
      [0, 100, true],
      [100, 1, false],
    ]);
  });

  test.each([1, 2, 3, 7, 10, 100])(
    "a sliding counter of %i refuses at most one token a window when they come evenly",
    (limit) => {
      const limiter = new SlidingCounterLimiter({ limit, windowMs: 100 });
      let granted = 0;
      for (let token = 0; token < limit * 20; token++) {
        nowMs = (token * 100) / limit;
        if (limiter.allow()) granted++;
      }
      expect(granted).toBeGreaterThanOrEqual((limit - 1) * 20);
      expect(granted).toBeGreaterThan(0);
    },
  );
});

describe.each(Object.entries(kinds))("%s", (_, make) => {
  test("a clock that goes back gives nothing", () => {
    const limiter = make(2, 100);
    nowMs = 1000;
    expect([limiter.allow(2), limiter.allow()]).toEqual([true, false]);
    for (const readingMs of [0, 950, 0, 950, 1000]) {
      nowMs = readingMs;
      expect(limiter.allow()).toBe(false);
      expect(limiter.check().resetAfterMs).toBeGreaterThan(0);
    }
    nowMs = 1200;
    expect(limiter.allow()).toBe(true);
  });

  test("more than the limit is refused without change, and will be for ever", () => {
    const limiter = make(2, 100);
    expect(limiter.allow(3)).toBe(false);
    expect(limiter.check(3)).toEqual({
      ok: false,
      remaining: 2,
      retryAfterMs: Number.POSITIVE_INFINITY,
      resetAfterMs: 0,
    });
    expect(limiter.limit).toBe(2);
  });

  test("a limit of nearly nothing and a huge one neither overflow nor round away", () => {
    const rare = make(1, 1e13);
    expect([rare.allow(), rare.allow()]).toEqual([true, false]);
    expect(rare.check().retryAfterMs).toBeGreaterThan(0.999e13);
    expect(rare.check().retryAfterMs).toBeLessThan(2.001e13);
    nowMs = 1e12;
    expect(rare.allow()).toBe(false);
    nowMs = 3e13;
    expect(rare.allow()).toBe(true);
    const huge = make(Number.MAX_SAFE_INTEGER, 1000);
    expect(huge.allow(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(huge.allow(Number.MAX_SAFE_INTEGER)).toBe(false);
    nowMs += 2000;
    expect(huge.allow(Number.MAX_SAFE_INTEGER)).toBe(true);
    const endless = make(1, Number.MAX_VALUE);
    expect([endless.allow(), endless.allow()]).toEqual([true, false]);
  });

  test("a decision is true: before its instant in vain, at its instant granted, then as new", () => {
    for (let seed = 0; seed < 100; seed++) {
      const limiter = make(5, 100);
      const random = seededRandom(seed);
      randomAsks(seed, limiter, 30);
      const fromMs = nowMs;
      const n = 1 + Math.floor(random.next() * 5);
      const { ok, retryAfterMs, resetAfterMs, remaining } = limiter.check(n);
      expect([ok, retryAfterMs > 0], `seed ${seed}`).toEqual([remaining >= n, remaining < n]);
      if (!ok) {
        nowMs = fromMs + retryAfterMs - 0.001;
        expect(limiter.allow(n), `seed ${seed}`).toBe(false);
      }
      nowMs = fromMs + retryAfterMs;
      expect(limiter.check(n).ok, `seed ${seed}`).toBe(true);
      nowMs = Math.max(nowMs, fromMs + resetAfterMs);
      const reset = { ok: true, remaining: 5, retryAfterMs: 0, resetAfterMs: 0 };
      expect(limiter.check(n), `seed ${seed}`).toEqual(reset);
    }
  });

  test("an instant that is missed by a rounding has come, for the verdict and for the count", () => {
    const limiter = make(2, 100);
    limiter.allow(2);
    for (let time = 0; time < 5; time++) {
      nowMs += limiter.check().retryAfterMs - 1e-9;
      expect(limiter.check().remaining).toBeGreaterThanOrEqual(1);
      expect([limiter.check().retryAfterMs, limiter.allow()]).toEqual([0, true]);
      limiter.allow();
    }
  });

  test("a wrong number of tokens is refused at the call", () => {
    const limiter = make(1, 100);
    for (const value of [Number.NaN, -1, 1.5, "3", null, 2n] as number[]) {
      expect(() => limiter.allow(value)).toThrow("n must be");
      expect(() => limiter.check(value)).toThrow("n must be");
      expect(() => limiter.wait(value)).toThrow("n must be");
    }
  });
});

describe("options", () => {
  const wrong = [Number.NaN, -1, 0, "3", null, undefined, 2n] as number[];

  test.each([FixedWindowLimiter, SlidingLogLimiter, SlidingCounterLimiter])("of a %o are checked", (Kind) => {
    for (const value of [...wrong, 1.5])
      expect(() => new Kind({ limit: value, windowMs: 100 })).toThrow("limit must be a whole number");
    for (const value of [...wrong, 0.5, Number.POSITIVE_INFINITY])
      expect(() => new Kind({ limit: 1, windowMs: value })).toThrow("windowMs must be a finite number");
  });

  test("of a GCRA are checked", () => {
    for (const value of wrong)
      expect(() => new GcraLimiter({ perSecond: value, burst: 1 })).toThrow("perSecond must be");
    for (const value of [...wrong, 1.5, Number.POSITIVE_INFINITY])
      expect(() => new GcraLimiter({ perSecond: 1, burst: value })).toThrow("burst must be");
    const limiter = new GcraLimiter({ perSecond: 1, burst: 1 });
    expect(() => limiter.wait(1, { deadlineMs: Number.NaN })).toThrow("deadlineMs must be");
  });

  test("an infinite rate is no limit, as in a token bucket", () => {
    const options = { perSecond: Number.POSITIVE_INFINITY, burst: 1 };
    for (const limiter of [new GcraLimiter(options), new RateLimiter(options)]) {
      expect([limiter.allow(1e9), limiter.allow(1e9)]).toEqual([true, true]);
      const remaining = Number.MAX_SAFE_INTEGER;
      expect(limiter.check(5)).toEqual({ ok: true, remaining, retryAfterMs: 0, resetAfterMs: 0 });
    }
  });
});

test("a sliding log stays exact and fast over many windows of many instants", () => {
  const limiter = new SlidingLogLimiter({ limit: 1000, windowMs: 100 });
  let granted = 0;
  for (let step = 0; step < 50_000; step++) {
    nowMs = step / 10;
    if (limiter.allow()) granted++;
    if (step >= 999 && limiter.allow()) throw new Error(`one too many at ${nowMs}`);
  }
  expect(granted).toBe(50_000);
  nowMs += 99.9;
  expect(limiter.check().remaining).toBe(999);
  nowMs += 0.1;
  expect(limiter.check().remaining).toBe(1000);
});
