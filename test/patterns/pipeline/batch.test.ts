import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { batch } from "concurrency-model-patterns/pipeline/batch";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

/** Gives each value so many milliseconds after the start. */
function timed(...instants: readonly number[]): (ctx: Context) => AsyncGenerator<number> {
  return async function* (ctx) {
    const startMs = now();
    for (const instant of instants) {
      await sleep(startMs + instant - now(), ctx);
      yield instant;
    }
  };
}

describe("batch", () => {
  inBothRuntimes(
    "is full at its size, and the last one holds the rest",
    async () => {
      const sizes = async (length: number, size: number): Promise<number[]> =>
        (await pipeline(Array(length).keys()).through(batch({ size })).toArray()).map((one) => one.length);
      expect(await sizes(7, 3)).toEqual([3, 3, 1]);
      expect(await sizes(6, 3)).toEqual([3, 3]);
      expect(await sizes(0, 3)).toEqual([]);
      expect(await sizes(4, 1)).toEqual([1, 1, 1, 1]);
      expect(await sizes(4, Number.POSITIVE_INFINITY)).toEqual([4]);
    },
    20,
  );

  inBothRuntimes(
    "is given when its first value has waited long enough, however many there are",
    async () => {
      const startMs = now();
      const seen: [number[], number][] = [];
      const batches = pipeline(timed(0, 4, 8, 13, 40, 41)).through(batch({ size: 3, withinMs: 10 }));
      for await (const one of batches) seen.push([one, now() - startMs]);
      expect(seen).toEqual([
        [[0, 4, 8], 8],
        [[13], 23],
        [[40, 41], 41],
      ]);
    },
    20,
  );

  inBothRuntimes(
    "never loses the tail: neither when the input ends nor when it fails",
    async () => {
      const boom = new Error("boom");
      const fails = async function* (): AsyncGenerator<number> {
        yield* [1, 2, 3];
        await sleep(1);
        throw boom;
      };
      for (const withinMs of [5, Number.POSITIVE_INFINITY]) {
        const seen: number[][] = [];
        const reading = async (): Promise<void> => {
          for await (const one of pipeline(fails).through(batch({ size: 2, withinMs }))) seen.push(one);
        };
        expect(await failureOf(reading())).toBe(boom);
        expect(seen).toEqual([[1, 2], [3]]);
      }
    },
    30,
  );

  inBothRuntimes(
    "weighs its values, and lets one that is too heavy go alone",
    async () => {
      const words = ["aa", "bbb", "c", "dddddddd", "ee", "", "fff"];
      const weigh = (word: string): number => word.length;
      expect(
        await pipeline(words)
          .through(batch({ size: 5, weigh }))
          .toArray(),
      ).toEqual([["aa", "bbb"], ["c"], ["dddddddd"], ["ee", "", "fff"]]);
    },
    20,
  );

  test("holds the source up while nobody takes the batches", async () => {
    await simulate(async () => {
      let made = 0;
      const numbers = function* (): Generator<number> {
        for (;;) yield made++;
      };
      const batches = pipeline(numbers).through(batch({ size: 3, withinMs: 5 }));
      const iterator = batches[Symbol.asyncIterator]();
      await iterator.next();
      await sleep(1000);
      // Three were given; at most two batches are under way, and one value stands in each line.
      expect(made).toBeLessThanOrEqual(3 + 2 * 3 + 3);
      await iterator.return?.();
    });
  });

  inBothRuntimes(
    "is given up with its pipeline while it waits for a value, and leaves nothing",
    async () => {
      for (const values of [0, 1]) {
        const silent = new Channel<number>(1);
        if (values === 1) await silent.send(1);
        const { ctx, cancel } = withCancel(background);
        const reason = new Error("enough");
        await TaskGroup.run(async (group) => {
          group.go(() => sleep(5).then(() => cancel(reason)));
          const batches = pipeline(silent, { signal: ctx.signal }).through(
            batch({ size: 2, withinMs: 60_000 }),
          );
          expect(await failureOf(batches.toArray())).toBe(reason);
        });
        expect(silent.waiting.receivers).toBe(0);
      }
    },
    20,
  );

  test("holds every value once, in order, in batches of at most its size, whatever the times are", async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });
    const sizes = fc.integer({ min: 1, max: 5 });
    const property = fc.asyncProperty(pauses, sizes, fc.nat(), async (times, size, seed) => {
      let at = 0;
      const instants = times.map((pause) => (at += pause));
      const { value } = await simulate(
        () =>
          pipeline(timed(...instants))
            .through(batch({ size, withinMs: 10 }))
            .toArray(),
        { seed },
      );
      expect(value.flat()).toEqual(instants);
      expect(value.every((one) => one.length >= 1 && one.length <= size)).toBe(true);
      expect(value.every((one) => (one.at(-1) ?? 0) - (one[0] ?? 0) <= 10)).toBe(true);
    });
    await expect(fc.assert(property, { numRuns: 50 })).resolves.toBeUndefined();
  });

  test("refuses wrong arguments, and names them", async () => {
    const messageOf = (options: object): string =>
      (thrownBy(() => batch(options as { size: number })) as Error).message;
    expect(messageOf({ size: 0 })).toBe("size must be a whole number of at least 1, or Infinity, got 0");
    expect(messageOf({})).toContain("size must be");
    expect(messageOf({ size: 1, withinMs: "1" })).toContain("withinMs must be");
    expect(messageOf({ size: 1, weigh: 1 })).toContain("weigh must be a function");
    const weightless = pipeline([1]).through(batch({ size: 1, weigh: () => -1 }));
    expect(((await failureOf(weightless.toArray())) as Error).message).toBe(
      "weigh(value) must be a finite number of at least 0, got -1",
    );
  });
});
