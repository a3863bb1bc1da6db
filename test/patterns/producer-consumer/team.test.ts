import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { FullError } from "concurrency-model-patterns/errors";
import { consume, JobQueue } from "concurrency-model-patterns/producer-consumer";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { failureOf } from "../../support/outcomes.ts";

describe("a paused team", () => {
  inBothRuntimes(
    "takes nothing, also when it was waiting for a value, and goes on after resume",
    async () => {
      const queue = new JobQueue<number>({ capacity: 5 });
      const seen: unknown[] = [];
      const team = consume(queue, (n) => void seen.push([n, now()]), { consumers: 2 });
      await sleep(1);
      team.pause();
      team.pause();
      for (const n of [1, 2, 3]) await queue.put(n);
      await sleep(10);
      expect([team.paused, seen, queue.size, queue.waiting.takes]).toEqual([true, [], 3, 0]);
      team.resume();
      team.resume();
      await queue.drain();
      queue.close();
      await team.wait();
      expect([team.paused, seen]).toEqual([false, [1, 2, 3].map((n) => [n, 11])]);
    },
    50,
  );

  inBothRuntimes(
    "finishes what it was at",
    async () => {
      const queue = new JobQueue<number>({ capacity: 5 });
      const team = consume(queue, () => sleep(10));
      await queue.put(1);
      await queue.put(2);
      await sleep(1);
      team.pause();
      await sleep(50);
      expect([team.processed, team.active, queue.size]).toEqual([1, 0, 1]);
      team.resume();
      queue.close();
      await team.wait();
      expect(team.processed).toBe(2);
    },
    50,
  );

  inBothRuntimes(
    "can be cancelled and disposed of, and loses nothing",
    async () => {
      const queue = new JobQueue<number>({ capacity: 5 });
      const team = consume(queue, () => {}, { consumers: 3 });
      await settle();
      team.pause();
      await queue.put(1);
      await settle();
      team.cancel("enough");
      expect(await failureOf(team.wait())).toBe("enough");
      expect([queue.size, queue.waiting.takes, team.unfinished]).toEqual([1, 0, []]);
    },
    50,
  );

  inBothRuntimes(
    "survives being paused and resumed at any moment",
    async () => {
      const queue = new JobQueue<number>({ capacity: 2 });
      const seen: number[] = [];
      const team = consume(queue, async (n) => sleep(1).then(() => void seen.push(n)), { consumers: 3 });
      const meddle = async (): Promise<void> => {
        for (let n = 0; n < 10; n++) {
          team.pause();
          await sleep(n % 3);
          team.resume();
          await sleep(n % 2);
        }
      };
      const meddling = meddle();
      for (let n = 0; n < 20; n++) await queue.put(n);
      queue.close();
      await meddling;
      await team.wait();
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    },
    100,
  );
});

describe("a team", () => {
  inBothRuntimes(
    "counts what failed beside what was processed",
    async () => {
      const queue = new JobQueue<number>({ capacity: 5 });
      const onError = (): void => {};
      const handler = (n: number): void => {
        if (n % 2 === 0) throw new Error("even");
      };
      const team = consume(queue, handler, { onError });
      for (let n = 0; n < 5; n++) await queue.put(n);
      queue.close();
      await team.wait();
      expect([team.processed, team.failed]).toEqual([2, 3]);
    },
    20,
  );
});

describe("a JobQueue", () => {
  test("drops the oldest or the newest as it is told, tells whoever made it, and counts", async () => {
    const storage = new AsyncLocalStorage<string>();
    const dropped: unknown[] = [];
    const queue = storage.run("maker", () => {
      const onDrop = (n: number, why: string): void => void dropped.push([n, why, storage.getStore()]);
      return new JobQueue<number>({ capacity: 2, overflow: "drop-oldest", onDrop });
    });
    for (const n of [1, 2, 3, 4]) await queue.put(n);
    await settle();
    expect(dropped).toEqual([
      [1, "drop-oldest", "maker"],
      [2, "drop-oldest", "maker"],
    ]);
    expect([queue.dropped, queue.clear(), queue.size]).toEqual([2, [3, 4], 0]);
    const newest = new JobQueue<number>({ capacity: 1, overflow: "drop-newest" });
    expect([newest.tryPut(1), newest.tryPut(2), newest.dropped]).toEqual([true, false, 1]);
  });

  inBothRuntimes(
    "refuses at once with the policy `error`",
    async () => {
      const queue = new JobQueue<number>({ capacity: 1, overflow: "error" });
      await queue.put(1);
      expect(await failureOf(queue.put(2))).toBeInstanceOf(FullError);
      expect(queue.clear()).toEqual([1]);
      await queue.put(3);
      expect(queue.size).toBe(1);
    },
    10,
  );

  inBothRuntimes(
    "clear gives back what is in it, lets waiting puts in, and ends a drain",
    async () => {
      const queue = new JobQueue<number>({ capacity: 2 });
      await queue.put(1);
      await queue.put(2);
      const third = queue.put(3);
      await settle();
      expect(queue.clear()).toEqual([1, 2]);
      await third;
      expect(queue.size).toBe(1);
      const drained = queue.drain();
      await settle();
      expect(queue.clear()).toEqual([3]);
      await drained;
    },
    20,
  );
});
