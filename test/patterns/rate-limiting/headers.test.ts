import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { rateLimitHeaders } from "concurrency-model-patterns/rate-limiting/headers";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";

const decision = { ok: true, remaining: 3, retryAfterMs: 0, resetAfterMs: 0 };
const policy = { limit: 5, windowMs: 1000 };

describe("rateLimitHeaders", () => {
  test.each([
    ["one that passes", decision, policy, '"default";q=5;w=1', '"default";r=3;t=0', undefined],
    [
      "one that is refused, in seconds rounded up",
      { ok: false, remaining: 0, retryAfterMs: 1001, resetAfterMs: 4001 },
      { limit: 5, windowMs: 60_000, name: "per minute" },
      '"per minute";q=5;w=60',
      '"per minute";r=0;t=5',
      "2",
    ],
    [
      "one that may come again at once, a second later at the earliest",
      { ok: false, remaining: 0, retryAfterMs: 0, resetAfterMs: 1 },
      policy,
      '"default";q=5;w=1',
      '"default";r=0;t=1',
      "1",
    ],
    [
      "one that will never pass, without what is infinite",
      {
        ok: false,
        remaining: 1.9,
        retryAfterMs: Number.POSITIVE_INFINITY,
        resetAfterMs: Number.POSITIVE_INFINITY,
      },
      { ...policy, windowMs: 1 },
      '"default";q=5;w=1',
      '"default";r=1',
      undefined,
    ],
    [
      "no limit, as the largest number there is",
      { ...decision, remaining: Number.MAX_SAFE_INTEGER },
      { ...policy, name: 'a "b" \\c' },
      String.raw`"a \"b\" \\c";q=5;w=1`,
      String.raw`"a \"b\" \\c";r=999999999999999;t=0`,
      undefined,
    ],
  ])("says of %s", (_, said, told, policyField, limitField, retryAfter) => {
    expect(rateLimitHeaders(said, told)).toEqual({
      "RateLimit-Policy": policyField,
      RateLimit: limitField,
      ...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
    });
  });

  test("is right for who waits as long as it says", async () => {
    await simulate(async () => {
      for (const limiter of [
        new RateLimiter({ perSecond: 2, burst: 2 }),
        new FixedWindowLimiter({ limit: 2, windowMs: 1500 }),
      ]) {
        limiter.allow(2);
        const { "Retry-After": retryAfter } = rateLimitHeaders(limiter.check(), policy);
        expect(limiter.allow()).toBe(false);
        await sleep(Number(retryAfter) * 1000);
        expect(limiter.allow()).toBe(true);
      }
    });
  });

  test("checks its arguments at the call", () => {
    expect(() => rateLimitHeaders(decision, { limit: 0, windowMs: 1 })).toThrow("limit must be");
    expect(() => rateLimitHeaders(decision, { limit: 1, windowMs: 0 })).toThrow("windowMs must be");
    expect(() => rateLimitHeaders(decision, { limit: 1, windowMs: Number.POSITIVE_INFINITY })).toThrow(
      RangeError,
    );
    expect(() => rateLimitHeaders(decision, { ...policy, name: "a\r\nb" })).toThrow(
      "name must be printable ASCII",
    );
  });
});
