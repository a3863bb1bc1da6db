/** A million who wait at once, in each kind of line: none is lost, one leaves from the middle, and no stack is deep. */
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { expect, test } from "vitest";
import { say, share } from "./share.ts";

const COUNT = 2 * share(500_000);

/** A line, how many stand in it, and what lets all of them through. */
interface Line {
  readonly wait: (options?: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly waiting: () => number;
  readonly letAllThrough: () => void;
}

const lines: Record<string, () => Line> = {
  "receive from a channel": () => {
    const channel = new Channel<number>();
    return {
      wait: (options) => channel.receive(options),
      waiting: () => channel.waiting.receivers,
      letAllThrough: () => {
        for (let n = 1; n < COUNT; n++) channel.trySend(n);
      },
    };
  },
  "send to a channel": () => {
    const channel = new Channel<number>();
    return {
      wait: (options) => channel.send(1, options),
      waiting: () => channel.waiting.senders,
      letAllThrough: () => {
        for (let n = 1; n < COUNT; n++) channel.tryReceive();
      },
    };
  },
  "wait for a permit": () => {
    const semaphore = new Semaphore(1);
    const release = semaphore.tryAcquire();
    return {
      wait: async (options) => (await semaphore.acquire(1, options))(),
      waiting: () => semaphore.waiting,
      letAllThrough: () => release?.(),
    };
  },
  "wait for zero": () => {
    const group = new WaitGroup();
    group.add();
    return {
      wait: (options) => group.wait(options),
      waiting: () => group.waiting,
      letAllThrough: () => group.done(),
    };
  },
  "wait for a token": () => {
    const limiter = new RateLimiter({ perSecond: 0.001, burst: 1 });
    limiter.allow();
    return {
      wait: (options) => limiter.wait(1, options),
      waiting: () => limiter.waiting,
      letAllThrough: () => limiter.setLimit(Number.POSITIVE_INFINITY),
    };
  },
};

test.each(Object.entries(lines))("a million %s", async (name, make) => {
  const line = make();
  const { ctx, cancel } = withCancel(background);
  let served = 0;
  let refused = 0;
  const waits = Array.from({ length: COUNT }, (_, n) =>
    line.wait(n === COUNT / 2 ? ctx : undefined).then(
      () => served++,
      () => refused++,
    ),
  );
  expect(line.waiting()).toBe(COUNT);
  cancel();
  expect(line.waiting()).toBe(COUNT - 1);
  line.letAllThrough();
  await Promise.all(waits);
  say(`${COUNT} ${name}: ${served} went on, ${refused} gave up`);
  expect([served, refused, line.waiting()]).toEqual([COUNT - 1, 1, 0]);
});
