import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import { type Emit, mapReduce, type MapReduceProgress } from "concurrency-model-patterns/mapreduce";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../support/both-runtimes.ts";
import { hostGetsItsTurn, listenersOf } from "../support/listeners.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

const sum = (left: number, right: number): number => left + right;

/** Counts words; with the callbacks of a test in place of its own. */
const wordCount = {
  map(line: string, emit: Emit<string, number>): void | Promise<void> {
    for (const word of line.split(" ")) emit(word, 1);
  },
  reduce: (_: string, counts: readonly number[]): number | Promise<number> => counts.reduce(sum),
};

const LINES = ["to be or", "not to be", "", "to"];
const COUNTS = { to: 3, be: 2, or: 1, not: 1, "": 1 };

describe("mapReduce", () => {
  inBothRuntimes(
    "gives the same with and without combine, for any number of mappers and reducers",
    async () => {
      for (const mappers of [1, 3, 9]) {
        for (const reducers of [1, 3]) {
          const options = { mappers, reducers };
          const plain = await mapReduce(LINES, wordCount, options);
          const merged = await mapReduce(LINES, { ...wordCount, combine: sum }, options);
          expect(Object.fromEntries(plain)).toEqual(COUNTS);
          expect(Object.fromEntries(merged)).toEqual(COUNTS);
        }
      }
    },
    30,
  );

  inBothRuntimes(
    "gives an empty result for no input, and for inputs that emit nothing",
    async () => {
      expect((await mapReduce([], wordCount)).size).toBe(0);
      expect((await mapReduce(LINES, { ...wordCount, map: () => {} })).size).toBe(0);
    },
    30,
  );

  inBothRuntimes(
    "takes its input from iterables of both kinds, and from a function",
    async () => {
      async function* lines() {
        for (const line of LINES) {
          await sleep(1);
          yield line;
        }
      }
      for (const input of [LINES, new Set(LINES), lines(), () => LINES, () => lines()]) {
        expect(Object.fromEntries(await mapReduce(input, wordCount))).toEqual(COUNTS);
      }
    },
    20,
  );

  inBothRuntimes(
    "compares keys as a Map does",
    async () => {
      const keys: unknown[] = ["__proto__", "constructor", Number.NaN, 0, -0, undefined, null, "1", 1];
      const counted = await mapReduce([...keys, ...keys], {
        map: (key, emit: Emit<unknown, number>) => emit(key, 1),
        reduce: (_, ones) => ones.length,
      });
      expect(counted.size).toBe(keys.length - 1);
      expect([counted.get("__proto__"), counted.get(Number.NaN), counted.get(0)]).toEqual([2, 2, 4]);
    },
    30,
  );

  inBothRuntimes(
    "keeps undefined as a value, also when values are merged",
    async () => {
      const job = {
        map: (key: string, emit: Emit<string, undefined>) => emit(key, undefined),
        reduce: (_: string, values: readonly undefined[]) => values.length,
      };
      expect((await mapReduce(["a", "a"], job)).get("a")).toBe(2);
      expect((await mapReduce(["a", "a"], { ...job, combine: () => undefined })).get("a")).toBe(1);
    },
    30,
  );

  inBothRuntimes(
    "reduces no key before the last map has ended",
    async () => {
      const log: string[] = [];
      await mapReduce([3, 1, 2], {
        async map(ms, emit: Emit<number, number>, ctx) {
          await sleep(ms, ctx);
          emit(ms % 2, ms);
          log.push("map");
        },
        reduce(key) {
          log.push("reduce");
          return key;
        },
      });
      expect(log).toEqual(["map", "map", "map", "reduce", "reduce"]);
    },
    50,
  );

  test("maps and reduces as many at once as it may, and no more", async () => {
    await overSeeds(50, async (seed) => {
      const most = { map: 0, reduce: 0 };
      const active = { map: 0, reduce: 0 };
      const work = async (phase: "map" | "reduce") => {
        most[phase] = Math.max(most[phase], ++active[phase]);
        await sleep(10);
        active[phase]--;
      };
      const { elapsedMs } = await simulate(
        () =>
          mapReduce(
            Array.from({ length: 9 }, (_, index) => index),
            {
              async map(item, emit: Emit<number, number>) {
                await work("map");
                emit(item % 4, item);
              },
              reduce: () => work("reduce"),
            },
            { mappers: 3, reducers: 2 },
          ),
        { seed },
      );
      expect(most).toEqual({ map: 3, reduce: 2 });
      expect(elapsedMs).toBe(50);
    });
  });

  test("takes its input no faster than it is mapped", async () => {
    await overSeeds(50, async (seed) => {
      let taken = 0;
      let mapped = 0;
      function* input() {
        for (; taken < 100; taken++) {
          expect(taken - mapped).toBeLessThanOrEqual(4);
          yield taken;
        }
      }
      const map = async () => {
        await sleep(1);
        mapped++;
      };
      await simulate(() => mapReduce(input(), { map, reduce: () => 0 }, { mappers: 3 }), { seed });
      expect(mapped).toBe(100);
    });
  });

  test("with combine holds one value a key, however many are emitted", async () => {
    let most = 0;
    const counts = await mapReduce([1, 2, 3], {
      map(_, emit: Emit<string, number>) {
        for (let index = 0; index < 100_000; index++) emit("key", 1);
      },
      combine: sum,
      reduce(_, values) {
        most = Math.max(most, values.length);
        return values.reduce(sum);
      },
    });
    expect([counts.get("key"), most]).toEqual([300_000, 1]);
  });

  inBothRuntimes(
    "finish emits what map has kept back, after every map and before any reduce",
    async () => {
      const kept = new Map<string, number>();
      let active = 0;
      const counts = await mapReduce(LINES, {
        async map(line) {
          active++;
          await sleep(line.length);
          for (const word of line.split(" ")) kept.set(word, (kept.get(word) ?? 0) + 1);
          active--;
        },
        async finish(emit: Emit<string, number>) {
          expect(active).toBe(0);
          await sleep(1);
          for (const [word, count] of kept) emit(word, count);
        },
        reduce: wordCount.reduce,
      });
      expect(Object.fromEntries(counts)).toEqual(COUNTS);
    },
    30,
  );

  test("gives timers and I/O their turn while callbacks do not wait", async () => {
    const busy = (): void => {
      const until = performance.now() + 1;
      while (performance.now() < until);
    };
    const mapping = (over: () => boolean) => {
      function* input() {
        for (let item = 0; !over() && item < 500; item++) yield item;
      }
      return mapReduce(input(), { map: busy, reduce: () => 0 });
    };
    const reducing = (over: () => boolean) =>
      mapReduce(Array(500).keys(), {
        map: (key, emit: Emit<number, number>) => emit(key, key),
        reduce: () => {
          if (!over()) busy();
        },
      });
    expect(await hostGetsItsTurn(mapping)).toBe(true);
    expect(await hostGetsItsTurn(reducing)).toBe(true);
  });

  inBothRuntimes(
    "calls back in the async context of its caller",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen = new Set<string | undefined>();
      const note = () => void seen.add(storage.getStore());
      await storage.run("caller", () =>
        mapReduce(
          function* () {
            note();
            yield* ["a", "b", "a"];
          },
          {
            map(key, emit: Emit<string, number>) {
              note();
              emit(key, 1);
            },
            combine: (left) => (note(), left),
            reduce: note,
          },
          {
            sort: () => (note(), 0),
            partition: () => (note(), 0),
            onGrouped: note,
            onProgress: note,
          },
        ),
      );
      expect([...seen]).toEqual(["caller"]);
    },
    30,
  );

  test("refuses wrong arguments at the call, and names them", () => {
    const wrong = [
      [{ ...wordCount, map: 1 }, {}, "map must be a function"],
      [{ map: () => {} }, {}, "reduce must be a function"],
      [{ ...wordCount, finish: null }, {}, "finish must be a function"],
      [{ ...wordCount, combine: "add" }, {}, "combine must be a function"],
      [wordCount, { mappers: 0 }, "mappers must be a whole number"],
      [wordCount, { reducers: 1.5 }, "reducers must be a whole number"],
      [wordCount, { sort: 1 }, "sort must be a function"],
      [wordCount, { partition: 1 }, "partition must be a function"],
      [wordCount, { onError: "skip" }, "onError must be a function"],
      [wordCount, { onGrouped: 1 }, "onGrouped must be a function"],
      [wordCount, { onProgress: 1 }, "onProgress must be a function"],
    ] as unknown as [typeof wordCount, object, string][];
    for (const [job, options, text] of wrong) {
      expect(String(thrownBy(() => mapReduce(LINES, job, options)))).toContain(text);
    }
  });
});

