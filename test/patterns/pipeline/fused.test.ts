/** Stages that run in the task of the stage before: they give what stages of their own give, and end as those do. */
import { AsyncLocalStorage } from "node:async_hooks";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { type PipelineMapOptions, pipeline } from "concurrency-model-patterns/pipeline";
import { PipelineStats, type StageStats } from "concurrency-model-patterns/pipeline/stats";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { hostGetsItsTurn, until } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

const fused = { fused: true } as const;
const boom = new Error("boom");
const isEven = (n: number): boolean => n % 2 === 0;
const triple = (n: number): number => n * 3;

describe("a fused stage", () => {
  inBothRuntimes(
    "gives what a stage of its own gives, whatever stands before and behind it",
    async () => {
      for (const options of [{}, fused]) {
        const first = pipeline([1, 2, 3, 4, 5, 6]).map(triple, options).filter(isEven, options);
        expect(await first.toArray()).toEqual([6, 12, 18]);
        const behind = pipeline([3, 1, 2])
          .map((n) => sleep(n).then(() => n), { concurrency: 3 })
          .map(triple, options)
          .filter((n) => n > 3, options);
        expect(await behind.toArray()).toEqual([9, 6]);
        const between = pipeline(["a b", "c d"])
          .through(async function* (lines) {
            for await (const line of lines) yield* line.split(" ");
          })
          .map((word) => word.toUpperCase(), options)
          .map((word) => sleep(1).then(() => `${word}!`));
        expect(await between.toArray()).toEqual(["A!", "B!", "C!", "D!"]);
      }
    },
    20,
  );

  inBothRuntimes(
    "passes on values that are nothing, and drops only what it is told to",
    async () => {
      const values = [undefined, null, 0, ""];
      for (const options of [{}, fused]) {
        expect(
          await pipeline(values)
            .map((value) => value, options)
            .toArray(),
        ).toEqual(values);
        expect(
          await pipeline(values)
            .filter(() => true, options)
            .toArray(),
        ).toEqual(values);
        expect(
          await pipeline(values)
            .filter(() => false, options)
            .toArray(),
        ).toEqual([]);
      }
    },
    5,
  );

  inBothRuntimes(
    "takes each value through all steps before the next one is read",
    async () => {
      const trail: string[] = [];
      function* source(): Generator<number> {
        for (let n = 1; n <= 3; n++) {
          trail.push(`read ${n}`);
          yield n;
        }
      }
      const step = (name: string) => (n: number) => {
        trail.push(`${name} ${n}`);
        return n;
      };
      const notTwo = (n: number): boolean => n !== 2;
      const run = pipeline(source).map(step("a"), fused).filter(notTwo, fused).map(step("b"), fused);
      expect(await run.toArray()).toEqual([1, 3]);
      expect(trail).toEqual(["read 1", "a 1", "b 1", "read 2", "a 2", "read 3", "a 3", "b 3"]);
    },
    20,
  );

  inBothRuntimes(
    "waits for a promise, and holds up the stage before as long",
    async () => {
      let read = 0;
      function* source(): Generator<number> {
        for (;;) yield ++read;
      }
      const run = pipeline(source)
        .map((n) => sleep(5).then(() => n), fused)
        .filter((n) => sleep(5).then(() => isEven(n)), fused);
      const seen: number[] = [];
      for await (const n of run) {
        seen.push(n);
        await sleep(100);
        // The next one that is even waits for the reader.
        expect(read).toBe(n + 2);
        if (seen.length === 2) break;
      }
      expect(seen).toEqual([2, 4]);
    },
    20,
  );

  inBothRuntimes(
    "lets as many results wait as it says, and else as many as the stage before",
    async () => {
      const readWith = async (before: number, capacity?: number): Promise<number> => {
        let read = 0;
        function* source(): Generator<number> {
          for (;;) yield ++read;
        }
        for await (const _ of pipeline(source, { capacity: before }).map(triple, { fused: true, capacity })) {
          await sleep(5);
          break;
        }
        return read;
      };
      // One was taken, and one waits for room.
      expect([await readWith(0), await readWith(3), await readWith(3, 1)]).toEqual([2, 5, 3]);
    },
    20,
  );

  inBothRuntimes(
    "is given a context that ends when its result is no longer wanted",
    async () => {
      const given: Context[] = [];
      const note = (n: number, ctx: Context): number => {
        given.push(ctx);
        return n;
      };
      for await (const _ of pipeline([1, 2]).map(note, fused)) {
        expect(given.some(({ error }) => error !== undefined)).toBe(false);
        break;
      }
      expect(given.every(({ error }) => error !== undefined)).toBe(true);
    },
    5,
  );
});

