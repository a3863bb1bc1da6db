/** What may happen so often. */
import { now, sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { codeOf, type Crowd, type Jam, type Subject } from "../subject.ts";

/** A `RateLimiter` is one. */
export interface LimiterLike {
  readonly waiting: number;
  allow(tokens?: number): boolean;
  wait(tokens: number, options?: CancelOptions): Promise<void>;
}

/** A limiter, and what it promises. */
export interface LimiterSubject {
  readonly limiter: LimiterLike;
  /** How many tokens are granted within `ms` at most. */
  readonly most: (ms: number) => number;
  /** How many can be had at one instant, after a long rest. */
  readonly burst: number;
}

/** Sums of fractions may be off by so much of a token. */
const ROUNDING = 1e-6;

function limiterCrowd({ limiter, most, burst }: LimiterSubject): Crowd {
  const grants: { readonly atMs: number; readonly tokens: number }[] = [];
  const asking = (tokens: number): Crowd["parties"][number] => ({
    name: `wait for ${tokens}`,
    call: async (_, options) => {
      await limiter.wait(tokens, options);
      grants.push({ atMs: now(), tokens });
    },
  });
  return {
    parties: [asking(1), asking(2)],
    checkBounds: () => {
      for (let first = 0; first < grants.length; first++) {
        let granted = 0;
        for (const { atMs, tokens } of grants.slice(first)) {
          granted += tokens;
          const limit = most(atMs - (grants[first]?.atMs ?? 0)) + ROUNDING;
          expect(granted, "promise 2: no more than so many in so long").toBeLessThanOrEqual(limit);
        }
      }
    },
    explains: (error) => codeOf(error) === "LIMIT",
    end: async () => {
      while (limiter.waiting > 0) await sleep(1);
      await sleep(1e5);
    },
    checkAccounts: () => {
      expect(limiter.waiting, "promise 4: nobody waits").toBe(0);
      expect(limiter.allow(burst), "promise 3: no token was lost by those who gave up").toBe(true);
    },
  };
}

/** All tokens have been taken. */
function limiterJam({ limiter, burst }: LimiterSubject): Jam {
  const served: number[] = [];
  limiter.allow(burst);
  return {
    call: async (n, options) => {
      await limiter.wait(1, options);
      served.push(n);
    },
    waiting: () => limiter.waiting,
    served,
    free: () => {},
  };
}

/** One who waits, among those who only try. */
async function waiterAmongTryers({ limiter, burst }: LimiterSubject): Promise<void> {
  expect(limiter.allow(burst)).toBe(true);
  let over = false;
  const isOver = (): boolean => over;
  const waits = limiter.wait(burst).then(() => (over = true));
  await sleep(0.25);
  for (let tries = 0; !isOver(); tries++) {
    expect(tries, "promise 5: who waits is served").toBeLessThan(100);
    if (limiter.waiting > 0) expect(limiter.allow(), "promise 5: nobody overtakes").toBe(false);
    await sleep(0.25);
  }
  await waits;
}

export function limiterSubject(make: (perSecond: number) => LimiterSubject): Subject {
  return {
    crowds: { "": () => limiterCrowd(make(500)) },
    jams: { wait: () => limiterJam(make(1)) },
    rivals: { "one who waits": () => waiterAmongTryers(make(1000)) },
    busy: {
      "without a limit": async (over) => {
        const { limiter } = make(Number.POSITIVE_INFINITY);
        while (!over()) await limiter.wait(1);
      },
    },
    timed: {
      wait: async (ms) => {
        const { limiter, burst } = make(1000 / ms);
        expect(limiter.allow(burst)).toBe(true);
        await limiter.wait(1);
      },
    },
  };
}