describe("mapReduce's options", () => {
  test("sort decides the order of the result, whatever the order of the maps", async () => {
    await overSeeds(50, async (seed) => {
      const { value } = await simulate(
        () =>
          mapReduce(
            ["c", "a", "b", "a"],
            {
              async map(key, emit: Emit<string, number>) {
                await sleep(Math.abs(seed % 3));
                emit(key, 1);
              },
              reduce: (_, ones) => sleep(ones.length).then(() => ones.length),
            },
            { sort: (left, right) => (left < right ? -1 : 1) },
          ),
        { seed },
      );
      expect([...value]).toEqual([
        ["a", 2],
        ["b", 1],
        ["c", 1],
      ]);
    });
  });

  inBothRuntimes(
    "without sort, keys come as they were first emitted, also if reduces end otherwise",
    async () => {
      const counts = await mapReduce(
        [3, 1, 2],
        {
          map: (key, emit: Emit<number, number>) => emit(key, key),
          reduce: (key) => sleep(key).then(() => key),
        },
        { mappers: 1 },
      );
      expect([...counts.keys()]).toEqual([3, 1, 2]);
    },
    50,
  );

  inBothRuntimes(
    "partition gives keys to reducers, and keys of one are reduced one by one",
    async () => {
      const active = [0, 0, 0];
      await mapReduce(
        Array.from({ length: 20 }, (_, index) => index),
        {
          map: (key, emit: Emit<number, number>) => emit(key, key),
          async reduce(key) {
            expect(++(active as [number, number, number])[(key % 3) as 0]).toBe(1);
            await sleep(1);
            active[key % 3] = 0;
          },
        },
        {
          reducers: 3,
          partition(key, reducers) {
            expect(reducers).toBe(3);
            return key % 3;
          },
        },
      );
      const outside = { reducers: 2, partition: () => 2 };
      expect(await failureOf(mapReduce(LINES, wordCount, outside))).toMatchObject({
        name: "RangeError",
        message: "partition(key) must be a whole number from 0 to 1, got 2",
      });
    },
    20,
  );

  inBothRuntimes(
    "onGrouped sees every key with all its values between the phases",
    async () => {
      const log: unknown[] = [];
      await mapReduce(
        ["a b", "a"],
        {
          ...wordCount,
          reduce(key) {
            log.push(key);
            return 0;
          },
        },
        { mappers: 1, reducers: 1, onGrouped: (key, values) => log.push([key, ...values]) },
      );
      expect(log).toEqual([["a", 1, 1], ["b", 1], "a", "b"]);
    },
    30,
  );

  inBothRuntimes(
    "onProgress counts up to what there was",
    async () => {
      const seen: MapReduceProgress[] = [];
      await mapReduce(LINES, wordCount, { onProgress: (progress) => seen.push(progress) });
      expect(seen.map(({ phase }) => phase)).toEqual([
        ...Array(LINES.length).fill("map"),
        ...Array(Object.keys(COUNTS).length).fill("reduce"),
      ]);
      expect(seen.map(({ mapped }) => mapped).slice(0, LINES.length)).toEqual([1, 2, 3, 4]);
      expect(seen.at(-1)).toEqual({
        phase: "reduce",
        mapped: 4,
        skipped: 0,
        emitted: 8,
        keys: 5,
        reduced: 5,
      });
    },
    30,
  );
});

