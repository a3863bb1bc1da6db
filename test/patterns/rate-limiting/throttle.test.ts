import { Channel } from "concurrency-model-patterns/channel";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { throttle } from "concurrency-model-patterns/rate-limiting/throttle";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf } from "../../support/outcomes.ts";

const limiters = {
  "token bucket": () => new RateLimiter({ perSecond: 10, burst: 2 }),
  gcra: () => new GcraLimiter({ perSecond: 10, burst: 2 }),
};

describe.each(Object.entries(limiters))("throttle by a %s", (_, make) => {
  inBothRuntimes(
    "gives values in order, no faster than allowed",
    async () => {
      const startMs = now();
      const seen: [string, number][] = [];
      await throttle("abcd", make()).forEach((value) => {
        seen.push([value, Math.round(now() - startMs)]);
      });
      expect(seen).toEqual([
        ["a", 0],
        ["b", 0],
        ["c", 100],
        ["d", 200],
      ]);
    },
    20,
  );

  inBothRuntimes(
    "a value can cost more than one token, or none",
    async () => {
      const startMs = now();
      const flow = throttle([2, 0, 2], make(), { tokensOf: (n) => n });
      expect(await flow.toArray()).toEqual([2, 0, 2]);
      expect(now() - startMs).toBeCloseTo(200, 6);
      expect(await failureOf(throttle([3], make(), { tokensOf: (n) => n }).toArray())).toMatchObject({
        reason: "burst",
      });
    },
    20,
  );

  inBothRuntimes(
    "leaving the loop gives up the wait, takes nothing more and finishes the source",
    async () => {
      const limiter = make();
      let finished = false;
      const source = function* (): Generator<number> {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          finished = true;
        }
      };
      for await (const n of throttle(source(), limiter)) if (n === 1) break;
      expect([finished, limiter.waiting, limiter.check().remaining]).toEqual([true, 0, 0]);
      await sleep(limiter.check().resetAfterMs);
      expect(limiter.check().remaining).toBe(2);
    },
    20,
  );

  inBothRuntimes(
    "a signal ends the loop with its reason, also while the source is silent",
    async () => {
      const limiter = make();
      const controller = new AbortController();
      const reason = new Error("enough");
      const end = failureOf(throttle(new Channel<string>(), limiter, controller).toArray());
      await sleep(5);
      controller.abort(reason);
      expect(await end).toBe(reason);
      expect(limiter.check().remaining).toBe(2);
    },
    20,
  );
});

test("the way to weigh values is checked at the call", () => {
  expect(() => throttle([1], limiters.gcra(), { tokensOf: 1 as never })).toThrow("tokensOf must be");
});
