/** In the plain runtime workers take from a source that gives its values at once without a task between them. */
import { fanOut } from "concurrency-model-patterns/fan";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { plainly } from "../../support/idle-clock.ts";
import { failureOf } from "../../support/outcomes.ts";

const boom = new Error("boom");

/** Numbers from 0, and a note of how the source was left. */
function source(left: string[], count = 1000, atEnd?: Error) {
  return function* (): Generator<number> {
    try {
      for (let n = 0; n < count; n++) yield n;
      left.push("at its end");
    } finally {
      left.push("finished");
      // oxlint-disable-next-line no-unsafe-finally -- a source whose way out fails is what is tested
      if (atEnd !== undefined) throw atEnd;
    }
  };
}

const options = (ordered: boolean) => ({ workers: 3, ordered });

describe.each([true, false])("a fan-out of a generator, plainly, ordered: %s", (ordered) => {
  test("works on each value once, also if results are there at once, and finishes the source once", async () => {
    const left: string[] = [];
    const work = (n: number): number | Promise<number> => (n % 3 === 0 ? Promise.resolve(n) : n);
    const results = await fanOut(source(left), work, options(ordered)).toArray();
    expect(ordered ? results : results.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, n) => n),
    );
    expect(left).toEqual(["at its end", "finished"]);
  });

  test("finishes the source and stops when a worker fails, and attaches what goes wrong on the way out", async () => {
    const [left, worst]: [string[], Error] = [[], new Error("on the way out")];
    let begun = 0;
    const work = async (n: number): Promise<number> => {
      begun++;
      if (n === 4) throw boom;
      return n;
    };
    const failure = await failureOf(fanOut(source(left, 1000, worst), work, options(ordered)).toArray());
    expect(failure).toBe(boom);
    expect(left).toEqual(["finished"]);
    expect(begun).toBeLessThan(20);
  });

  test("throws the failure of the source, and asks it no more", async () => {
    let asked = 0;
    const broken: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next: () => {
          if (++asked === 5) throw boom;
          return { value: asked, done: false };
        },
        return: () => {
          throw new Error("told to finish after it has ended");
        },
      }),
    };
    expect(await failureOf(fanOut(broken, (n) => n, options(ordered)).toArray())).toBe(boom);
    expect(asked).toBe(5);
  });

  test("finishes the source when the loop is left, and has taken no more than there are workers", async () => {
    await plainly(async () => {
      const left: string[] = [];
      let taken = 0;
      const work = async (n: number): Promise<number> => (taken++, await sleep(1), n);
      for await (const n of fanOut(source(left), work, options(ordered))) if (n >= 6) break;
      expect(left).toEqual(["finished"]);
      expect(taken).toBeLessThanOrEqual(7 + 2 * 3);
    });
  });

  test("lets the host have its turn, so that a timer can give an endless one up", async () => {
    const [left, controller]: [string[], AbortController] = [[], new AbortController()];
    setTimeout(() => controller.abort(boom), 1);
    const endless = fanOut(source(left, Number.POSITIVE_INFINITY), (n) => n, {
      ...options(ordered),
      signal: controller.signal,
    });
    expect(await failureOf(endless.toArray())).toBe(boom);
    expect(left).toEqual(["finished"]);
  });
});

describe("results that are collected in order, plainly", () => {
  test("one slow value holds up no other, and what was skipped leaves no place behind", async () => {
    const begun: number[] = [];
    const results = plainly(() =>
      fanOut(
        Array.from({ length: 10_000 }, (_, n) => n),
        async (n) => {
          begun.push(n);
          if (n === 0) {
            await sleep(1000);
            expect(begun.length).toBe(10_000);
          }
          if (n % 1000 === 7) throw boom;
          return n;
        },
        { workers: 3, ordered: true, onError: () => "skip" },
      ).toArray(),
    );
    const kept = Array.from({ length: 10_000 }, (_, n) => n).filter((n) => n % 1000 !== 7);
    expect(await results).toEqual(kept);
  });

  test("keep their place where they come in any order, with more workers than a place is ahead", async () => {
    const work = async (n: number): Promise<number | undefined> => {
      await sleep((n * 7919) % 101);
      return n % 5 === 0 ? undefined : n;
    };
    const input = Array.from({ length: 5000 }, (_, n) => n);
    const results = await plainly(() => fanOut(input, work, { workers: 3000, ordered: true }).toArray());
    expect(results).toEqual(input.map((n) => (n % 5 === 0 ? undefined : n)));
  });
});
