/** What values go through, from those who send to those who receive. */
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { ended, endedValue } from "../../support/outcomes.ts";
import type { Received } from "concurrency-model-patterns/channel";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { codeOf, type Crowd, type Jam, type Subject } from "../subject.ts";

/** A `Channel` is one; so is whatever is like it at another scale. */
export interface ChannelLike<T> {
  readonly capacity: number;
  readonly size: number;
  readonly closed: boolean;
  readonly waiting: { readonly senders: number; readonly receivers: number };
  send(value: T, options?: CancelOptions): Promise<void>;
  trySend(value: T): boolean;
  receive(options?: CancelOptions): Promise<Received<T>>;
  tryReceive(): Received<T> | undefined;
  close(error?: unknown): void;
}

function channelCrowd(channel: ChannelLike<number>): Crowd {
  const accepted: number[] = [];
  const received: number[] = [];
  let made = 0;
  const checkBounds = (): void => {
    const { senders, receivers } = channel.waiting;
    expect(channel.size, "promise 2: size <= capacity").toBeLessThanOrEqual(channel.capacity);
    expect(Math.min(senders, receivers), "nobody waits for one who waits too").toBe(0);
  };
  return {
    parties: [
      {
        name: "send",
        call: async (_, options) => {
          const value = made++;
          await channel.send(value, options);
          accepted.push(value);
        },
      },
      {
        name: "receive",
        call: async (_, options) => {
          const next = await channel.receive(options);
          if (next.done !== true) received.push(next.value);
        },
      },
    ],
    checkBounds,
    explains: (error) => channel.closed && codeOf(error) === "CLOSED",
    close: () => channel.close(),
    end: () => {
      if (!channel.closed) channel.close();
      expect(channel.waiting, "promise 4: nobody waits once it is closed").toEqual({
        senders: 0,
        receivers: 0,
      });
    },
    checkAccounts: () => {
      const rest: number[] = [];
      for (let next = channel.tryReceive(); next?.done === false; next = channel.tryReceive())
        rest.push(next.value);
      const order = (one: number, other: number): number => one - other;
      const out = [...received, ...rest].toSorted(order);
      expect(out, "promise 3: what was accepted is what comes out").toEqual(accepted.toSorted(order));
    },
  };
}

/** A receive waits: there is nothing. */
function receiveJam(channel: ChannelLike<number>): Jam {
  const served: number[] = [];
  return {
    call: async (n, options) => {
      const { value } = await channel.receive(options);
      if (value !== undefined) served[value] = n;
    },
    waiting: () => channel.waiting.receivers,
    served,
    free: () => {
      for (let value = 0; channel.waiting.receivers > 0; value++) channel.trySend(value);
    },
  };
}

/** A channel without room. */
function filled(channel: ChannelLike<number>): ChannelLike<number> {
  while (channel.size < channel.capacity) channel.trySend(-1);
  return channel;
}

/** A send waits: there is no room. */
function sendJam(channel: ChannelLike<number>): Jam {
  const served: number[] = [];
  filled(channel);
  return {
    call: (n, options) => channel.send(n, options),
    waiting: () => channel.waiting.senders,
    served,
    free: () => {
      for (let next = channel.tryReceive(); next?.done === false; next = channel.tryReceive())
        if (next.value >= 0) served.push(next.value);
    },
  };
}

/** Two tasks that play ping-pong. */
async function pingPong(
  ping: ChannelLike<number>,
  pong: ChannelLike<number>,
  over: () => boolean,
): Promise<void> {
  await TaskGroup.run(async (group) => {
    group.go(async () => {
      for (let next = await ping.receive(); next.done !== true; next = await ping.receive())
        await pong.send(next.value);
    });
    while (!over()) {
      await ping.send(1);
      await pong.receive();
    }
    ping.close();
  });
}

/** `smallest` is the least capacity that there is: 0 if values can be handed over without a buffer. */
export function channelSubject(
  make: (capacity: number) => ChannelLike<number>,
  smallest: 0 | 1 = 0,
): Subject {
  return {
    crowds: { smallest: () => channelCrowd(make(smallest)), "capacity 2": () => channelCrowd(make(2)) },
    jams: {
      receive: () => receiveJam(make(smallest)),
      "send, smallest": () => sendJam(make(smallest)),
      "send, full": () => sendJam(make(2)),
    },
    busy: { "ping-pong": (over) => pingPong(make(smallest), make(smallest), over) },
    closed: {
      send: (cause) => {
        const channel = make(smallest);
        channel.close(cause);
        return channel.send(1);
      },
      "a send that waits": async (cause) => {
        const channel = filled(make(smallest));
        const sending = ended(channel.send(1));
        await sleep(1);
        channel.close(cause);
        return endedValue(await sending);
      },
    },
  };
}
