import { PubSub } from "concurrency-model-patterns/pubsub";
import { subscribeWithGaps } from "concurrency-model-patterns/pubsub/gaps";
import { topics } from "concurrency-model-patterns/pubsub/topics";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

interface Price {
  readonly symbol: string;
  readonly cents: number;
}

describe("overflow: disconnect", () => {
  inBothRuntimes(
    "unsubscribes who is too slow, who then reads what it has and fails; nobody else notices",
    async () => {
      const bus = new PubSub<{ n: number }>();
      const { signal } = new AbortController();
      const slow = bus.subscribe("n", { capacity: 2, overflow: "disconnect", signal });
      const other = bus.subscribe("n");
      const counts: number[] = [];
      for (const n of [1, 2, 3, 4]) counts.push(await bus.publish("n", n));
      expect(counts).toEqual([2, 2, 1, 1]);
      expect([bus.subscribers("n"), listenersOf(signal), slow.size, other.size]).toEqual([1, 0, 2, 4]);
      expect([(await slow.receive()).value, slow.tryReceive()?.value]).toEqual([1, 2]);
      expect(await failureOf(slow.receive())).toMatchObject({ code: "FULL" });
      expect(thrownBy(() => slow.tryReceive())).toMatchObject({ code: "FULL" });
      other.unsubscribe();
      await bus.drain();
    },
    30,
  );

  inBothRuntimes(
    "does not hold up drain, and counts for no tryPublish",
    async () => {
      const bus = new PubSub<{ n: number }>();
      bus.subscribe("n", { capacity: 0, overflow: "disconnect" });
      expect(bus.tryPublish("n", 1)).toBe(true);
      expect(bus.subscribers("n")).toBe(0);
      await bus.drain();
    },
    10,
  );

  test("is the word for it, and not the channel's", () => {
    const wrong = { overflow: "error" as never };
    expect(thrownBy(() => new PubSub<{ n: number }>().subscribe("n", wrong))).toBeInstanceOf(TypeError);
  });
});

describe("overflow: conflate", () => {
  inBothRuntimes(
    "by key, leaves a slow reader the latest of each, and a fast one everything",
    async () => {
      const bus = new PubSub<{ price: Price }>();
      const overflow = { conflateBy: ({ symbol }: Price) => symbol };
      const slow = bus.subscribe("price", { capacity: 2, overflow });
      const seen: number[] = [];
      bus.on("price", ({ cents }) => void seen.push(cents), { capacity: 2, overflow });
      for (const [symbol, cents] of [
        ["x", 1],
        ["y", 2],
        ["x", 3],
        ["x", 4],
      ] as const) {
        expect(await bus.publish("price", { symbol, cents })).toBe(2);
        await settle();
      }
      bus.close();
      const left: Price[] = [];
      for await (const price of slow) left.push(price);
      expect([left, slow.dropped]).toEqual([
        [
          { symbol: "x", cents: 4 },
          { symbol: "y", cents: 2 },
        ],
        2,
      ]);
      expect(seen).toEqual([1, 2, 3, 4]);
    },
    30,
  );

  inBothRuntimes(
    "into one message, by a function",
    async () => {
      const bus = new PubSub<{ delta: number }>();
      const sum = bus.subscribe("delta", { capacity: 1, overflow: { conflate: (a, b) => a + b } });
      for (const delta of [1, 2, 3]) await bus.publish("delta", delta);
      expect([await sum.receive(), sum.dropped]).toEqual([{ value: 6, done: false }, 2]);
    },
    10,
  );

  inBothRuntimes(
    "by a function that fails ends that subscription, and neither the publisher nor the others",
    async () => {
      const wrong = new Error("no key");
      const conflate = (): number => {
        throw wrong;
      };
      const bus = new PubSub<{ n: number }>();
      const failing = bus.subscribe("n", { capacity: 1, overflow: { conflate } });
      const other = bus.subscribe("n");
      for (const n of [1, 2]) await bus.publish("n", n);
      expect([bus.subscribers("n"), other.size]).toEqual([1, 2]);
      expect((await failing.receive()).value).toBe(1);
      expect(await failureOf(failing.receive())).toBe(wrong);
    },
    10,
  );
});

describe("subscribeWithGaps", () => {
  inBothRuntimes(
    "says before each message how many are missing, for either policy",
    async () => {
      const bus = new PubSub<{ n: number }>();
      const newest = subscribeWithGaps(bus, "n", { capacity: 2 });
      const oldest = subscribeWithGaps(bus, "n", { capacity: 2, overflow: "drop-newest" });
      for (const n of [0, 1, 2, 3, 4]) expect(bus.tryPublish("n", n)).toBe(true);
      expect(newest.tryReceive()?.value).toEqual({ message: 3, missed: 3 });
      expect(oldest.tryReceive()?.value).toEqual({ message: 0, missed: 0 });
      await bus.publish("n", 5);
      bus.close();
      const rest: unknown[] = [];
      for await (const { message, missed } of oldest) rest.push([message, missed]);
      expect(rest).toEqual([
        [1, 0],
        [5, 3],
      ]);
      expect([newest.size, newest.dropped, oldest.size, oldest.dropped]).toEqual([2, 3, 0, 3]);
      expect(oldest.tryReceive()).toEqual({ value: undefined, done: true });
    },
    20,
  );

  inBothRuntimes(
    "waits, is cancelled, and unsubscribes like a subscription, on patterns too",
    async () => {
      const bus = new PubSub<{ "a.x": number; "a.y": string }>();
      const inbox = subscribeWithGaps(bus, topics("a.*"), { capacity: 1 });
      const reason = new Error("enough");
      const controller = new AbortController();
      const given = failureOf(inbox.receive(controller));
      const read = inbox.receive();
      await settle();
      controller.abort(reason);
      expect(await given).toBe(reason);
      await bus.publish("a.y", "m");
      expect((await read).value).toEqual({ message: { topic: "a.y", message: "m" }, missed: 0 });
      await bus.publish("a.x", 1);
      for await (const { message } of inbox) {
        expect(message.message).toBe(1);
        break;
      }
      expect([bus.subscribers("a.x"), (await inbox.receive()).done]).toEqual([0, true]);
      const { signal } = controller;
      expect(thrownBy(() => subscribeWithGaps(bus, "a.x", { signal }))).toBe(reason);
      subscribeWithGaps(bus, "a.x")[Symbol.dispose]();
      expect(bus.subscribers("a.x")).toBe(0);
    },
    20,
  );

  test("read + missed = published, whatever is read when", () => {
    const policy = fc.constantFrom("drop-oldest" as const, "drop-newest" as const);
    const steps = fc.array(fc.boolean(), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), policy, steps, (capacity, overflow, publishes) => {
        const bus = new PubSub<{ n: number }>();
        const inbox = subscribeWithGaps(bus, "n", { capacity, overflow });
        let published = 0;
        let accounted = 0;
        for (const isPublish of publishes) {
          if (isPublish) bus.tryPublish("n", published++);
          const read = isPublish ? undefined : inbox.tryReceive()?.value;
          if (read === undefined) continue;
          accounted += read.missed + 1;
          expect(read.message).toBe(accounted - 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("refuses a policy that drops nothing", () => {
    const wrong = { overflow: "block" as never };
    expect(thrownBy(() => subscribeWithGaps(new PubSub<{ n: number }>(), "n", wrong))).toBeInstanceOf(
      TypeError,
    );
  });
});
