import { Channel } from "concurrency-model-patterns/channel";
import { background, withTimeout } from "concurrency-model-patterns/context";
import { fanIn, fanOut } from "concurrency-model-patterns/fan";
import { Flow } from "concurrency-model-patterns/flow";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { failureOf } from "../support/outcomes.ts";

describe("pipeline", () => {
  inBothRuntimes("keeps the order of its input, however its stages overlap", async () => {
    const results = pipeline([5, 1, 4, 2, 3])
      .map(async (n) => (await sleep(n), n * 10), { concurrency: 3 })
      .map((n) => n + 1);
    expect(await results.toArray()).toEqual([51, 11, 41, 21, 31]);
  });

  inBothRuntimes(
    "gives results as they come, if it is told to",
    async () => {
      const results = pipeline([30, 10, 20]).map(async (n) => (await sleep(n), n), {
        concurrency: 3,
        ordered: false,
      });
      expect(await results.toArray()).toEqual([10, 20, 30]);
    },
    50,
  );

  inBothRuntimes(
    "stops everything before a stage that ends early, and finishes the source",
    async () => {
      let finished = false;
      async function* endless(): AsyncGenerator<number> {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          finished = true;
        }
      }
      const first = pipeline(endless).through(async function* (numbers) {
        let left = 3;
        for await (const n of numbers) {
          yield n;
          if (--left === 0) return;
        }
      });
      expect([await first.toArray(), finished]).toEqual([[0, 1, 2], true]);
    },
    50,
  );

  inBothRuntimes(
    "has ended every stage when it ends, however that comes about",
    async () => {
      const boom = new Error("boom");
      const fail = (): never => {
        throw boom;
      };
      let open = 0;
      async function* endless(): AsyncGenerator<number> {
        open++;
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          await sleep(10);
          open--;
        }
      }
      const first = pipeline(endless).through(async function* (numbers) {
        const next = await numbers[Symbol.asyncIterator]().next();
        if (next.done !== true) yield next.value;
      });
      expect([await first.toArray(), open]).toEqual([[0], 0]);
      const failing = pipeline(endless).map(fail);
      expect([await failureOf(failing.toArray()), open]).toEqual([boom, 0]);
      for await (const _ of pipeline(endless).map((n) => n)) break;
      expect(open).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "throws the failure of any stage, once every stage has ended",
    async () => {
      const boom = new Error("boom");
      let running = 0;
      const work = async (n: number): Promise<number> => {
        running++;
        await sleep(n);
        running--;
        if (n === 2) throw boom;
        return n;
      };
      const results = pipeline([1, 2, 3, 4]).map(work, { concurrency: 2 }).map(work);
      expect([await failureOf(results.toArray()), running]).toEqual([boom, 0]);
    },
    50,
  );
});

describe("a context in the place of the options", () => {
  test.each([
    ["pipeline", (ctx: object) => pipeline(new Channel<number>(), ctx)],
    ["fanOut", (ctx: object) => fanOut(new Channel<number>(), (n) => n, Object.assign(ctx, { workers: 1 }))],
    ["fanIn", (ctx: object) => fanIn([new Channel<number>()], ctx)],
    ["Flow", (ctx: object) => new Flow<number>((_, group) => sleep(60_000, group.ctx), ctx)],
  ] as const)("ends %s", async (_, make) => {
    const { ctx } = withTimeout(background, 5);
    const failure = await failureOf(make(ctx).toArray());
    expect((failure as Error).message).toBe("context deadline exceeded");
  });
});

describe("a source that fails because its stage failed", () => {
  const first = new Error("of the stage");
  const second = new Error("of the source, on its way out");
  const source = async function* (): AsyncGenerator<number> {
    try {
      yield* [1, 2, 3];
    } finally {
      await sleep(1).then(() => Promise.reject(second));
    }
  };
  const work = (): never => {
    throw first;
  };
  const stages: Record<string, () => Promise<unknown>> = {
    map: () => pipeline(source).map(work).toArray(),
    "map with concurrency": () => pipeline(source).map(work, { concurrency: 2 }).toArray(),
    "through, by a loop": () =>
      pipeline(source)
        .through(async function* (input) {
          for await (const value of input) yield [value, work()];
        })
        .toArray(),
    forEach: () => pipeline(source).forEach(work),
  };

  for (const [name, run] of Object.entries(stages)) {
    inBothRuntimes(
      `does not hide the failure of the stage, and is attached to it: ${name}`,
      async () => {
        const error = await run().catch((reason: unknown) => reason);
        expect(error).toBe(first);
        expect((error as { readonly suppressed?: unknown }).suppressed).toEqual([second]);
      },
      20,
    );
  }
});