describe("a run of mapReduce that fails", () => {
  const failure = new Error("no");
  const fail = (): never => {
    throw failure;
  };
  const asyncFail = () => sleep(1).then(fail);
  const emitting = (line: string, emit: Emit<string, number>) => {
    emit(line, 1);
    emit(line, 1);
  };

  const ways = [
    ["map at once", { ...wordCount, map: fail }, {}],
    ["map later", { ...wordCount, map: asyncFail }, {}],
    ["finish at once", { ...wordCount, finish: fail }, {}],
    ["finish later", { ...wordCount, finish: asyncFail }, {}],
    ["combine", { ...wordCount, map: emitting, combine: fail }, {}],
    ["reduce at once", { ...wordCount, reduce: fail }, {}],
    ["reduce later", { ...wordCount, reduce: asyncFail }, {}],
    ["sort", wordCount, { sort: fail }],
    ["partition", wordCount, { partition: fail }],
    ["onGrouped", wordCount, { onGrouped: fail }],
    ["onProgress", wordCount, { onProgress: fail }],
  ] as const;
  for (const [name, job, options] of ways) {
    inBothRuntimes(
      `throws the error of ${name}, unchanged`,
      async () => {
        expect(await failureOf(mapReduce(LINES, job, options))).toBe(failure);
      },
      30,
    );
  }

  inBothRuntimes(
    "throws the error of its input, unchanged",
    async () => {
      const failing = async function* () {
        yield "a";
        await asyncFail();
      };
      expect(await failureOf(mapReduce(failing(), wordCount))).toBe(failure);
      expect(await failureOf(mapReduce(fail, wordCount))).toBe(failure);
    },
    30,
  );

  inBothRuntimes(
    "cancels the other maps, finishes the input, and takes no more of it",
    async () => {
      let finished = false;
      let cancelled = 0;
      let taken = 0;
      async function* input() {
        try {
          for (;;) yield taken++;
        } finally {
          finished = true;
        }
      }
      const run = mapReduce(input(), {
        async map(item, _: Emit<string, string>, ctx) {
          if (item === 2) fail();
          await sleep(Number.POSITIVE_INFINITY, ctx).catch(() => cancelled++);
        },
        reduce: () => 0,
      });
      expect(await failureOf(run)).toBe(failure);
      expect([finished, cancelled > 0, taken < 10]).toEqual([true, true, true]);
    },
    50,
  );

  inBothRuntimes(
    "refuses values that are emitted after their map has ended",
    async () => {
      const kept: Emit<string, number>[] = [];
      await mapReduce(["a"], {
        map(_, emit: Emit<string, number>) {
          kept.push(emit);
        },
        reduce: () => 0,
      });
      expect(thrownBy(() => kept[0]?.("late", 1))).toMatchObject({ code: "MISUSE" });
    },
    30,
  );
});

