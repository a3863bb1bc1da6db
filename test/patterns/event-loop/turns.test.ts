/** Whose turn it is: priorities, weights, slices; and what counts as a source. */
import { Channel } from "concurrency-model-patterns/channel";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { JobQueue } from "concurrency-model-patterns/producer-consumer";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../../support/both-runtimes.ts";
import { hostGetsItsTurn } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

type Letters = { a: number; b: number };

function filled(count: number): Channel<number> {
  const channel = new Channel<number>(count);
  for (let n = 1; n <= count; n++) channel.trySend(n);
  return channel;
}

/** The kinds that are handled, in order, until there were so many. */
function orderOf(loop: EventLoop<Letters>, count: number): string[] {
  const order: string[] = [];
  for (const kind of ["a", "b"] as const) {
    loop.on(kind, () => {
      if (order.push(kind) === count) loop.stop();
    });
  }
  return order;
}

describe("priority", () => {
  inBothRuntimes(
    "events of a higher one come first, in a burst",
    async () => {
      const loop = new EventLoop<Letters>();
      const order = orderOf(loop, 30);
      loop.source("a", filled(20));
      loop.source("b", filled(10), { priority: 1 });
      await loop.run();
      expect(order.join("")).toBe("b".repeat(10) + "a".repeat(20));
    },
    20,
  );

  inBothRuntimes(
    "does not starve the others: each goes after at most 64",
    async () => {
      const loop = new EventLoop<Letters>();
      const order = orderOf(loop, 1000);
      loop.source("a", filled(1000));
      loop.source("b", filled(1000), { priority: 1 });
      await loop.run();
      const gaps = order
        .join("")
        .split("a")
        .map(({ length }) => length);
      expect(Math.max(...gaps)).toBe(64);
      expect(order.filter((kind) => kind === "a")).toHaveLength(15);
    },
    20,
  );

  inBothRuntimes(
    "below that of posts gives way to them",
    async () => {
      const loop = new EventLoop<Letters>();
      const order = orderOf(loop, 8);
      loop.source("a", filled(4), { priority: -1 });
      for (let n = 0; n < 4; n++) await loop.post("b", n);
      await loop.run();
      expect(order.join("")).toBe("bbbbaaaa");
    },
    20,
  );
});

describe("weight", () => {
  test("gives shares in proportion (within six nines)", async () => {
    const rounds = 2000;
    await overSeeds(3, async (seed) => {
      await simulate(
        async () => {
          const loop = new EventLoop<Letters>();
          const order = orderOf(loop, rounds);
          loop.source("a", filled(rounds), { weight: 3 });
          loop.source("b", filled(rounds));
          await loop.run();
          const share = order.filter((kind) => kind === "a").length;
          const tolerance = 4.891676 * Math.sqrt(0.75 * 0.25 * rounds);
          expect(Math.abs(share - 0.75 * rounds)).toBeLessThan(tolerance);
        },
        { seed },
      );
    });
  });

  test("and priority are checked at the call", () => {
    const loop = new EventLoop<Letters>();
    expect(thrownBy(() => loop.source("a", [], { weight: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => loop.source("a", [], { weight: 1.5 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => loop.source("a", [], { priority: 0.5 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new EventLoop({ sliceMs: Number.NaN }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new EventLoop({ sliceEvents: 0 }))).toBeInstanceOf(RangeError);
  });
});

describe("a slice", () => {
  test("of few events lets the host have its turn, however short they are", async () => {
    const loop = new EventLoop<Letters>({ sliceMs: Number.POSITIVE_INFINITY, sliceEvents: 10 });
    let turns = 0;
    let state: "running" | "ended" = "running";
    const count = (): void => {
      turns++;
      if (state === "running") setImmediate(count);
    };
    loop.on("a", () => {});
    const channel = filled(200);
    channel.close();
    loop.source("a", channel);
    setImmediate(count);
    await loop.run({ until: "idle" });
    state = "ended";
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  test("ends after a few milliseconds of handlers that compute", async () => {
    const loop = new EventLoop<Letters>();
    const inTime = await hostGetsItsTurn(async (over) => {
      loop.on("a", () => {
        for (let n = 0; n < 200_000; n++) Math.sqrt(n);
        if (over()) loop.stop();
      });
      loop.source("a", endless());
      await loop.run();
    });
    expect(inTime).toBe(true);
  });
});

function* endless(): Generator<number> {
  for (let n = 0; ; n++) yield n;
}

describe("what a select can receive from", () => {
  inBothRuntimes(
    "is a source without a task: what is not handled stays in it",
    async () => {
      const jobs = new JobQueue<number>({ capacity: 10 });
      const bus = new PubSub<{ news: number }>();
      const subscription = bus.subscribe("news", { capacity: 10 });
      const loop = new EventLoop<{ job: unknown; news: unknown }>();
      let handled = 0;
      for (const kind of ["job", "news"] as const) {
        loop.on(kind, () => {
          if (++handled === 6) loop.stop();
        });
      }
      loop.source("job", jobs);
      loop.source("news", subscription);
      for (let n = 0; n < 5; n++) {
        await jobs.put(n);
        await bus.publish("news", n);
      }
      await loop.run();
      expect(jobs.size + subscription.size).toBe(4);
      subscription.unsubscribe();
    },
    20,
  );

  inBothRuntimes("may fail: that is a failure of the source, which onError may deal with", async () => {
    const failure = new Error("the line is dead");
    for (const when of ["before", "while it waits"]) {
      const failures: unknown[] = [];
      const seen: number[] = [];
      const loop = new EventLoop<Letters>({ onError: (error, { from }) => void failures.push(error, from) });
      for (const kind of ["a", "b"] as const) loop.on(kind, (n) => void seen.push(n));
      const channel = filled(2);
      loop.source("a", channel);
      if (when === "before") channel.close(failure);
      const running = loop.run();
      await sleep(1);
      if (when !== "before") channel.close(failure);
      await sleep(1);
      await loop.post("b", 3);
      loop.close();
      await running;
      expect([seen, failures]).toEqual([
        [1, 2, 3],
        [failure, "source"],
      ]);
    }
    const loop = new EventLoop<Letters>();
    const channel = new Channel<number>();
    loop.source("a", channel);
    channel.close(failure);
    expect(await failureOf(loop.run())).toBe(failure);
    expect(loop.errors).toEqual([failure]);
  });
});
