import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { ClosedError, TimeoutError } from "concurrency-model-patterns/errors";
import { consume } from "concurrency-model-patterns/producer-consumer";
import {
  AcknowledgedQueue,
  acknowledging,
  type AcknowledgedQueueOptions,
  type DeadLetter,
  type Delivery,
} from "concurrency-model-patterns/producer-consumer/acknowledged-queue";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { explore } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";

interface Bench {
  readonly queue: AcknowledgedQueue<string>;
  readonly dead: DeadLetter<string>[];
}

function bench(options: Partial<AcknowledgedQueueOptions<string>> = {}): Bench {
  const dead: DeadLetter<string>[] = [];
  const onDeadLetter = (letter: DeadLetter<string>): void => void dead.push(letter);
  return {
    dead,
    queue: new AcknowledgedQueue<string>({ capacity: 10, visibilityMs: 100, onDeadLetter, ...options }),
  };
}

async function next(queue: AcknowledgedQueue<string>): Promise<Delivery<string>> {
  const taken = await queue.take();
  if (taken.done === true) throw new Error("it was expected to give a value");
  return taken.value;
}

describe("AcknowledgedQueue", () => {
  inBothRuntimes(
    "forgets a value when it is acknowledged, and not before",
    async () => {
      const { queue } = bench({ capacity: 1 });
      await queue.put("a");
      const delivery = await next(queue);
      expect([queue.size, queue.held, queue.tryPut("b"), delivery.held]).toEqual([1, 1, false, true]);
      expect([delivery.ack(), delivery.ack(), delivery.nak(), delivery.extend(), delivery.held]).toEqual([
        true,
        false,
        false,
        false,
        false,
      ]);
      expect([queue.size, queue.held]).toEqual([0, 0]);
      await queue.drain();
      expect(await queue.take()).toEqual({ value: undefined, done: true });
    },
    20,
  );

  inBothRuntimes(
    "gives a value to another when its time is up, and takes no late word for it",
    async () => {
      const { queue } = bench();
      await queue.put("a");
      const lost = await next(queue);
      const again = await next(queue);
      expect([now(), again.value, again.attempt]).toEqual([100, "a", 2]);
      expect([lost.held, lost.ack(), queue.size]).toEqual([false, false, 1]);
      expect(again.ack()).toBe(true);
      await queue.drain();
    },
    20,
  );

  inBothRuntimes(
    "holds a value for longer when it is told to",
    async () => {
      const { queue } = bench();
      await queue.put("a");
      const delivery = await next(queue);
      await sleep(90);
      expect(delivery.extend()).toBe(true);
      await sleep(90);
      expect(delivery.extend(500)).toBe(true);
      await sleep(490);
      expect([delivery.held, delivery.ack()]).toEqual([true, true]);
      await queue.drain();
    },
    20,
  );

  inBothRuntimes(
    "keeps a value back after a nak: as the schedule says, or as the nak says",
    async () => {
      const { queue } = bench({ delayMs: (attempts) => 10 * 2 ** attempts });
      await queue.put("a");
      (await next(queue)).nak();
      expect([queue.delayed, queue.held]).toEqual([1, 0]);
      (await next(queue)).nak();
      expect(now()).toBe(20);
      (await next(queue)).nak({ delayMs: 5 });
      expect(now()).toBe(60);
      (await next(queue)).ack();
      expect(now()).toBe(65);
      await queue.drain();
    },
    20,
  );

  inBothRuntimes(
    "takes the schedules of retries: they are told the last pause and what went wrong, and may say not again",
    async () => {
      const told: unknown[] = [];
      const delayMs = (attempt: number, previousMs: number, error: unknown): number => {
        told.push([attempt, previousMs, error]);
        return error === "hopeless" ? Number.POSITIVE_INFINITY : previousMs * 2 + 10;
      };
      const { queue, dead } = bench({ delayMs });
      await queue.put("a", { delayMs: 7 });
      (await next(queue)).nak({ error: "busy" });
      (await next(queue)).nak({ error: "busy" });
      (await next(queue)).nak({ delayMs: 5 });
      (await next(queue)).nak({ error: "hopeless" });
      expect([queue.delayed, now()]).toEqual([0, 7 + 10 + 30 + 5]);
      await queue.drain();
      expect(told).toEqual([
        [1, 0, "busy"],
        [2, 10, "busy"],
        [4, 5, "hopeless"],
      ]);
      expect(dead).toEqual([{ value: "a", attempts: 4, error: "hopeless" }]);
    },
    20,
  );

  inBothRuntimes(
    "tries once more, and at once, what is not to be tried again and could not be taken as a dead letter",
    async () => {
      const taken: number[] = [];
      const onDeadLetter = ({ attempts }: DeadLetter<string>): void => {
        if (attempts === 1) throw new Error("disk full");
        taken.push(attempts);
      };
      const { queue } = bench({ delayMs: () => Number.POSITIVE_INFINITY, onDeadLetter });
      await queue.put("a");
      (await next(queue)).nak();
      (await next(queue)).nak();
      await queue.drain();
      expect([taken, now()]).toEqual([[2], 0]);
    },
    20,
  );

  inBothRuntimes(
    "hands a value over as a dead letter after so many attempts, with the last error",
    async () => {
      const { queue, dead } = bench({ attempts: 2 });
      await queue.put("a");
      await queue.put("b");
      const error = new Error("no");
      (await next(queue)).nak({ error: new Error("first") });
      const silent = await next(queue);
      (await next(queue)).nak({ error });
      await settle();
      expect(dead).toEqual([{ value: "a", attempts: 2, error }]);
      expect([silent.value, queue.size]).toEqual(["b", 1]);
      await sleep(100);
      await next(queue);
      await queue.drain();
      expect(dead[1]).toEqual({
        value: "b",
        attempts: 2,
        error: new TimeoutError("not acknowledged within 100 ms"),
      });
    },
    20,
  );

  inBothRuntimes(
    "tries a value once more when its dead letter could not be taken: nothing is lost",
    async () => {
      const taken: DeadLetter<string>[] = [];
      const failure = new Error("disk full");
      const { queue } = bench({
        attempts: 1,
        onDeadLetter: async (letter) => {
          await sleep(5);
          if (letter.attempts === 1) throw failure;
          taken.push(letter);
        },
      });
      await queue.put("a");
      (await next(queue)).nak({ error: "first" });
      const second = await next(queue);
      expect([second.attempt, now()]).toEqual([2, 5]);
      second.nak({ error: "second" });
      await queue.drain();
      expect(taken).toEqual([{ value: "a", attempts: 2, error: "second" }]);
    },
    20,
  );

  inBothRuntimes(
    "takes wait while values are held after close, as they may come back",
    async () => {
      const { queue } = bench();
      await queue.put("a");
      const delivery = await next(queue);
      queue.close();
      const waiting = queue.take();
      const end = queue.take();
      await settle();
      delivery.nak();
      const again = await waiting;
      expect(again.value?.value).toBe("a");
      again.value?.ack();
      expect(await end).toEqual({ value: undefined, done: true });
    },
    20,
  );

  inBothRuntimes(
    "clear leaves to consumers what they hold; disposal leaves nothing to anybody",
    async () => {
      const { queue } = bench();
      for (const value of ["held", "in line"]) await queue.put(value);
      await queue.put("delayed", { delayMs: 1e9 });
      const delivery = await next(queue);
      expect(queue.clear()).toEqual(["in line", "delayed"]);
      expect([queue.size, delivery.held]).toEqual([1, true]);
      await queue[Symbol.asyncDispose]();
      expect([queue.size, queue.held, delivery.ack()]).toEqual([0, 0, false]);
      await queue.drain();
    },
    20,
  );

  test("in every order of a put that gets in and a disposal: what is in is given up, and nothing comes later", async () => {
    const ways = new Set<string>();
    const program = async (): Promise<void> => {
      const { queue } = bench({ capacity: 1 });
      await queue.put("first");
      await TaskGroup.run((group) => {
        group.go(async () => {
          const put = await ended(queue.put("second"));
          if ("error" in put) expect(put.error).toBeInstanceOf(ClosedError);
          ways.add("error" in put ? "refused" : "put");
        });
        group.go(async () => {
          (await next(queue)).ack();
          await queue[Symbol.asyncDispose]();
        });
      });
      expect([queue.size, queue.held, queue.waiting]).toEqual([0, 0, { puts: 0, takes: 0 }]);
      expect(await queue.take()).toEqual({ value: undefined, done: true });
    };
    expect((await explore(program)).complete).toBe(true);
    expect([...ways].toSorted()).toEqual(["put", "refused"]);
  });

  test("a put whose lane cannot be told takes no room", async () => {
    const laneOf = (value: string): string => {
      if (value === "bad") throw new Error("no tenant");
      return value;
    };
    const { queue } = bench({ capacity: 1, laneOf });
    expect(thrownBy(() => queue.put("bad"))).toEqual(new Error("no tenant"));
    expect(thrownBy(() => queue.tryPut("bad"))).toEqual(new Error("no tenant"));
    expect([queue.size, queue.tryPut("good")]).toEqual([0, true]);
    await queue[Symbol.asyncDispose]();
  });

  test("leaves no timer of the host behind", async () => {
    const before = hostTimers();
    const { queue } = bench({ visibilityMs: 1e6 });
    for (const value of ["a", "b"]) await queue.put(value);
    (await next(queue)).ack();
    await next(queue);
    await queue[Symbol.asyncDispose]();
    expect(hostTimers()).toBe(before);
  });

  test("refuses wrong arguments at the call", async () => {
    for (const wrong of [{ visibilityMs: 0 }, { attempts: 0 }, { delayMs: -1 }, { capacity: 0 }]) {
      expect(thrownBy(() => bench(wrong))).toBeInstanceOf(RangeError);
    }
    expect(thrownBy(() => bench({ onDeadLetter: undefined as never }))).toBeInstanceOf(TypeError);
    const { queue } = bench();
    await queue.put("a");
    const delivery = await next(queue);
    expect(thrownBy(() => delivery.nak({ delayMs: -1 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => delivery.extend(0))).toBeInstanceOf(RangeError);
    expect(delivery.ack()).toBe(true);
  });
});

describe("acknowledging", () => {
  inBothRuntimes(
    "does every value at least once: done and dead are what was put",
    async () => {
      const done: string[] = [];
      const { queue, dead } = bench({ capacity: 4, attempts: 3, delayMs: (attempts) => attempts * 3 });
      const handler = acknowledging<string>(async (value, { delivery, ctx }) => {
        const kind = Number(value) % 4;
        if (kind === 3) throw new Error("never");
        if (kind === 2 && delivery.attempt < 3) throw new Error("not yet");
        await sleep(kind, ctx);
        done.push(value);
      });
      const team = consume(queue, handler, { consumers: 3 });
      for (let n = 0; n < 24; n++) await queue.put(String(n));
      await queue.drain();
      await team.wait();
      expect(done).toHaveLength(18);
      expect(dead).toHaveLength(6);
      const all = [...done, ...dead.map(({ value }) => value)].map(Number).toSorted((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: 24 }, (_, n) => n));
      expect(team.failed).toBe(0);
    },
    50,
  );

  inBothRuntimes(
    "gives back at once what a cancelled team was at, and the next team does it",
    async () => {
      const { queue, dead } = bench({ delayMs: 1e6, visibilityMs: 1e6 });
      const seen: number[] = [];
      const handler = acknowledging<string>(async (_, { delivery, ctx }) => {
        await sleep(50, ctx);
        seen.push(delivery.attempt);
      });
      const first = consume(queue, handler);
      await queue.put("a");
      await sleep(10);
      first.cancel("shutdown");
      expect(await failureOf(first.wait())).toBe("shutdown");
      const second = consume(queue, handler);
      await queue.drain();
      await second.wait();
      expect([seen, dead, now()]).toEqual([[2], [], 60]);
    },
    50,
  );

  test("hands dead letters over in the async context of whoever made the queue", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const onDeadLetter = (): void => void seen.push(storage.getStore());
    const { queue } = storage.run("maker", () => bench({ attempts: 1, onDeadLetter }));
    await storage.run("putter", () => queue.put("a"));
    const delivery = await next(queue);
    storage.run("consumer", () => delivery.nak());
    await queue.drain();
    expect(seen).toEqual(["maker"]);
  });
});