describe("a run of mapReduce that is cancelled", () => {
  inBothRuntimes(
    "begins no further reduce, though the one under way ends well",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const stop = new Error("stop");
      const begun: string[] = [];
      const reduce = (key: string): number => {
        begun.push(key);
        cancel(stop);
        return 1;
      };
      const run = mapReduce(["a b c"], { ...wordCount, reduce }, { reducers: 1, signal: ctx.signal });
      expect(await failureOf(run)).toBe(stop);
      expect(begun).toEqual(["a"]);
    },
    20,
  );

  inBothRuntimes(
    "before it begins, takes nothing",
    async () => {
      const reason = new Error("stop");
      let opened = false;
      const input = () => {
        opened = true;
        return LINES;
      };
      const run = mapReduce(input, wordCount, { signal: AbortSignal.abort(reason) });
      expect(await failureOf(run)).toBe(reason);
      expect(opened).toBe(false);
    },
    30,
  );

  test.each([0, 5, 15, 25, 35])(
    "after %i ms rejects at once with the reason and leaves nothing",
    async (atMs) => {
      await overSeeds(20, async (seed) => {
        const reason = new Error("stop");
        const controller = new AbortController();
        let finished = false;
        const { elapsedMs } = await simulate(
          () =>
            TaskGroup.run(async (group) => {
              group.go(() => sleep(atMs).then(() => controller.abort(reason)));
              async function* input() {
                try {
                  yield* LINES;
                } finally {
                  finished = true;
                }
              }
              const run = mapReduce(
                input(),
                {
                  async map(line, emit: Emit<string, number>, ctx) {
                    await sleep(10, ctx);
                    emit(line, 1);
                  },
                  reduce: (_, ones, ctx) => sleep(10, ctx).then(() => ones.length),
                },
                { mappers: 2, reducers: 2, signal: controller.signal },
              );
              expect(await failureOf(run)).toBe(reason);
            }),
          { seed },
        );
        expect(elapsedMs).toBe(atMs);
        expect(listenersOf(controller.signal)).toBe(0);
        if (atMs > 0) expect(finished).toBe(true);
      });
    },
  );

  inBothRuntimes(
    "lets go of an input that is silent, if that heeds its context",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const startedMs = now();
      const run = mapReduce(
        async function* (own) {
          yield "a";
          await sleep(60_000, own);
        },
        wordCount,
        ctx,
      );
      await sleep(2);
      cancel(new Error("stop"));
      expect(await failureOf(run)).toMatchObject({ message: "stop" });
      expect(now() - startedMs).toBeLessThan(1000);
    },
    20,
  );
});

describe("mapReduce, for any input", () => {
  test("gives what a loop gives", async () => {
    const items = fc.array(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer()), { maxLength: 5 }),
    );
    const options = fc.record({
      mappers: fc.integer({ min: 1, max: 4 }),
      reducers: fc.integer({ min: 1, max: 4 }),
    });
    const check = async (
      inputs: (readonly [number, number])[][],
      widths: { mappers: number; reducers: number },
      combined: boolean,
      seed: number,
    ): Promise<void> => {
      const expected = new Map<number, number>();
      for (const [key, value] of inputs.flat())
        expected.set(key, Math.max(expected.get(key) ?? value, value));
      const max = (left: number, right: number): number => Math.max(left, right);
      const job = {
        async map(pairs: (readonly [number, number])[], emit: Emit<number, number>) {
          for (const [key, value] of pairs) {
            emit(key, value);
            if (value % 2 === 0) await sleep(1);
          }
        },
        ...(combined ? { combine: max } : {}),
        reduce: (_: number, values: readonly number[]) => values.reduce(max),
      };
      const { value } = await simulate(() => mapReduce(inputs, job, widths), { seed });
      expect(value).toEqual(expected);
    };
    await fc.assert(fc.asyncProperty(items, options, fc.boolean(), fc.nat(0xffff), check), { numRuns: 200 });
  });
});
