import { describe, expect, test } from "vitest";
import { background, withCancel } from "concurrency-model-patterns/context";
import { consume, JobQueue } from "concurrency-model-patterns/producer-consumer";
import { inBatches } from "concurrency-model-patterns/producer-consumer/batches";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

describe("inBatches", () => {
  inBothRuntimes(
    "gives full batches, and the last one however small",
    async () => {
      const queue = new JobQueue<number>({ capacity: 10 });
      const batches: (readonly number[])[] = [];
      const team = consume(inBatches(queue, { size: 3, withinMs: 1e9 }), (batch) => void batches.push(batch));
      for (let n = 0; n < 8; n++) await queue.put(n);
      queue.close();
      await team.wait();
      expect(batches).toEqual([
        [0, 1, 2],
        [3, 4, 5],
        [6, 7],
      ]);
    },
    50,
  );

  inBothRuntimes(
    "gives a batch that is not full when its first value is old enough",
    async () => {
      const queue = new JobQueue<number>({ capacity: 10 });
      const batches: unknown[] = [];
      const team = consume(
        inBatches(queue, { size: 10, withinMs: 25 }),
        (batch) => void batches.push([now(), batch]),
      );
      for (let n = 0; n < 4; n++) {
        await sleep(10);
        await queue.put(n);
      }
      queue.close();
      await team.wait();
      expect(batches).toEqual([
        [35, [0, 1, 2]],
        [40, [3]],
      ]);
    },
    20,
  );

  inBothRuntimes(
    "without withinMs gives what is there",
    async () => {
      const queue = new JobQueue<number>({ capacity: 10 });
      const batches = inBatches(queue, { size: 3 });
      expect(batches.tryTake()).toBe(undefined);
      for (let n = 0; n < 5; n++) await queue.put(n);
      expect(await batches.take()).toEqual({ value: [0, 1, 2], done: false });
      expect(batches.tryTake()).toEqual({ value: [3, 4], done: false });
      batches.close();
      expect([await batches.take(), batches.tryTake()]).toEqual([
        { value: undefined, done: true },
        { value: undefined, done: true },
      ]);
    },
    20,
  );

  inBothRuntimes(
    "loses nothing when it is given up: it gives what it has, or has taken nothing",
    async () => {
      const queue = new JobQueue<number>({ capacity: 10 });
      const batches = inBatches(queue, { size: 3, withinMs: 1e9 });
      const first = withCancel(background);
      const empty = failureOf(batches.take(first.ctx));
      await settle();
      first.cancel("enough");
      expect(await empty).toBe("enough");
      const second = withCancel(background);
      const partial = batches.take(second.ctx);
      await queue.put(1);
      await settle();
      second.cancel("enough");
      expect(await partial).toEqual({ value: [1], done: false });
      expect(queue.waiting.takes).toBe(0);
    },
    20,
  );

  test("refuses wrong arguments at the call", () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    expect(thrownBy(() => inBatches(queue, { size: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => inBatches(queue, { size: 1, withinMs: Number.NaN }))).toBeInstanceOf(RangeError);
  });
});
