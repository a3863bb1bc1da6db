import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { fanIn, FanInError } from "concurrency-model-patterns/fan";
import { mergeByPriority, mergeInTurn, mergeSorted } from "concurrency-model-patterns/fan/merge";
import type { Flow } from "concurrency-model-patterns/flow";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

type AnySource = Iterable<number> | Channel<number> | ((ctx: Context) => AsyncGenerator<number>);
type Merge = (sources: readonly AnySource[], options?: { readonly signal?: AbortSignal }) => Flow<number>;

const ascending = (left: number, right: number): number => left - right;
const boom = new Error("boom");
const merges: Readonly<Record<string, Merge>> = {
  mergeSorted: (sources, options) => mergeSorted(sources, ascending, options),
  mergeInTurn: (sources, options) => mergeInTurn(sources, options),
  mergeByPriority: (sources, options) => mergeByPriority(sources, options),
};

describe.each(Object.entries(merges))("%s", (_, merge) => {
  inBothRuntimes(
    "gives every value once, those of one source in their order, and ends when all have",
    async () => {
      const sources = [[1, 4, 7], [], [2, 5], [3]];
      const merged = await merge(sources).toArray();
      expect(merged.toSorted(ascending)).toEqual([1, 2, 3, 4, 5, 7]);
      for (const source of sources) expect(merged.filter((n) => source.includes(n))).toEqual(source);
      expect(await merge([]).toArray()).toEqual([]);
    },
    20,
  );

  inBothRuntimes(
    "stops all sources when one fails, and throws that failure",
    async () => {
      let open = 0;
      const good = async function* (ctx: Context): AsyncGenerator<number> {
        open++;
        try {
          for (let n = 0; ; n++) {
            yield n;
            await sleep(1, ctx);
          }
        } finally {
          open--;
        }
      };
      const bad = async function* (ctx: Context): AsyncGenerator<number> {
        yield 0;
        await sleep(5, ctx);
        throw boom;
      };
      const silent = new Channel<number>(1);
      expect(await failureOf(merge([good, bad, silent]).toArray())).toBe(boom);
      expect([open, silent.waiting.receivers]).toEqual([0, 0]);
    },
    20,
  );

  inBothRuntimes(
    "can be given up while all are silent, and leaves nothing at them",
    async () => {
      const silent = [new Channel<number>(), new Channel<number>()];
      const { ctx, cancel } = withCancel(background);
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(boom)));
        expect(await failureOf(merge(silent, { signal: ctx.signal }).toArray())).toBe(boom);
      });
      expect(silent.map(({ waiting }) => waiting.receivers)).toEqual([0, 0]);
    },
    20,
  );
});

describe("mergeSorted", () => {
  test("gives what sorting gives, with equal values in the order of the sources", async () => {
    const lists = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 }), { maxLength: 6 });
    const property = fc.asyncProperty(lists, async (values) => {
      const sources = values.map((list, source) =>
        list.toSorted(ascending).map((value) => ({ value, source })),
      );
      const merged = await mergeSorted<(typeof sources)[number][number]>(
        sources,
        (a, b) => a.value - b.value,
      ).toArray();
      expect(merged).toEqual(sources.flat().toSorted((a, b) => a.value - b.value || a.source - b.source));
    });
    await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined();
  });

  test("stops when its comparison fails, and needs one", async () => {
    const fails = (): never => {
      throw boom;
    };
    expect(await failureOf(mergeSorted([[1], [2]], fails).toArray())).toBe(boom);
    expect((thrownBy(() => mergeSorted([[1]], undefined as never)) as Error).message).toContain("compare");
  });
});

describe("mergeInTurn", () => {
  inBothRuntimes(
    "takes one of each in turn, also when they are not ready at the same time",
    async () => {
      const slow = async function* (ctx: Context): AsyncGenerator<string> {
        for (const letter of "ab") {
          await sleep(5, ctx);
          yield letter;
        }
      };
      expect((await mergeInTurn([slow, "123", "xy"]).toArray()).join("")).toBe("a1xb2y3");
    },
    20,
  );
});

describe("mergeByPriority", () => {
  inBothRuntimes(
    "takes the earliest source that is ready",
    async () => {
      const [urgent, normal] = [new Channel<string>(5), new Channel<string>(5)];
      for (const job of "12345") await normal.send(job);
      const merged = mergeByPriority([urgent, normal])[Symbol.asyncIterator]();
      const seen = [(await merged.next()).value];
      for (const job of "abc") await urgent.send(job);
      urgent.close();
      normal.close();
      await sleep(1);
      for (let next = await merged.next(); next.done !== true; next = await merged.next()) {
        seen.push(next.value);
        await sleep(1);
      }
      // One was given, and one was on its way, before there was anything urgent.
      expect(seen.join("").replace(/^12?/, "")).toMatch(/^abc2?345$/);
    },
    50,
  );

  test("copes with thousands of silent sources", async () => {
    const sources = Array.from({ length: 2000 }, () => new Channel<number>(3));
    const speaker = sources[1234] as Channel<number>;
    for (const n of [1, 2, 3]) await speaker.send(n);
    const seen: number[] = [];
    for await (const n of mergeByPriority(sources)) if (seen.push(n) === 3) break;
    expect(seen).toEqual([1, 2, 3]);
    expect(sources.every(({ waiting }) => waiting.receivers === 0)).toBe(true);
  });
});

describe("fanIn that collects errors", () => {
  inBothRuntimes(
    "reads the other sources to their end, and says which have failed with what",
    async () => {
      const other = new Error("other");
      const fails = (error: Error, afterMs: number) =>
        async function* (ctx: Context): AsyncGenerator<number> {
          yield afterMs;
          await sleep(afterMs, ctx);
          throw error;
        };
      const seen: number[] = [];
      const reading = async (): Promise<void> => {
        const sources = [fails(other, 9), [1, 2, 3], fails(boom, 4)];
        for await (const n of fanIn(sources, { errors: "collect" })) seen.push(n);
      };
      const failure = await failureOf(reading());
      expect(failure).toBeInstanceOf(FanInError);
      const { errors, indexes, message } = failure as FanInError;
      expect([errors, indexes, message]).toEqual([[boom, other], [2, 0], "2 of 3 sources failed"]);
      expect(seen.toSorted(ascending)).toEqual([1, 2, 3, 4, 9]);
    },
    20,
  );

  inBothRuntimes(
    "throws the reason when it is given up, and nothing when nobody fails",
    async () => {
      expect(await fanIn([[1], []], { errors: "collect" }).toArray()).toEqual([1]);
      const { ctx, cancel } = withCancel(background);
      const silent = new Channel<number>();
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(boom)));
        const merged = fanIn([silent], { errors: "collect", signal: ctx.signal });
        expect(await failureOf(merged.toArray())).toBe(boom);
      });
      expect(silent.waiting.receivers).toBe(0);
    },
    20,
  );
});
