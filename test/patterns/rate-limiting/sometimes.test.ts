import { Sometimes, type SometimesOptions } from "concurrency-model-patterns/rate-limiting/sometimes";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";

/** The times, from 1, at which it is due, if it is asked every half second. */
async function dueTimes(options: SometimesOptions | undefined): Promise<number[]> {
  const { value } = await simulate(async (ctx) => {
    const sometimes = new Sometimes(options);
    const due: number[] = [];
    for (let time = 1; time <= 8; time++) {
      if (sometimes.due()) due.push(time);
      await sleep(500, ctx);
    }
    return due;
  });
  return value;
}

describe("Sometimes", () => {
  test.each<[string, SometimesOptions | undefined, number[]]>([
    ["without a reason once", undefined, [1]],
    ["without a reason once, also if options are given", {}, [1]],
    ["once if every reason is 0", { first: 0, every: 0, intervalMs: 0 }, [1]],
    ["the first times", { first: 2 }, [1, 2]],
    ["every so many times", { every: 2 }, [1, 3, 5, 7]],
    ["when so long has passed", { intervalMs: 1000 }, [1, 3, 5, 7]],
    ["for any of its reasons", { first: 2, every: 5 }, [1, 2, 6]],
    ["since the last time for whatever reason", { first: 2, intervalMs: 1500 }, [1, 2, 5, 8]],
  ])("is due %s", async (_, options, times) => {
    expect(await dueTimes(options)).toEqual(times);
  });

  test("checks its arguments at the call", () => {
    expect(() => new Sometimes({ first: -1 })).toThrow("first must be");
    expect(() => new Sometimes({ every: 0.5 })).toThrow("every must be");
    expect(() => new Sometimes({ intervalMs: Number.NaN })).toThrow("intervalMs must be");
  });
});
