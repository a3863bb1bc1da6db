import { background, type Context, withCancel, withTimeout } from "concurrency-model-patterns/context";
import {
  type Emit,
  mapReduce,
  type MapReduceProgress,
  type OnValueError,
} from "concurrency-model-patterns/mapreduce";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../../support/both-runtimes.ts";
import { failureOf } from "../../support/outcomes.ts";

const FILES = ["to be", "or not", "to be", "that is", "the", "question", "to", "be or not"];
const COUNTS = { to: 3, be: 3, or: 2, not: 2, that: 1, is: 1, the: 1, question: 1 };
const sum = (left: number, right: number): number => left + right;
const reduce = (_: string, counts: readonly number[]): number => counts.reduce(sum);
const boom = new Error("boom");

describe("the onError of mapReduce", () => {
  for (const combine of [undefined, sum]) {
    const job = combine === undefined ? { reduce } : { reduce, combine };
    const how = combine === undefined ? "" : ", with combine";

    inBothRuntimes(
      `counts once what a map emits that fails halfway and is tried again${how}`,
      async () => {
        const tries = new Map<string, number>();
        let calls = 0;
        const counts = await mapReduce(
          FILES.keys(),
          {
            ...job,
            async map(index, emit: Emit<string, number>) {
              calls++;
              const file = FILES[index] ?? "";
              for (const word of file.split(" ")) {
                emit(word, 1);
                await sleep(1);
                const tried = (tries.get(`${index}`) ?? 0) + 1;
                tries.set(`${index}`, tried);
                if (tried <= index % 3) throw boom;
              }
            },
          },
          { mappers: 3, onError: () => "retry" },
        );
        expect(Object.fromEntries(counts)).toEqual(COUNTS);
        expect(calls).toBe(8 + 0 + 1 + 2 + 0 + 1 + 2 + 0 + 1);
      },
      20,
    );

    inBothRuntimes(
      `counts nothing of an input that is skipped${how}`,
      async () => {
        let last: MapReduceProgress | undefined;
        const counts = await mapReduce(
          FILES,
          {
            ...job,
            async map(file, emit: Emit<string, number>) {
              for (const word of file.split(" ")) emit(word, 1);
              await sleep(1);
              if (file.startsWith("to be")) throw boom;
            },
          },
          { onError: () => "skip", onProgress: (progress) => void (last = progress) },
        );
        expect(Object.fromEntries(counts)).toEqual({ ...COUNTS, to: 1, be: 1 });
        expect(last).toEqual({ phase: "reduce", mapped: 6, skipped: 2, emitted: 10, keys: 8, reduced: 8 });
      },
      20,
    );
  }

  inBothRuntimes(
    "may put a cap on what is skipped",
    async () => {
      const skipping = (cap: number): OnValueError<string> => {
        let bad = 0;
        return () => (++bad <= cap ? "skip" : "fail");
      };
      const map = (file: string, emit: Emit<string, number>): void => {
        if (file.startsWith("t")) throw boom;
        emit(file, 1);
      };
      expect((await mapReduce(FILES, { map, reduce }, { onError: skipping(5) })).size).toBe(3);
      expect(await failureOf(mapReduce(FILES, { map, reduce }, { onError: skipping(4) }))).toBe(boom);
    },
    20,
  );

  inBothRuntimes(
    "is given up while it pauses",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const onError: OnValueError<string> = (_error, _failed, own) =>
        sleep(60_000, own).then(() => "retry" as const);
      const startMs = now();
      const map = (): never => {
        throw boom;
      };
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(new Error("enough"))));
        const running = mapReduce(FILES, { map, reduce }, { onError, signal: ctx.signal });
        expect(await failureOf(running)).toEqual(new Error("enough"));
      });
      expect(now() - startMs).toBeLessThan(1000);
    },
    20,
  );
});

describe("mapReduce passes the tests of the course on distributed systems", () => {
  test("an indexer: each word with the files it is in, the same in every order of events", async () => {
    await overSeeds(20, async (seed) => {
      const { value } = await simulate(
        () =>
          mapReduce(
            FILES.entries(),
            {
              async map([index, file], emit: Emit<string, number>) {
                await sleep(index % 3);
                for (const word of new Set(file.split(" "))) emit(word, index);
              },
              reduce: (_, files) => files.toSorted((a, b) => a - b).join(),
            },
            { sort: (a, b) => (a < b ? -1 : 1) },
          ),
        { seed },
      );
      expect([...value]).toEqual([
        ["be", "0,2,7"],
        ["is", "3"],
        ["not", "1,7"],
        ["or", "1,7"],
        ["question", "5"],
        ["that", "3"],
        ["the", "4"],
        ["to", "0,2,6"],
      ]);
    });
  });

  test("the count of maps is that of the inputs, whatever the number of mappers", async () => {
    for (const mappers of [1, 2, 8, 20]) {
      let maps = 0;
      await mapReduce(FILES, { map: () => void maps++, reduce }, { mappers });
      expect(maps).toBe(8);
    }
  });

  test("nobody is done before the result is final", async () => {
    await overSeeds(20, async (seed) => {
      await simulate(
        async () => {
          let running = 0;
          const slow = async (ms: number): Promise<void> => {
            running++;
            await sleep(ms);
            running--;
          };
          await mapReduce([1, 50, 3], {
            async map(ms, emit: Emit<number, number>) {
              await slow(ms);
              emit(ms, ms);
            },
            reduce: (ms) => slow(100 - ms),
          });
          expect(running).toBe(0);
        },
        { seed },
      );
    });
  });

  test("of maps, a third crash and a third stall, and the counts are right", async () => {
    await overSeeds(20, async (seed) => {
      let attempts = 0;
      const work = async (file: string, emit: Emit<string, number>, ctx: Context): Promise<void> => {
        const fate = attempts++ % 3;
        for (const word of file.split(" ")) emit(word, 1);
        if (fate === 0) throw boom;
        await sleep(fate === 1 ? Number.POSITIVE_INFINITY : 100, ctx);
      };
      const { value, elapsedMs } = await simulate(
        () =>
          mapReduce(
            FILES,
            {
              async map(file, emit: Emit<string, number>, ctx) {
                using limit = withTimeout(ctx, 10_000);
                await work(file, emit, limit.ctx);
              },
              reduce,
            },
            { mappers: 3, onError: () => "retry" },
          ),
        { seed },
      );
      expect(Object.fromEntries(value)).toEqual(COUNTS);
      expect(attempts).toBeGreaterThan(8);
      expect(elapsedMs).toBeGreaterThanOrEqual(10_000);
    });
  });
});