describe("the end of a pipeline with fused stages", () => {
  const sources: Readonly<Record<string, (note: () => void) => AsyncGenerator<number> | Generator<number>>> =
    {
      async: async function* (note) {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          await sleep(1);
          note();
        }
      },
      sync: function* (note) {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          note();
        }
      },
    };

  describe.each(Object.entries(sources))("with a source that is %s", (_, source) => {
    inBothRuntimes(
      "is the first failure of any step, once the source has finished",
      async () => {
        const failing = (n: number): number => {
          if (n === 3) throw boom;
          return n;
        };
        const later = (n: number): Promise<number> => sleep(1).then(() => failing(n));
        for (const work of [failing, later]) {
          let finished = 0;
          const open = (): AsyncGenerator<number> | Generator<number> => source(() => finished++);
          expect(await failureOf(pipeline(open).map(work, fused).map(triple, fused).toArray())).toBe(boom);
          expect(
            await failureOf(
              pipeline(open)
                .map(triple, fused)
                .forEach((n) => void failing(n)),
            ),
          ).toBe(boom);
          const behind = pipeline(open).map((n) => n, { concurrency: 3 });
          expect(await failureOf(behind.map(work, fused).toArray())).toBe(boom);
          const keep = (n: number): boolean => failing(n) > 0;
          expect(await failureOf(pipeline(open).filter(keep, fused).map(triple).toArray())).toBe(boom);
          expect(finished).toBe(4);
        }
      },
      10,
    );

    inBothRuntimes(
      "comes when the loop is left, or when a later stage ends early",
      async () => {
        let finished = 0;
        const open = (): AsyncGenerator<number> | Generator<number> => source(() => finished++);
        for await (const n of pipeline(open).filter(isEven, fused)) if (n === 4) break;
        expect(finished).toBe(1);
        const first = pipeline(open)
          .map(triple, fused)
          .through(async function* (numbers) {
            for await (const n of numbers) {
              yield n;
              return;
            }
          });
        expect([await first.toArray(), finished]).toEqual([[3], 2]);
      },
      10,
    );
  });

  inBothRuntimes(
    "is the reason of its signal, and no further value goes through a step",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const seen: string[] = [];
      const run = pipeline([1, 2, 3], { signal: ctx.signal })
        .map(async (n) => {
          seen.push(`first ${n}`);
          await sleep(5);
          if (n === 2) cancel(boom);
          return n;
        }, fused)
        .map((n) => {
          seen.push(`second ${n}`);
          return n;
        }, fused);
      expect(await failureOf(run.toArray())).toBe(boom);
      expect(seen).toEqual(["first 1", "second 1", "first 2"]);
    },
    20,
  );

  inBothRuntimes("keeps the failure of the source on its way out", async () => {
    const first = new Error("of the stage");
    const second = new Error("of the source, on its way out");
    function* source(): Generator<number> {
      try {
        yield* [1, 2, 3];
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- a failure while cleaning up is what is tested
        throw second;
      }
    }
    const failing = (): never => {
      throw first;
    };
    const failure = await failureOf(pipeline(source).map(failing, fused).toArray());
    expect(failure).toBe(first);
    expect((failure as { readonly suppressed?: unknown }).suppressed).toEqual([second]);
  });
});

test("steps run in the async context of whoever made the pipeline", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen = (): string | undefined => storage.getStore();
  const run = storage.run("maker", () =>
    pipeline([1, 2])
      .map(seen, fused)
      .map(async (store) => (await sleep(1), [store, seen()]), fused),
  );
  const results = await storage.run("reader", () => run.toArray());
  expect(results).toEqual([
    ["maker", "maker"],
    ["maker", "maker"],
  ]);
});

