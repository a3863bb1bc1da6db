import { AsyncLocalStorage } from "node:async_hooks";
import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { fanOut } from "concurrency-model-patterns/fan";
import type { Flow } from "concurrency-model-patterns/flow";
import {
  type FailedValue,
  type OnValueError,
  pipeline,
  type ErrorVerdict,
} from "concurrency-model-patterns/pipeline";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { hostGetsItsTurn } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

type Run = (
  source: Iterable<number>,
  work: (n: number, ctx: Context) => number | Promise<number>,
  options: { readonly onError: OnValueError<number>; readonly signal?: AbortSignal },
) => Flow<number>;

const ways: Readonly<Record<string, Run>> = {
  "a stage that works on one value at a time": (source, work, { onError, signal }) =>
    pipeline(source, { signal }).map(work, { onError }),
  "a stage that keeps the order": (source, work, { onError, signal }) =>
    pipeline(source, { signal }).map(work, { onError, concurrency: 3 }),
  "a stage that gives results as they come": (source, work, { onError, signal }) =>
    pipeline(source, { signal }).map(work, { onError, concurrency: 3, ordered: false }),
  "a fan-out": (source, work, options) =>
    fanOut(source, (n, { ctx }) => work(n, ctx), { ...options, workers: 3 }),
  "a fan-out in order": (source, work, options) =>
    fanOut(source, (n, { ctx }) => work(n, ctx), { ...options, workers: 3, ordered: true }),
};

const boom = new Error("boom");
const oddFail = async (n: number): Promise<number> => {
  await sleep((n * 5) % 3);
  if (n % 2 === 1) throw boom;
  return n;
};
const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

describe.each(Object.entries(ways))("the onError of %s", (_, run) => {
  inBothRuntimes(
    "skips what it says, and nothing else",
    async () => {
      const results = await run([0, 1, 2, 3, 4, 5], oddFail, { onError: () => "skip" }).toArray();
      expect(ascending(results)).toEqual([0, 2, 4]);
    },
    20,
  );

  inBothRuntimes(
    "tries again what it says, as often as it says",
    async () => {
      const tries = new Map<number, number>();
      const work = async (n: number): Promise<number> => {
        tries.set(n, (tries.get(n) ?? 0) + 1);
        await sleep(1);
        if ((tries.get(n) ?? 0) <= n) throw boom;
        return n;
      };
      const seen: (FailedValue<number> & { error: unknown })[] = [];
      const onError = (error: unknown, failed: FailedValue<number>): ErrorVerdict => {
        seen.push({ ...failed, error });
        return failed.attempt < 3 ? "retry" : "skip";
      };
      expect(ascending(await run([0, 1, 2, 3, 4], work, { onError }).toArray())).toEqual([0, 1, 2]);
      expect([...tries].toSorted(([a], [b]) => a - b)).toEqual(
        [0, 1, 2, 3, 4].map((n) => [n, Math.min(n + 1, 3)]),
      );
      expect(seen.filter(({ value }) => value === 3)).toEqual(
        [1, 2, 3].map((attempt) => ({ value: 3, error: boom, attempt })),
      );
    },
    20,
  );

  inBothRuntimes(
    "ends all with the very failure when it says so, or with what it throws itself",
    async () => {
      const own = new Error("own");
      const fails = (): ErrorVerdict => "fail";
      expect(await failureOf(run([1], oddFail, { onError: fails }).toArray())).toBe(boom);
      const throws = (): never => {
        throw own;
      };
      const failure = await failureOf(run([1], oddFail, { onError: throws }).toArray());
      expect(failure).toBe(own);
      expect((failure as { suppressed?: unknown }).suppressed).toEqual([boom]);
    },
    10,
  );

  inBothRuntimes(
    "hands values to a dead-letter channel, which holds the stage up when it is full",
    async () => {
      const dead = new Channel<number>(1);
      const onError: OnValueError<number> = (_, { value }, ctx) =>
        dead.send(value, ctx).then(() => "skip" as const);
      const letters: number[] = [];
      const given = await TaskGroup.run(async (group) => {
        const running = group.go(async () => {
          const results = await run([1, 3, 5, 7, 9, 2], oddFail, { onError }).toArray();
          dead.close();
          return results;
        });
        await sleep(100);
        expect(dead.size).toBe(1);
        for await (const letter of dead) letters.push(letter);
        return running.join();
      });
      expect([ascending(letters), given]).toEqual([[1, 3, 5, 7, 9], [2]]);
    },
    20,
  );

  inBothRuntimes(
    "is not asked when all is given up, and its own wait ends then",
    async () => {
      let asked = 0;
      const { ctx, cancel } = withCancel(background);
      const onError: OnValueError<number> = async (_error, _failed, own): Promise<ErrorVerdict> => {
        asked++;
        await sleep(60_000, own);
        return "retry";
      };
      const work = async (n: number, own: Context): Promise<number> => {
        if (n === 0) throw boom;
        await sleep(60_000, own);
        return n;
      };
      const startMs = now();
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(boom)));
        expect(await failureOf(run([0, 1, 2], work, { onError, signal: ctx.signal }).toArray())).toBe(boom);
      });
      expect([asked, now() - startMs < 1000]).toEqual([1, true]);
    },
    20,
  );
});

describe("onError", () => {
  inBothRuntimes(
    "leaves the results of the others in the order of the input",
    async () => {
      const results = pipeline([5, 1, 4, 2, 3, 0]).map(
        async (n) => {
          await sleep(n);
          if (n === 4 || n === 2) throw boom;
          return n;
        },
        { concurrency: 4, onError: () => "skip" },
      );
      expect(await results.toArray()).toEqual([5, 1, 3, 0]);
    },
    20,
  );

  test("runs in the async context of whoever made the pipeline", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const results = storage.run("maker", () =>
      pipeline([1]).map(oddFail, {
        onError: () => {
          seen.push(storage.getStore());
          return "skip";
        },
      }),
    );
    await storage.run("reader", () => results.toArray());
    expect(seen).toEqual(["maker"]);
  });

  test("that tries again for ever lets timers and I/O have their turn", async () => {
    const trying = (over: () => boolean) => {
      const work = (): number => {
        if (!over()) throw boom;
        return 1;
      };
      return pipeline([1])
        .map(work, { onError: () => "retry" })
        .toArray();
    };
    expect(await hostGetsItsTurn(trying)).toBe(true);
  });

  test("must be a function, and must say what is to be done", async () => {
    const wrong = "skip" as unknown as OnValueError<number>;
    const text = 'onError must be a function, got "skip"';
    expect((thrownBy(() => pipeline([1]).map(oddFail, { onError: wrong })) as Error).message).toBe(text);
    const refused = thrownBy(() => fanOut([1], oddFail, { workers: 1, onError: wrong }));
    expect((refused as Error).message).toBe(text);
    const silent = (() => undefined) as unknown as OnValueError<number>;
    const failure = await failureOf(pipeline([1]).map(oddFail, { onError: silent }).toArray());
    expect((failure as Error).message).toBe(
      'the verdict of onError must be one of "fail", "skip", "retry", got undefined',
    );
    expect((failure as { suppressed?: unknown }).suppressed).toEqual([boom]);
  });
});
