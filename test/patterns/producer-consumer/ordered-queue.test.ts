import { describe, expect, test } from "vitest";
import { background, withCancel } from "concurrency-model-patterns/context";
import { ClosedError } from "concurrency-model-patterns/errors";
import { consume } from "concurrency-model-patterns/producer-consumer";
import { OrderedQueue } from "concurrency-model-patterns/producer-consumer/ordered-queue";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { explore } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";

async function taken<T>(queue: OrderedQueue<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of queue) values.push(value);
  return values;
}

describe("OrderedQueue", () => {
  inBothRuntimes(
    "gives the urgent first, and equal ones in the order of the puts",
    async () => {
      const queue = new OrderedQueue<string>({ capacity: 10 });
      await queue.put("a");
      await queue.put("low", { priority: -1 });
      await queue.put("urgent", { priority: 3 });
      await queue.put("b");
      queue.close();
      expect(await taken(queue)).toEqual(["urgent", "a", "b", "low"]);
      await queue.drain();
    },
    20,
  );

  inBothRuntimes(
    "lets lanes take turns: one with one value waits for no lane with a hundred",
    async () => {
      const laneOf = (job: string) => job[0];
      const queue = new OrderedQueue<string>({ capacity: 200, laneOf });
      for (let n = 0; n < 100; n++) await queue.put(`a${n}`);
      for (const job of ["b0", "c0", "b1"]) await queue.put(job);
      queue.close();
      const order = await taken(queue);
      expect(order.slice(0, 6)).toEqual(["a0", "b0", "c0", "a1", "b1", "a2"]);
      expect(order).toHaveLength(103);
      expect(order.slice(6)).toEqual(Array.from({ length: 97 }, (_, n) => `a${n + 3}`));
    },
    20,
  );

  inBothRuntimes(
    "keeps a value back for its delay, counts it, and still gives it after close",
    async () => {
      const queue = new OrderedQueue<string>({ capacity: 2 });
      await queue.put("later", { delayMs: 50 });
      await queue.put("now");
      expect([queue.size, queue.delayed, queue.tryPut("more")]).toEqual([2, 1, false]);
      expect(await queue.take()).toEqual({ value: "now", done: false });
      expect(queue.tryTake()).toBe(undefined);
      queue.close();
      expect(await queue.take()).toEqual({ value: "later", done: false });
      expect(now()).toBe(50);
      expect(await queue.take()).toEqual({ value: undefined, done: true });
      expect([queue.size, queue.delayed]).toEqual([0, 0]);
    },
    20,
  );

  inBothRuntimes(
    "lets puts wait for room in their order, and takes for a value in theirs",
    async () => {
      const queue = new OrderedQueue<number>({ capacity: 1 });
      const takes = [queue.take(), queue.take()];
      await settle();
      expect(queue.waiting).toEqual({ puts: 0, takes: 2 });
      for (const n of [1, 2, 3]) await queue.put(n);
      expect(await Promise.all(takes)).toEqual([
        { value: 1, done: false },
        { value: 2, done: false },
      ]);
      const puts = [queue.put(4), queue.put(5)];
      await settle();
      expect(queue.waiting).toEqual({ puts: 2, takes: 0 });
      expect(queue.oldestMs).toBeGreaterThan(0);
      queue.close(new Error("enough"));
      const refused = (await failureOf(puts[0] as Promise<void>)) as ClosedError;
      expect([refused.code, refused.cause]).toEqual(["CLOSED", new Error("enough")]);
      expect(await failureOf(puts[1] as Promise<void>)).toBeInstanceOf(ClosedError);
      expect(await taken(queue)).toEqual([3]);
      expect(thrownBy(() => queue.tryPut(6))).toBeInstanceOf(ClosedError);
    },
    50,
  );

  inBothRuntimes(
    "a cancelled put puts nothing, a cancelled take takes nothing, before and while it waits",
    async () => {
      const queue = new OrderedQueue<number>({ capacity: 1 });
      const { ctx, cancel } = withCancel(background);
      const take = failureOf(queue.take(ctx));
      await settle();
      cancel("enough");
      expect([await take, await failureOf(queue.take(ctx)), queue.waiting.takes]).toEqual([
        "enough",
        "enough",
        0,
      ]);
      await queue.put(1);
      const second = withCancel(background);
      const put = failureOf(queue.put(2, second.ctx));
      await settle();
      second.cancel("enough");
      expect([await put, await failureOf(queue.put(3, second.ctx))]).toEqual(["enough", "enough"]);
      queue.close();
      expect(await taken(queue)).toEqual([1]);
    },
    50,
  );

  inBothRuntimes(
    "clear gives back what is in it, also what is delayed, and lets waiting puts in",
    async () => {
      const queue = new OrderedQueue<string>({ capacity: 2 });
      await queue.put("a");
      await queue.put("later", { delayMs: 1e9 });
      const put = queue.put("b");
      await settle();
      expect(queue.clear()).toEqual(["a", "later"]);
      await put;
      expect([queue.size, queue.delayed]).toEqual([1, 0]);
      queue.close();
      expect(await taken(queue)).toEqual(["b"]);
    },
    20,
  );

  inBothRuntimes(
    "what was delayed when it was cleared never comes",
    async () => {
      const queue = new OrderedQueue<string>({ capacity: 2 });
      await queue.put("later", { delayMs: 5 });
      expect(queue.clear()).toEqual(["later"]);
      await sleep(20);
      expect([queue.tryTake(), queue.size, queue.delayed]).toEqual([undefined, 0, 0]);
    },
    20,
  );

  inBothRuntimes(
    "leaves no timer and nobody waiting when it is disposed of",
    async () => {
      const drained = { done: false };
      {
        await using queue = new OrderedQueue<string>({ capacity: 2 });
        await queue.put("later", { delayMs: 1e9 });
        void queue.drain().then(() => (drained.done = true));
        await settle();
      }
      await settle();
      expect(drained.done).toBe(true);
    },
    20,
  );

  inBothRuntimes(
    "is consumed by a team like any other queue",
    async () => {
      const queue = new OrderedQueue<number>({ capacity: 3, laneOf: (n) => n % 3 });
      const seen: number[] = [];
      const team = consume(queue, async (n) => sleep(n % 5).then(() => void seen.push(n)), { consumers: 4 });
      for (let n = 0; n < 30; n++) await queue.put(n, { priority: n % 2, delayMs: n % 4 });
      await queue.drain();
      await team.wait();
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n));
      expect(team.processed).toBe(30);
    },
    50,
  );

  test.for([0, 5])(
    "in every order of a put that gets in, delayed by %d ms, and a disposal: what is in is given up, and nothing comes later",
    async (delayMs) => {
      const ways = new Set<string>();
      const program = async (): Promise<void> => {
        const queue = new OrderedQueue<string>({ capacity: 1 });
        await queue.put("first");
        await TaskGroup.run((group) => {
          group.go(async () => {
            const put = await ended(queue.put("second", { delayMs }));
            if ("error" in put) expect(put.error).toBeInstanceOf(ClosedError);
            ways.add("error" in put ? "refused" : "put");
          });
          group.go(async () => {
            await queue.take();
            await queue[Symbol.asyncDispose]();
          });
        });
        expect([queue.size, queue.delayed, queue.waiting]).toEqual([0, 0, { puts: 0, takes: 0 }]);
        expect(await queue.take()).toEqual({ value: undefined, done: true });
      };
      expect((await explore(program)).complete).toBe(true);
      expect([...ways].toSorted()).toEqual(["put", "refused"]);
    },
  );

  inBothRuntimes(
    "a value whose put was just let in is cleared, taken and counted like any other",
    async () => {
      const queue = new OrderedQueue<string>({ capacity: 1 });
      await queue.put("a");
      const puts = [queue.put("b"), queue.put("c")];
      await settle();
      expect(queue.tryTake()).toEqual({ value: "a", done: false });
      expect(queue.clear()).toEqual(["b"]);
      expect(queue.tryTake()).toEqual({ value: "c", done: false });
      await Promise.all(puts);
      await queue[Symbol.asyncDispose]();
    },
    20,
  );

  test("lets in a long line of puts for as many takes at once, when the delay that held all up is over", async () => {
    const count = 4000;
    const queue = new OrderedQueue<number>({ capacity: 1 });
    await queue.put(0, { delayMs: 2 });
    const puts = Array.from({ length: count }, (_, n) => queue.put(n + 1));
    const takes = Array.from({ length: count + 1 }, () => queue.take());
    const values = (await Promise.all(takes)).map(({ value }) => value);
    expect(values).toEqual(Array.from({ length: count + 1 }, (_, n) => n));
    await Promise.all(puts);
  });

  test("refuses wrong arguments at the call", () => {
    expect(thrownBy(() => new OrderedQueue({ capacity: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new OrderedQueue({ capacity: 1, laneOf: 3 as never }))).toBeInstanceOf(TypeError);
    const queue = new OrderedQueue<number>({ capacity: 1 });
    expect(thrownBy(() => queue.put(1, { delayMs: -1 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => queue.put(1, { priority: 0.5 }))).toBeInstanceOf(RangeError);
    expect(queue.size).toBe(0);
  });
});
