import { PubSub } from "concurrency-model-patterns/pubsub";
import { TopicReplay } from "concurrency-model-patterns/pubsub/replay";
import { topics } from "concurrency-model-patterns/pubsub/topics";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { thrownBy } from "../../support/outcomes.ts";

async function allOf<T>(inbox: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const message of inbox) seen.push(message);
  return seen;
}

describe("a replay", () => {
  inBothRuntimes(
    "gives a new subscriber the last messages, null and undefined too, and then what follows",
    async () => {
      const bus = new PubSub<{ n: number | null | undefined }>();
      await bus.publish("n", 0);
      const history = new TopicReplay(bus, "n", 3);
      expect([bus.subscribers("n"), await bus.publish("n", 1), history.size]).toEqual([0, 0, 1]);
      for (const n of [2, null, undefined]) expect(bus.tryPublish("n", n)).toBe(true);
      const late = history.subscribe();
      const live = bus.subscribe("n");
      await bus.publish("n", 5);
      bus.close();
      expect(await allOf(late)).toEqual([2, null, undefined, 5]);
      expect(await allOf(live)).toEqual([5]);
      expect(thrownBy(() => history.subscribe())).toMatchObject({ code: "CLOSED" });
    },
    20,
  );

  inBothRuntimes(
    "loses nothing and repeats nothing, whenever one subscribes",
    async () => {
      const bus = new PubSub<{ n: number }>();
      const history = new TopicReplay(bus, "n", 100);
      const seen = await TaskGroup.run(async (group) => {
        const subscribers = [0, 1, 2].map(() =>
          group.go(async () => {
            await settle();
            const inbox = history.subscribe({ capacity: 100 });
            const all: number[] = [];
            for await (const n of inbox) {
              all.push(n);
              if (n === 5) break;
            }
            return all;
          }),
        );
        for (let n = 0; n <= 5; n++) {
          await bus.publish("n", n);
          if (n === 2) await settle();
        }
        return Promise.all(subscribers.map((subscriber) => subscriber.join()));
      });
      for (const all of seen) expect(all).toEqual([0, 1, 2, 3, 4, 5]);
    },
    60,
  );

  test("puts no more into a buffer than it has room for, the newest, and drops nothing", () => {
    const bus = new PubSub<{ n: number }>();
    const history = new TopicReplay(bus, "n", 5);
    for (let n = 0; n < 9; n++) bus.tryPublish("n", n);
    for (const overflow of ["block", "drop-oldest", "drop-newest", "disconnect"] as const) {
      const inbox = history.subscribe({ capacity: 2, overflow });
      expect([inbox.tryReceive()?.value, inbox.tryReceive()?.value, inbox.dropped]).toEqual([7, 8, 0]);
      inbox.unsubscribe();
    }
    const rendezvous = history.subscribe({ capacity: 0 });
    expect([rendezvous.size, history.size]).toEqual([0, 5]);
    expect(history.subscribe().tryReceive()?.value).toBe(4);
  });

  test("of all topics of a pattern keeps them with their topics", () => {
    const bus = new PubSub<{ "a.x": number; "a.y": string; b: number }>();
    const state = new TopicReplay(bus, topics("a.*"), 2);
    bus.tryPublish("a.x", 1);
    bus.tryPublish("b", 2);
    bus.tryPublish("a.y", "m");
    const inbox = state.subscribe();
    expect(inbox.tryReceive()?.value).toEqual({ topic: "a.x", message: 1 });
    expect(inbox.tryReceive()?.value).toEqual({ topic: "a.y", message: "m" });
  });

  test("that was stopped keeps nothing; a message that was not published is not kept", () => {
    const bus = new PubSub<{ n: number }>();
    const history = new TopicReplay(bus, "n", 2);
    const full = bus.subscribe("n", { capacity: 0 });
    expect(bus.tryPublish("n", 1)).toBe(false);
    expect(history.size).toBe(0);
    full.unsubscribe();
    bus.tryPublish("n", 2);
    const early = history.subscribe();
    history[Symbol.dispose]();
    bus.tryPublish("n", 3);
    expect([history.size, history.subscribe().size, early.size]).toEqual([0, 0, 2]);
  });

  test.each([0, -1, 1.5, Number.POSITIVE_INFINITY])("refuses to keep %d", (last) => {
    expect(thrownBy(() => new TopicReplay(new PubSub<{ n: number }>(), "n", last))).toBeInstanceOf(
      RangeError,
    );
  });
});
