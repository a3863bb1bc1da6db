import { AsyncLocalStorage } from "node:async_hooks";
import { Channel } from "concurrency-model-patterns/channel";
import { CanceledError, ClosedError } from "concurrency-model-patterns/errors";
import { withCancel, background, type Context } from "concurrency-model-patterns/context";
import {
  consume,
  type TakenValue,
  type UnfinishedValue,
  JobQueue,
  produceConsume,
} from "concurrency-model-patterns/producer-consumer";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { random, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

function numbers(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

describe("JobQueue", () => {
  inBothRuntimes("puts wait while it is full, and get in in their order", async () => {
    const queue = new JobQueue<number>({ capacity: 2 });
    await queue.put(1);
    await queue.put(2);
    expect(queue.tryPut(9)).toBe(false);
    const third = queue.put(3);
    await settle();
    expect(queue.size).toBe(2);
    expect(queue.waiting).toEqual({ puts: 1, takes: 0 });
    expect(await queue.take()).toEqual({ value: 1, done: false });
    await third;
    expect(queue.tryPut(9)).toBe(false);
    queue.close();
    expect([queue.tryTake(), queue.tryTake(), queue.tryTake()]).toEqual([
      { value: 2, done: false },
      { value: 3, done: false },
      { value: undefined, done: true },
    ]);
  });

  inBothRuntimes("takes wait while it is empty, and undefined is an ordinary value", async () => {
    const queue = new JobQueue<undefined>({ capacity: 1 });
    expect(queue.tryTake()).toBe(undefined);
    const taken = queue.take();
    await settle();
    expect(queue.waiting).toEqual({ puts: 0, takes: 1 });
    await queue.put(undefined);
    expect(await taken).toEqual({ value: undefined, done: false });
    expect(queue.waiting).toEqual({ puts: 0, takes: 0 });
  });

  inBothRuntimes("closes when the last producer is done, and not before", async () => {
    const queue = new JobQueue<number>({ capacity: 10 });
    const producers = [queue.producer(), queue.producer(), queue.producer()];
    for (const [index, producer] of producers.entries()) {
      expect(queue.closed).toBe(false);
      await producer.put(index);
      producer.close();
      producer.close();
    }
    expect(queue.closed).toBe(true);
    expect(thrownBy(() => queue.producer())).toBeInstanceOf(ClosedError);
    const seen: number[] = [];
    for await (const value of queue) seen.push(value);
    expect(seen).toEqual([0, 1, 2]);
  });

  inBothRuntimes("a producer that closes while it puts is done when the value is in", async () => {
    const queue = new JobQueue<string>({ capacity: 1 });
    const producer = queue.producer();
    expect(producer.tryPut("a")).toBe(true);
    const put = producer.put("b");
    producer[Symbol.dispose]();
    await settle();
    expect(queue.closed).toBe(false);
    expect((await failureOf(producer.put("c"))) as Error).toMatchObject({ code: "CLOSED" });
    expect(thrownBy(() => producer.tryPut("c"))).toMatchObject({ code: "CLOSED" });
    expect((await queue.take()).value).toBe("a");
    await put;
    expect(queue.closed).toBe(true);
    expect((await queue.take()).value).toBe("b");
    expect((await queue.take()).done).toBe(true);
  });

  inBothRuntimes(
    "a cancelled put puts nothing, before and while it waits; a late abort changes nothing",
    async () => {
      const queue = new JobQueue<string>({ capacity: 1 });
      const reason = new Error("enough");
      const before = AbortSignal.abort(reason);
      expect(await failureOf(queue.put("x", { signal: before }))).toBe(reason);
      expect(queue.size).toBe(0);
      const { ctx, cancel } = withCancel(background);
      await queue.put("a", ctx);
      const waiting = ended(queue.put("y", ctx));
      await settle();
      cancel(reason);
      expect(await waiting).toEqual({ error: reason });
      expect(queue.waiting.puts).toBe(0);
      queue.close();
      const seen: string[] = [];
      for await (const value of queue) seen.push(value);
      expect(seen).toEqual(["a"]);
    },
  );

  inBothRuntimes(
    "a cancelled take has taken nothing, and a producer's cancelled put still counts as settled",
    async () => {
      const queue = new JobQueue<number>({ capacity: 1 });
      const { ctx, cancel } = withCancel(background);
      const take = ended(queue.take(ctx));
      await settle();
      cancel();
      expect(await take).toMatchObject({ error: { code: "CANCELED" } });
      expect(await ended(queue.take(ctx))).toMatchObject({ error: { code: "CANCELED" } });
      const producer = queue.producer();
      await producer.put(1);
      await failureOf(producer.put(2, ctx));
      producer.close();
      expect(queue.closed).toBe(true);
      expect(queue.size).toBe(1);
    },
  );

  inBothRuntimes("closing fails the puts that wait, with the cause that was given", async () => {
    const queue = new JobQueue<number>({ capacity: 0 });
    const put = failureOf(queue.put(1));
    await settle();
    const cause = new Error("disk full");
    queue.close(cause);
    queue.close(new Error("not this one"));
    for (const error of [await put, await failureOf(queue.put(2)), thrownBy(() => queue.tryPut(3))]) {
      expect(error).toBeInstanceOf(ClosedError);
      expect(error).toMatchObject({ message: "put on closed queue", cause });
    }
  });

  inBothRuntimes("closing gives done to the takes that wait", async () => {
    const queue = new JobQueue<number>({ capacity: 0 });
    const take = queue.take();
    await settle();
    await queue[Symbol.asyncDispose]();
    expect(await take).toEqual({ value: undefined, done: true });
  });

  test("a cancellation whose reason is a ClosedError is not taken for a closure of the queue", async () => {
    const reason = new ClosedError("something else");
    const queue = new JobQueue<number>({ capacity: 0 });
    queue.close();
    expect(await failureOf(queue.put(1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  inBothRuntimes("drain waits until the last value has been taken", async () => {
    const queue = new JobQueue<number>({ capacity: 5 });
    for (const n of numbers(3)) await queue.put(n);
    let drained = false;
    const drain = (async () => {
      await queue.drain();
      drained = true;
    })();
    await queue.take();
    await queue.take();
    await settle();
    expect(drained).toBe(false);
    await queue.take();
    await drain;
    await queue.drain();
  });

  inBothRuntimes("a drain can be given up; the queue is closed in any case", async () => {
    const queue = new JobQueue<number>({ capacity: 5 });
    await queue.put(1);
    const reason = new Error("enough");
    expect(await failureOf(queue.drain({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(queue.closed).toBe(true);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses a capacity of %d", (capacity) => {
    expect(() => new JobQueue({ capacity })).toThrow(RangeError);
  });
});

describe("consume", () => {
  inBothRuntimes(
    "works on each value once, with as many consumers as asked for",
    async () => {
      const queue = new JobQueue<number>({ capacity: 4 });
      const seen: number[] = [];
      const consumers = new Set<number>();
      let most = 0;
      const team = consume(
        queue,
        async (value, { consumer }) => {
          consumers.add(consumer);
          most = Math.max(most, team.active);
          await sleep(1);
          seen.push(value);
        },
        { consumers: 3 },
      );
      for (const n of numbers(20)) await queue.put(n);
      queue.close();
      await team.wait();
      expect(ascending(seen)).toEqual(numbers(20));
      expect(ascending([...consumers])).toEqual([1, 2, 3]);
      expect(most).toBe(3);
      expect([team.processed, team.active, team.unfinished.length]).toEqual([20, 0, 0]);
    },
    50,
  );

  inBothRuntimes("one consumer keeps the order", async () => {
    const queue = new JobQueue<number>({ capacity: 2 });
    const seen: number[] = [];
    const team = consume(queue, (value) => void seen.push(value));
    for (const n of numbers(10)) await queue.put(n);
    queue.close();
    await team.wait();
    expect(seen).toEqual(numbers(10));
  });

  inBothRuntimes("the first failure ends the team and reaches the producers as a cause", async () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    const failure = new Error("bad value");
    let told: unknown;
    const team = consume(
      queue,
      async (value, { ctx }) => {
        if (value === 2) throw failure;
        await ended(sleep(1000, ctx));
        told = ctx.cause;
        throw ctx.cause;
      },
      { consumers: 2 },
    );
    const refused = (async () => {
      await queue.put(1);
      await settle();
      for (const n of numbers(9, 2)) await queue.put(n);
    })();
    expect(await failureOf(refused)).toMatchObject({ code: "CLOSED", cause: failure });
    expect(await failureOf(team.wait())).toBe(failure);
    expect(told).toBe(failure);
    expect(ascending(team.unfinished.map(({ value }) => value))).toEqual([1, 2]);
    expect(queue.size).toBeLessThanOrEqual(1);
  });

  inBothRuntimes("with onError the team goes on, also after a handler that throws at once", async () => {
    const queue = new JobQueue<number>({ capacity: 10 });
    const failures: UnfinishedValue<number>[] = [];
    const handler = (value: number): void => {
      if (value % 2 === 1) throw new Error(`odd: ${value}`);
    };
    const team = consume(queue, handler, {
      onError: (error, failed) => void failures.push({ ...failed, error }),
    });
    for (const n of numbers(6)) await queue.put(n);
    queue.close();
    await team.wait();
    expect(team.processed).toBe(3);
    expect(failures.map(({ value }) => value)).toEqual([1, 3, 5]);
    expect(failures[0]).toEqual({ value: 1, consumer: 1, error: new Error("odd: 1") });
    expect(team.unfinished).toEqual([]);
  });

  inBothRuntimes("an onError that throws ends the team", async () => {
    const queue = new JobQueue<number>({ capacity: 10 });
    const worse = new Error("worse");
    const bad = new Error("bad");
    const team = consume(queue, () => Promise.reject(bad), { onError: () => Promise.reject(worse) });
    await queue.put(1);
    expect(await failureOf(team.wait())).toBe(worse);
    expect(team.unfinished).toEqual([{ value: 1, consumer: 1, error: bad }]);
    expect(queue.closed).toBe(true);
  });

  inBothRuntimes("a team that is cancelled leaves the rest in the queue for the next one", async () => {
    const queue = new JobQueue<number>({ capacity: 10 });
    for (const n of numbers(5)) await queue.put(n);
    const reason = new Error("shutdown");
    const first = consume(queue, (_, { ctx }) => sleep(1000, ctx), { consumers: 2 });
    await settle();
    first.cancel(reason);
    expect(await failureOf(first.wait())).toBe(reason);
    expect(ascending(first.unfinished.map(({ value }) => value))).toEqual([0, 1]);
    expect(first.unfinished.every(({ error }) => error === reason)).toBe(true);
    expect([queue.size, queue.closed]).toEqual([3, false]);
    const seen: number[] = [];
    const second = consume(queue, (value) => void seen.push(value));
    queue.close();
    await second.wait();
    expect(seen).toEqual([2, 3, 4]);
  });

  inBothRuntimes("with a signal that has aborted nothing is taken", async () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    await queue.put(1);
    const reason = new Error("too late");
    const team = consume(queue, () => {}, { signal: AbortSignal.abort(reason) });
    expect(await failureOf(team.wait())).toBe(reason);
    expect([team.processed, queue.size]).toEqual([0, 1]);
  });

  inBothRuntimes("disposing cancels and waits until no handler runs", async () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    await queue.put(1);
    let cleaned = false;
    const team = consume(queue, async (_, { ctx }) => {
      await ended(sleep(1000, ctx));
      await sleep(1);
      cleaned = true;
    });
    await settle();
    await team[Symbol.asyncDispose]();
    expect(cleaned).toBe(true);
    expect(team.processed).toBe(1);
  });

  inBothRuntimes("who waits for the team can leave; the team goes on", async () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    const team = consume(queue, () => {});
    const { ctx, cancel } = withCancel(background);
    const wait = ended(team.wait(ctx));
    await settle();
    cancel();
    expect(await wait).toMatchObject({ error: { code: "CANCELED" } });
    await queue.put(1);
    queue.close();
    await team.wait();
    expect(team.processed).toBe(1);
  });

  test("a handler runs in the async context of whoever called consume, and no listener is left", async () => {
    const storage = new AsyncLocalStorage<string>();
    const controller = new AbortController();
    const queue = new JobQueue<number>({ capacity: 1 });
    const seen: (string | undefined)[] = [];
    const options = { consumers: 3, signal: controller.signal };
    const team = storage.run("consumer", () =>
      consume(queue, () => void seen.push(storage.getStore()), options),
    );
    await storage.run("producer", async () => {
      for (const n of numbers(5)) await queue.put(n);
    });
    queue.close();
    await team.wait();
    expect(seen).toEqual(Array.from({ length: 5 }, () => "consumer"));
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("refuses what is no handler and what is no number of consumers", () => {
    const queue = new JobQueue<number>({ capacity: 1 });
    expect(() => consume(queue, 1 as never)).toThrow(TypeError);
    expect(() => consume(queue, () => {}, { onError: 1 as never })).toThrow("onError must be a function");
    expect(() => consume(queue, () => {}, { consumers: 0 })).toThrow(RangeError);
  });
});

describe("conservation", () => {
  /** Producers and consumers, some of which fail, called off at a random moment. */
  async function program(): Promise<void> {
    const capacity = Math.floor(random() * 5);
    const queue = new JobQueue<number>({ capacity });
    const { ctx, cancel } = withCancel(background);
    const submitted: number[] = [];
    const processed: number[] = [];
    const reported: number[] = [];
    const consumers = 1 + Math.floor(random() * 3);
    const failing = random() < 0.3;
    const report = (_: unknown, { value }: TakenValue<number>): void => void reported.push(value);
    const team = consume(
      queue,
      async (value, scope) => {
        await sleep(random() * 4, scope.ctx);
        if (value % 7 === 3) throw new Error("unlucky");
        processed.push(value);
      },
      { consumers, signal: ctx.signal, onError: failing ? undefined : report },
    );
    await TaskGroup.run(async (group) => {
      for (let p = 0; p < 3; p++) {
        const producer = queue.producer();
        group.go(async () => {
          for (const n of numbers(10, p * 10)) {
            const put = await ended(producer.put(n, ctx));
            if ("value" in put) submitted.push(n);
            expect(queue.size).toBeLessThanOrEqual(capacity);
            await ended(sleep(random() * 2, ctx));
          }
          producer.close();
        });
      }
      const canceller = group.go((scope) => ended(sleep(random() * 60, scope)).then(() => cancel()));
      await ended(team.wait());
      canceller.cancel();
      cancel();
    });
    const unfinished = team.unfinished.map(({ value }) => value);
    const left: number[] = [];
    for (let taken = queue.tryTake(); taken?.done === false; taken = queue.tryTake()) left.push(taken.value);
    const found = [...processed, ...reported, ...unfinished, ...left];
    expect(ascending(found)).toEqual(ascending(submitted));
    expect(team.processed).toBe(processed.length);
    expect(unfinished.length).toBeLessThanOrEqual(consumers);
    expect([team.active, queue.waiting]).toEqual([0, { puts: 0, takes: 0 }]);
  }

  test("processed, left, reported and unfinished are what was submitted (80 seeds)", async () => {
    await overSeeds(80, async (seed) => {
      await simulate(program, { seed });
    });
  });

  test("0 <= size <= capacity at every event (50 seeds)", async () => {
    await overSeeds(50, async (seed) => {
      const events: RunEvent[] = [];
      const sources = [numbers(20), numbers(20, 20)];
      const run = (): Promise<void> => produceConsume(sources, () => sleep(1), { capacity: 3, consumers: 2 });
      await simulate(run, { seed, onEvent: (event) => events.push(event) });
      const levels = events.flatMap((event) => ("n" in event ? [event.n] : []));
      expect(levels).toHaveLength(80);
      expect(levels.every((n) => n >= 0 && n <= 3)).toBe(true);
    });
  });
});

describe("produceConsume", () => {
  inBothRuntimes(
    "gives each of 4 x 1000 values to one of 4 consumers, once, in its producer's order",
    async () => {
      const sources = numbers(4).map((p) => numbers(1000, p * 1000));
      const seen = numbers(4).map((): number[] => []);
      const last = new Map<string, number>();
      const overtaken: number[] = [];
      await produceConsume(
        sources,
        (value, { consumer }) => {
          const lane = `${consumer} ${Math.floor(value / 1000)}`;
          if ((last.get(lane) ?? -1) >= value) overtaken.push(value);
          last.set(lane, value);
          seen[consumer - 1]?.push(value);
        },
        { capacity: 7, consumers: 4 },
      );
      expect(overtaken).toEqual([]);
      expect(ascending(seen.flat())).toEqual(numbers(4000));
    },
    2,
  );

  inBothRuntimes("ends at once without any source", async () => {
    await produceConsume([], () => {}, { capacity: 1 });
    await produceConsume([[], []], () => {}, { capacity: 0, consumers: 2 });
  });

  inBothRuntimes("a source that ends at once does not close the queue for the others", async () => {
    async function* late(ctx: Context): AsyncGenerator<string> {
      await sleep(2, ctx);
      yield "late";
    }
    const seen: string[] = [];
    await produceConsume([[], late], (value) => void seen.push(value), { capacity: 1 });
    expect(seen).toEqual(["late"]);
  });

  inBothRuntimes("a source that fails stops all, and its error comes out", async () => {
    const failure = new Error("source failed");
    let running = 0;
    async function* endless(ctx: Context): AsyncGenerator<number> {
      running++;
      try {
        for (;;) {
          yield 1;
          await sleep(1, ctx);
        }
      } finally {
        running--;
      }
    }
    async function* failing(): AsyncGenerator<number> {
      yield 2;
      throw failure;
    }
    const run = produceConsume([endless, failing], () => sleep(1), { capacity: 1, consumers: 2 });
    expect(await failureOf(run)).toBe(failure);
    expect(running).toBe(0);
  });

  inBothRuntimes(
    "a handler that fails stops producers that wait for room, and its error comes out",
    async () => {
      const failure = new Error("handler failed");
      let running = 0;
      function* endless(): Generator<number> {
        running++;
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          running--;
        }
      }
      const handler = async (value: number): Promise<void> => {
        await sleep(1);
        if (value === 2) throw failure;
      };
      expect(await failureOf(produceConsume([endless, endless], handler, { capacity: 1 }))).toBe(failure);
      expect(running).toBe(0);
    },
  );

  inBothRuntimes("what a source fails with on its way out is attached to what sent it there", async () => {
    const [failure, onTheWayOut] = [new Error("handler failed"), new Error("source failed")];
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield 1;
      } finally {
        await sleep(1);
        await Promise.reject(onTheWayOut);
      }
    }
    const handler = async (): Promise<void> => {
      await sleep(1);
      throw failure;
    };
    const run = produceConsume([endless, [1, 2, 3]], handler, { capacity: 0 });
    expect(await failureOf(run)).toBe(failure);
    // And nothing else: that the other source could not go on is a consequence.
    expect(failure).toHaveProperty("suppressed", [onTheWayOut]);
  });

  inBothRuntimes("what another handler fails with when all is stopped is attached as well", async () => {
    const failures = [new Error("of the first"), new Error("of the second"), new CanceledError()];
    const handler = async (value: number): Promise<void> => {
      await sleep(value);
      throw failures[value - 1] as Error;
    };
    const run = produceConsume([[1, 2, 3]], handler, { capacity: 3, consumers: 3 });
    expect(await failureOf(run)).toBe(failures[0]);
    expect(failures[0]).toHaveProperty("suppressed", [failures[1]]);
  });

  inBothRuntimes("a channel that is silent is let go when a handler fails", async () => {
    const failure = new Error("handler failed");
    const source = new Channel<number>(1);
    await source.send(1);
    const run = produceConsume([source], () => Promise.reject(failure), { capacity: 1 });
    expect(await failureOf(run)).toBe(failure);
    expect(source.waiting).toEqual({ senders: 0, receivers: 0 });
  });

  inBothRuntimes("a signal stops everything, and its reason comes out", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    void sleep(3).then(() => controller.abort(reason));
    function* endless(): Generator<number> {
      for (;;) yield 1;
    }
    const options = { capacity: 2, consumers: 2, signal: controller.signal };
    const run = produceConsume([endless], (_, { ctx }) => sleep(1, ctx), options);
    expect(await failureOf(run)).toBe(reason);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("refuses a wrong handler and a wrong capacity", async () => {
    await expect(produceConsume([[1]], 1 as never, { capacity: 1 })).rejects.toThrow(TypeError);
    await expect(produceConsume([[1]], () => {}, { capacity: -1 })).rejects.toThrow(RangeError);
  });
});
