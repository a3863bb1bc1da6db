import { PubSub, type Subscription } from "concurrency-model-patterns/pubsub";
import { topics } from "concurrency-model-patterns/pubsub/topics";
import { simulate } from "concurrency-model-patterns/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { thrownBy } from "../../support/outcomes.ts";

interface Shop {
  "order.created": string;
  "order.paid": number;
  "order.paid.eur": bigint;
  "user.created": null;
}

async function allOf<T>(inbox: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const message of inbox) seen.push(message);
  return seen;
}

/** Word by word, as one would do it by hand. */
function matchesByHand(pattern: readonly string[], topic: readonly string[]): boolean {
  const [word, ...words] = pattern;
  const [first, ...rest] = topic;
  if (word === undefined || first === undefined) return word === first;
  if (word === ">" && words.length === 0) return topic.every((each) => each !== "");
  return first !== "" && (word === "*" || word === first) && matchesByHand(words, rest);
}

describe("a pattern of topics", () => {
  test.each([
    ["*", ["a"], ["", "a.b", ".", "a."]],
    [">", ["a", "a.b", "a.b.c"], ["", "a.", ".a", "a..b"]],
    ["a.*.c", ["a.b.c", "a.*.c"], ["a.c", "a.b.b.c", "a..c", "a.b.c.d"]],
    ["a.*.>", ["a.b.c", "a.b.c.d"], ["a", "a.b", "a.b."]],
    ["a.b", ["a.b"], ["axb", "a.b\n", "a.bc", "A.B"]],
    ["$x(1).[y]", ["$x(1).[y]"], ["x1.y"]],
    ["*.\n", ["a\nb.\n"], ["a.b"]],
  ])("%s stands for whole words", (pattern, yes, no) => {
    expect(yes.filter((topic) => !topics(pattern).matches(topic))).toEqual([]);
    expect(no.filter((topic) => topics(pattern).matches(topic))).toEqual([]);
  });

  test("agrees with a comparison word by word, for any words", () => {
    const word = fc.constantFrom("a", "b", "ab", "\\", "^", "é", "\u{1f600}");
    const pattern = fc.tuple(
      fc.array(fc.oneof(word, fc.constant("*")), { maxLength: 3 }),
      fc.constantFrom("*", ">", "a"),
    );
    const topic = fc.array(fc.oneof(word, fc.constant("")), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(pattern, topic, ([start, end], words) => {
        const parts = [...start, end];
        expect(topics(parts.join(".")).matches(words.join("."))).toBe(matchesByHand(parts, words));
      }),
      { numRuns: 1000 },
    );
  });

  test("takes time in proportion to the topic, whatever the topic", () => {
    const pattern = topics(`${"*.".repeat(50)}>`);
    expect(pattern.matches("a.".repeat(50_000))).toBe(false);
    expect(pattern.matches(`${"a.".repeat(50_000)}a`)).toBe(true);
  });

  test.each(["", ".", "a.", "a..b", ">.a", "a.>.b", "a*", "a.b>", "**"])("refuses %j", (pattern) => {
    expect(thrownBy(() => topics(pattern))).toBeInstanceOf(TypeError);
  });
});

describe("a subscriber to a pattern", () => {
  inBothRuntimes(
    "gets each message on the topics it stands for, with its topic, in the order of publishing",
    async () => {
      const bus = new PubSub<Shop>();
      const orders = bus.subscribe(topics("order.*"));
      const everything = bus.subscribe(topics(">"));
      const exact = bus.subscribe("order.paid");
      expect(["order.paid", "user.created"].map((topic) => bus.subscribers(topic as keyof Shop))).toEqual([
        3, 1,
      ]);
      expect(await bus.publish("order.created", "o-1")).toBe(2);
      expect(await bus.publish("user.created", null)).toBe(1);
      expect(bus.tryPublish("order.paid", 5)).toBe(true);
      expect(await bus.publish("order.paid.eur", 5n)).toBe(1);
      bus.close();
      expect(await allOf(orders)).toEqual([
        { topic: "order.created", message: "o-1" },
        { topic: "order.paid", message: 5 },
      ]);
      expect((await allOf(everything)).map(({ topic }) => topic)).toEqual([
        "order.created",
        "user.created",
        "order.paid",
        "order.paid.eur",
      ]);
      expect(await allOf(exact)).toEqual([5]);
    },
    30,
  );

  inBothRuntimes(
    "blocks its publisher, leaves, and is waited for by drain like any other",
    async () => {
      const bus = new PubSub<Shop>();
      const slow = bus.subscribe(topics("*.created"), { capacity: 0 });
      expect(bus.tryPublish("user.created", null)).toBe(false);
      const publish = bus.publish("user.created", null);
      expect((await slow.receive()).value).toEqual({ topic: "user.created", message: null });
      expect(await publish).toBe(1);
      const seen: unknown[] = [];
      bus.on(topics("order.>"), ({ message }) => void seen.push(message));
      slow.unsubscribe();
      expect(bus.subscribers("user.created")).toBe(0);
      await bus.publish("order.paid", 1);
      await bus.drain();
      expect(seen).toEqual([1]);
    },
    30,
  );

  test("has the name of its pattern in the log", async () => {
    const names: string[] = [];
    await simulate(() => void new PubSub<Shop>().subscribe(topics("order.*")), {
      seed: 1,
      onEvent: (event) => void (event.k === "res.new" && names.push(event.name)),
    });
    expect(names).toContain("order.*");
  });

  test("has the types of its topics: what does not match does not compile", () => {
    const bus = new PubSub<Shop>();
    const orders = bus.subscribe(topics("order.*"));
    type Order =
      | { readonly topic: "order.created"; readonly message: string }
      | { readonly topic: "order.paid"; readonly message: number };
    const typed: Subscription<Order> = orders;
    const back: Subscription<Order> extends typeof orders ? true : false = true;
    // @ts-expect-error a topic with three words is none of them
    const wrong: Subscription<{ readonly topic: "order.paid.eur"; readonly message: bigint }> = orders;
    const loose = new PubSub().subscribe(topics("a.*"));
    const anything: Subscription<{ readonly topic: string; readonly message: unknown }> = loose;
    const rooms = new PubSub<{ [room: `room.${string}`]: number }>().subscribe(topics("room.*"));
    const numbers: Subscription<{ readonly topic: `room.${string}`; readonly message: number }> = rooms;
    expect([typed, wrong, anything, numbers].map(({ size }) => size)).toEqual([0, 0, 0, 0]);
    expect(back).toBe(true);
  });
});
