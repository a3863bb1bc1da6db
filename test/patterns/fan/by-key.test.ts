import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { type FanKey, fanOutBy } from "concurrency-model-patterns/fan/by-key";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs: readonly Job[] = Array.from({ length: 24 }, (_, n) => ({ key: "abcdef"[(n * 7) % 6] ?? "", n }));
const same = <T>(value: T): T => value;
const boom = new Error("boom");

describe("fanOutBy", () => {
  inBothRuntimes(
    "works on the values of a key in order, one at a time, and always with one worker",
    async () => {
      const active = new Set<string>();
      const workerOf = new Map<string, number>();
      const started: Job[] = [];
      const work = async (job: Job, { worker }: { readonly worker: number }): Promise<Job> => {
        expect(active.has(job.key)).toBe(false);
        expect(workerOf.get(job.key) ?? worker).toBe(worker);
        active.add(job.key);
        workerOf.set(job.key, worker);
        started.push(job);
        await sleep((job.n * 5) % 4);
        active.delete(job.key);
        return job;
      };
      const results = await fanOutBy(jobs, ({ key }) => key, work, { workers: 3 }).toArray();
      expect(results).toHaveLength(jobs.length);
      for (const seen of [started, results]) {
        for (const key of "abcdef") {
          expect(seen.filter((job) => job.key === key)).toEqual(jobs.filter((job) => job.key === key));
        }
      }
      expect(new Set(workerOf.values()).size).toBeGreaterThan(1);
    },
    30,
  );

  test("lets different keys overlap", async () => {
    const { elapsedMs } = await simulate(async () => {
      const work = (): Promise<void> => sleep(10);
      await fanOutBy([0, 1, 2, 3, 0, 1, 2, 3], "round-robin", work, { workers: 4 }).toArray();
    });
    expect(elapsedMs).toBe(20);
  });

  inBothRuntimes(
    "gives each worker its turn with round-robin",
    async () => {
      const turns = await fanOutBy(jobs, "round-robin", ({ n }, { worker }) => [n, worker], {
        workers: 4,
      }).toArray();
      expect(turns.every(([n, worker]) => worker === ((n ?? 0) % 4) + 1)).toBe(true);
      expect(turns).toHaveLength(jobs.length);
    },
    20,
  );

  test("spreads keys that look alike over the workers", async () => {
    const keys = Array.from({ length: 400 }, (_, n) => `customer-${n}`);
    const perWorker = [0, 0, 0, 0];
    const work = (_: string, { worker }: { readonly worker: number }): void => {
      perWorker[worker - 1] = (perWorker[worker - 1] ?? 0) + 1;
    };
    await fanOutBy(keys, same, work, { workers: 4 }).toArray();
    expect(perWorker.every((count) => count > 70 && count < 130)).toBe(true);
  });

  test("holds the source up: no more wait than the lanes hold", async () => {
    await simulate(async () => {
      let made = 0;
      const source = function* (): Generator<number> {
        for (;;) yield made++;
      };
      const stuck = fanOutBy(source(), () => "one key", same, { workers: 3, laneCapacity: 2 });
      const iterator = stuck[Symbol.asyncIterator]();
      await iterator.next();
      await sleep(1000);
      // One was taken, one is a result, two wait in the lane, and one for the lane.
      expect(made).toBeLessThanOrEqual(5);
      await iterator.return?.();
    });
  });

  inBothRuntimes(
    "stops all when a worker, the source or the key fails; and skips what onError skips",
    async () => {
      const fails = (n: number): number => {
        if (n === 2) throw boom;
        return n;
      };
      const source = async function* (): AsyncGenerator<number> {
        yield 1;
        await sleep(1);
        throw boom;
      };
      const options = { workers: 2 };
      expect(await failureOf(fanOutBy([1, 2, 3], same, fails, options).toArray())).toBe(boom);
      expect(await failureOf(fanOutBy([1, 2, 3], fails, same, options).toArray())).toBe(boom);
      expect(await failureOf(fanOutBy(source(), same, same, options).toArray())).toBe(boom);
      const skipping = { workers: 2, onError: () => "skip" as const };
      expect(await fanOutBy([2, 1, 2], same, fails, skipping).toArray()).toEqual([1]);
    },
    20,
  );

  inBothRuntimes(
    "ends workers and source when its loop is left, and when its signal aborts",
    async () => {
      let open = 0;
      const source = async function* (ctx: Context): AsyncGenerator<number> {
        open++;
        try {
          for (let n = 0; ; n++) {
            await sleep(1, ctx);
            yield n;
          }
        } finally {
          open--;
        }
      };
      for await (const n of fanOutBy(source, same, same, { workers: 2 })) if (n >= 3) break;
      expect(open).toBe(0);
      const { ctx, cancel } = withCancel(background);
      const work = (n: number): number => {
        if (n === 5) cancel(boom);
        return n;
      };
      const options = { workers: 2, signal: ctx.signal };
      expect(await failureOf(fanOutBy(source, same, work, options).toArray())).toBe(boom);
      expect(open).toBe(0);
    },
    20,
  );

  test("refuses wrong arguments, and keys that cannot be told apart", async () => {
    const messageOf = (by: unknown, options: object): string =>
      (thrownBy(() => fanOutBy([1], by as "round-robin", same, options as { workers: number })) as Error)
        .message;
    expect(messageOf("random", { workers: 1 })).toBe('by must be one of "round-robin", got "random"');
    expect(messageOf(same, { workers: 0 })).toContain("workers must be");
    expect(messageOf(same, { workers: 1, laneCapacity: -1 })).toContain("laneCapacity must be");
    const object = (): FanKey => ({}) as unknown as FanKey;
    const failure = (await failureOf(fanOutBy([1], object, same, { workers: 1 }).toArray())) as Error;
    expect([failure.name, failure.message.startsWith("the type of a key must be one of")]).toEqual([
      "TypeError",
      true,
    ]);
  });
});