test("a long row of values lets the host have its turn, also if none comes out at the end", async () => {
  const ways = [
    (source: Iterable<number>) => pipeline(source).map(triple, fused).toArray(),
    (source: Iterable<number>) =>
      pipeline(source)
        .filter(() => false, fused)
        .toArray(),
    (source: Iterable<number>) =>
      pipeline(source)
        .map(triple, fused)
        .filter(() => false)
        .toArray(),
  ];
  for (const run of ways) expect(await hostGetsItsTurn((over) => run(until(over)))).toBe(true);
});

describe("filter", () => {
  test("knows what is left", async () => {
    const isText = (value: unknown): value is string => typeof value === "string";
    const texts: string[] = await pipeline([1, "two", 3]).filter(isText, fused).toArray();
    expect(texts).toEqual(["two"]);
  });

  inBothRuntimes(
    "works on several values at once, keeps the order, and asks onError, as map does",
    async () => {
      const keep = async (n: number): Promise<boolean> => {
        await sleep(n);
        if (n === 2) throw boom;
        return n !== 4;
      };
      const run = pipeline([5, 4, 3, 2, 1]).filter(keep, { concurrency: 5, onError: () => "skip" });
      expect(await run.toArray()).toEqual([5, 3, 1]);
    },
    20,
  );
});

test.each(["concurrency", "ordered", "onError"])("a fused stage has no %s", (name) => {
  const options = { fused: true, [name]: 1 } as unknown as PipelineMapOptions<number>;
  for (const make of [
    () => pipeline([1]).map(triple, options),
    () => pipeline([1]).filter(isEven, options),
  ]) {
    expect(thrownBy(make)).toEqual(new TypeError(`${name} is for a stage of its own: this one is fused`));
  }
});

test("the types refuse what does not go together", () => {
  // @ts-expect-error -- a fused stage has no workers
  expect(() => pipeline([1]).map(triple, { fused: true, concurrency: 2 })).toThrow(TypeError);
  // @ts-expect-error -- and keeps the order anyway
  expect(() => pipeline([1]).filter(isEven, { fused: true, ordered: false })).toThrow(TypeError);
});

inBothRuntimes(
  "an observer counts fused stages, and knows which is slow",
  async () => {
    const stats = new PipelineStats();
    const run = pipeline([1, 2, 3, 4], { observer: stats })
      .map((n) => sleep(1).then(() => n), { name: "fetch" })
      .map((n) => sleep(10).then(() => n), { name: "parse", fused: true })
      .filter(isEven, { name: "even", fused: true })
      .map(triple, { name: "triple" });
    expect(await run.toArray()).toEqual([6, 12]);
    expect(stats.bottleneck).toBe("parse");
    expect(stats.stages.map(({ name, taken, given }) => [name, taken, given])).toEqual([
      ["source", 0, 4],
      ["fetch", 4, 4],
      ["parse", 4, 4],
      ["even", 4, 2],
      ["triple", 2, 2],
    ]);
    const [, fetch, parse, even] = stats.stages as [StageStats, StageStats, StageStats, StageStats];
    const shares = ({ working, blockedOnInput, blockedOnOutput }: StageStats): number[] =>
      [working, blockedOnInput, blockedOnOutput].map((share) => Math.round(share * 1000) / 1000);
    // One value after the other: 1 ms in the first and 10 ms in the second.
    expect(shares(fetch)).toEqual([0.091, 0, 0.909]);
    expect(shares(parse)).toEqual([0.909, 0.091, 0]);
    expect(shares(even)).toEqual([0, 1, 0]);
  },
  20,
);

inBothRuntimes(
  "an observer of a fused stage sees several at once, failures, and changes nothing",
  async () => {
    const stats = new PipelineStats();
    const run = pipeline([3, 2, 1, 4], { observer: stats })
      .map((n) => sleep(n).then(() => n), { concurrency: 4, ordered: false })
      .map((n) => sleep(10).then(() => (n === 4 ? Promise.reject(boom) : n)), fused);
    const seen: number[] = [];
    expect(await failureOf(run.forEach((n) => void seen.push(n)))).toBe(boom);
    expect(seen).toEqual([1, 2, 3]);
    expect(stats.stages[2]).toMatchObject({ name: "stage", taken: 4, given: 3, failed: 1, active: 0 });
  },
  20,
);
