/** What tells all who listen. */
import type { SubscribeOptions } from "concurrency-model-patterns/pubsub";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { ReceivePort } from "concurrency-model-patterns/channel";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, type Jam, type Subject } from "../subject.ts";

interface Message {
  readonly from: number;
  readonly number: number;
}

/** A `PubSub` is one. */
export interface BusLike {
  readonly closed: boolean;
  readonly waiting: number;
  subscribers(topic: string): number;
  publish(topic: string, message: Message, options?: CancelOptions): Promise<number>;
  subscribe(topic: string, options?: SubscribeOptions): SubscriptionLike;
  on(
    topic: string,
    handler: (message: Message) => void | Promise<void>,
    options?: BusHandlerOptions,
  ): unknown;
  close(): void;
  drain(): Promise<void>;
}

interface BusHandlerOptions extends SubscribeOptions {
  readonly onError?: (error: unknown) => void;
}

interface SubscriptionLike extends ReceivePort<Message> {
  readonly size: number;
  unsubscribe(): void;
}

/** Two read to the end, at their own pace; the others publish, or come, read a little and leave. */
function busCrowd(bus: BusLike): Crowd {
  const capacity = 2;
  const readers = new TaskGroup({ name: "readers" });
  const published: Message[] = [];
  const inboxes = [1, 2].map(() => bus.subscribe("news", { capacity }));
  const seen = inboxes.map((inbox) => {
    const messages: Message[] = [];
    readers.go(async () => {
      for await (const message of inbox) {
        messages.push(message);
        await sleep(below(3));
      }
    });
    return messages;
  });
  let made = 0;
  return {
    parties: [
      {
        name: "publish",
        call: async (from, options) => {
          const message = { from, number: made++ };
          await bus.publish("news", message, options);
          published.push(message);
        },
      },
      {
        name: "visit",
        refusesFirst: true,
        call: async (_, options) => {
          const visit = bus.subscribe("news", { ...options, signal: options.signal, capacity: below(2) });
          try {
            await visit.receive(options);
          } finally {
            visit.unsubscribe();
          }
        },
      },
    ],
    checkBounds: () => {
      for (const { size } of inboxes)
        expect(size, "promise 2: size <= capacity").toBeLessThanOrEqual(capacity);
    },
    explains: (error) => bus.closed && codeOf(error) === "CLOSED",
    close: () => bus.close(),
    end: async () => {
      bus.close();
      expect(bus.waiting, "promise 4: no publisher waits once it is closed").toBe(0);
      await readers.wait();
    },
    checkAccounts: () => {
      expect([bus.waiting, bus.subscribers("news")], "promise 4: nobody is left").toEqual([0, 0]);
      for (const messages of seen) checkReader(messages, published);
    },
  };
}

/** Has every message that was published, once, and those of each publisher in order. */
function checkReader(messages: readonly Message[], published: readonly Message[]): void {
  const numbers = messages.map(({ number }) => number);
  expect(new Set(numbers).size, "promise 3: no message twice").toBe(numbers.length);
  for (const { number } of published) expect(numbers, "promise 3: no message is lost").toContain(number);
  const latest = new Map<number, number>();
  for (const { from, number } of messages) {
    expect(number, "promise 5: each publisher's order").toBeGreaterThan(latest.get(from) ?? -1);
    latest.set(from, number);
  }
}

/** One subscriber has no room. */
function busJam(bus: BusLike): Jam {
  const inbox = bus.subscribe("news", { capacity: 0 });
  const served: number[] = [];
  return {
    call: (n, options) => bus.publish("news", { from: n, number: n }, options),
    waiting: () => bus.waiting,
    served,
    free: () => {
      for (let next = inbox.tryReceive(); next?.done === false; next = inbox.tryReceive())
        served.push(next.value.from);
    },
    end: () => {
      inbox.unsubscribe();
      bus.close();
    },
  };
}

/** One who does not read holds up its publisher, and nobody else. */
async function slowReader(bus: BusLike): Promise<void> {
  const [slow, quick] = [bus.subscribe("news", { capacity: 0 }), bus.subscribe("news")];
  const elsewhere = bus.subscribe("other");
  const message = { from: 1, number: 1 };
  const publishing = bus.publish("news", message);
  await sleep(1);
  expect(bus.waiting, "promise 2: its publisher waits").toBe(1);
  expect((await quick.receive()).value, "promise 5: the quick reader has it").toEqual(message);
  await bus.publish("other", message);
  expect((await elsewhere.receive()).value, "promise 5: other topics go on").toEqual(message);
  slow.unsubscribe();
  expect(await publishing).toBe(1);
  bus.close();
}

export function busSubject(make: () => BusLike): Subject {
  return {
    crowds: { "": () => busCrowd(make()) },
    jams: { publish: () => busJam(make()) },
    rivals: { "one who does not read": () => slowReader(make()) },
    busy: {
      "quick readers": async (over) => {
        const bus = make();
        bus.on("news", () => {}, { capacity: 1 });
        while (!over()) await bus.publish("news", { from: 1, number: 1 });
        await bus.drain();
      },
    },
    callbacks: {
      "a handler": async ({ owner, other, callback }) => {
        const bus = make();
        owner(() => bus.on("news", callback));
        await other(() => bus.publish("news", { from: 1, number: 1 }));
        await bus.drain();
      },
    },
    secondary: {
      "of handlers, told to those who asked": async (fail) => {
        const bus = make();
        const told: unknown[] = [];
        for (const of of [1, 2])
          bus.on("news", () => fail(of, of), { onError: (error) => void told.push(error) });
        await bus.publish("news", { from: 1, number: 1 });
        await bus.drain();
        throw new AggregateError(told);
      },
    },
  };
}
