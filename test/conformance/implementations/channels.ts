/** What is used as a channel. */
import { Channel, type ReceiveEnd, type SendEnd } from "concurrency-model-patterns/channel";
import { JobQueue } from "concurrency-model-patterns/producer-consumer";
import { after, receive, select, send } from "concurrency-model-patterns/select";
import { expect } from "vitest";
import type { ChannelLike } from "../kinds/channel.ts";
import type { Subject } from "../subject.ts";

/** A channel that is used through select alone. */
export function selecting(
  channel: ChannelLike<number> & ReceiveEnd<number> & SendEnd<number>,
): ChannelLike<number> {
  const never = new Channel<number>();
  return {
    capacity: channel.capacity,
    get size() {
      return channel.size;
    },
    get waiting() {
      return channel.waiting;
    },
    get closed() {
      return channel.closed;
    },
    trySend: (value) => channel.trySend(value),
    tryReceive: () => channel.tryReceive(),
    close: (error) => channel.close(error),
    send: async (value, options) => {
      await select({ sent: send(channel, value), other: receive(never), late: after(1e6) }, options);
    },
    receive: async (options) => {
      const next = await select({ got: receive(channel), other: receive(never), late: after(1e6) }, options);
      if (next.key !== "got") throw new Error(`the case ${next.key} was not ready`);
      return next.done === true ? { value: undefined, done: true } : { value: next.value, done: false };
    },
  };
}

/** A job queue under the names of a channel. */
export function queued(capacity: number): ChannelLike<number> {
  const queue = new JobQueue<number>({ capacity });
  return {
    capacity,
    get size() {
      return queue.size;
    },
    get waiting() {
      return { senders: queue.waiting.puts, receivers: queue.waiting.takes };
    },
    get closed() {
      return queue.closed;
    },
    send: (value, options) => queue.put(value, options),
    trySend: (value) => queue.tryPut(value),
    receive: (options) => queue.take(options),
    tryReceive: () => queue.tryTake(),
    close: (error) => queue.close(error),
  };
}

/** A choice between channels. */
export const selects: Subject = {
  busy: {
    "a case that is always ready": async (over) => {
      const channel = new Channel<number>(1);
      while (!over() && channel.trySend(1)) await select({ next: receive(channel) });
    },
  },
  rivals: {
    "two channels that are always ready": async () => {
      const [one, other] = [new Channel<number>(100), new Channel<number>(100)];
      for (let n = 0; n < 100; n++) expect([one.trySend(n), other.trySend(n)]).toEqual([true, true]);
      for (let n = 0; n < 100; n++) await select({ one: receive(one), other: receive(other) });
      expect(Math.min(one.size, other.size), "promise 5: both are chosen").toBeGreaterThan(20);
    },
  },
};
