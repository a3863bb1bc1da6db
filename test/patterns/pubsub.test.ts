import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { ClosedError } from "concurrency-model-patterns/errors";
import { type SubscriptionOverflow, PubSub, type Subscription } from "concurrency-model-patterns/pubsub";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type DeadlockError, random, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn, listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";
import { uncaughtIn } from "../support/uncaught.ts";

interface News {
  news: number;
  words: string | null | undefined;
}

async function allOf<T>(inbox: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const message of inbox) seen.push(message);
  return seen;
}

/** What is in the buffer now. */
function buffered<T>(inbox: Subscription<T>): T[] {
  const seen: T[] = [];
  for (let read = inbox.tryReceive(); read?.done === false; read = inbox.tryReceive()) seen.push(read.value);
  return seen;
}

describe("subscribers", () => {
  inBothRuntimes("get what is published after they came, all of it, and the end", async () => {
    const bus = new PubSub<News>();
    expect(await bus.publish("news", 0)).toBe(0);
    const early = bus.subscribe("news");
    expect(await bus.publish("news", 1)).toBe(1);
    const late = bus.subscribe("news");
    expect(await bus.publish("news", 2)).toBe(2);
    bus.close();
    expect(await allOf(early)).toEqual([1, 2]);
    expect(await allOf(late)).toEqual([2]);
  });

  inBothRuntimes("get only their topic; null and undefined are ordinary messages", async () => {
    const bus = new PubSub<News>();
    const words = bus.subscribe("words");
    const news = bus.subscribe("news");
    for (const word of ["a", null, undefined, "b"]) await bus.publish("words", word);
    bus.close();
    expect(await allOf(words)).toEqual(["a", null, undefined, "b"]);
    expect(await allOf(news)).toEqual([]);
  });

  inBothRuntimes("that wait are woken by a message, and by the end", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news");
    expect(inbox.tryReceive()).toBe(undefined);
    const first = inbox.receive();
    await settle();
    await bus.publish("news", 1);
    expect(await first).toEqual({ value: 1, done: false });
    const last = inbox.receive();
    await settle();
    bus.close();
    expect(await last).toEqual({ value: undefined, done: true });
    expect(inbox.tryReceive()).toEqual({ value: undefined, done: true });
  });

  inBothRuntimes("unsubscribe by leaving the loop, by dispose, and by hand", async () => {
    const bus = new PubSub<News>();
    const inboxes = [bus.subscribe("news"), bus.subscribe("news"), bus.subscribe("news")] as const;
    await bus.publish("news", 1);
    await bus.publish("news", 2);
    for await (const message of inboxes[0]) {
      expect(message).toBe(1);
      break;
    }
    expect(bus.subscribers("news")).toBe(2);
    inboxes[1][Symbol.dispose]();
    inboxes[2].unsubscribe();
    inboxes[2].unsubscribe();
    expect(bus.subscribers("news")).toBe(0);
    expect(await bus.publish("news", 3)).toBe(0);
    for (const inbox of inboxes) {
      expect(inbox.size).toBe(0);
      expect((await inbox.receive()).done).toBe(true);
    }
  });

  inBothRuntimes("that leave give done to those who wait to read", async () => {
    const inbox = new PubSub<News>().subscribe("news");
    const read = inbox.receive();
    await settle();
    inbox.unsubscribe();
    expect((await read).done).toBe(true);
  });

  inBothRuntimes("whose loop throws have left, and disturb nobody", async () => {
    const bus = new PubSub<News>();
    const failure = new Error("handler failed");
    const failing = bus.subscribe("news", { capacity: 1 });
    const other = bus.subscribe("news", { capacity: 1 });
    const loop = failureOf(
      (async () => {
        for await (const message of failing) if (message === 2) throw failure;
      })(),
    );
    const seen = allOf(other);
    for (let n = 1; n <= 5; n++) await bus.publish("news", n);
    bus.close();
    expect(await loop).toBe(failure);
    expect(await seen).toEqual([1, 2, 3, 4, 5]);
  });

  inBothRuntimes("that several tasks read share their messages, and lose none", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news", { capacity: 2 });
    const seen = [allOf(inbox), allOf(inbox), allOf(inbox)];
    for (let n = 1; n <= 9; n++) await bus.publish("news", n);
    bus.close();
    const all = (await Promise.all(seen)).flat();
    expect(all.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  inBothRuntimes("whose signal aborts have left; reading them rejects with the reason", async () => {
    const bus = new PubSub<News>();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const waiting = bus.subscribe("news", { signal });
    const full = bus.subscribe("news", { capacity: 1, signal });
    const read = failureOf(waiting.receive());
    await settle();
    controller.abort(reason);
    expect(await read).toBe(reason);
    expect(await failureOf(allOf(waiting))).toBe(reason);
    expect(thrownBy(() => full.tryReceive())).toBe(reason);
    expect(await failureOf(full.receive())).toBe(reason);
    expect(bus.subscribers("news")).toBe(0);
    expect(thrownBy(() => bus.subscribe("news", { signal }))).toBe(reason);
    expect(listenersOf(signal)).toBe(0);
  });

  inBothRuntimes("can give up a read without losing a message", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news");
    const { ctx, cancel } = withCancel(background);
    const read = ended(inbox.receive(ctx));
    await settle();
    cancel();
    expect(await read).toMatchObject({ error: { code: "CANCELED" } });
    await bus.publish("news", 1);
    expect(await failureOf(inbox.receive(ctx))).toMatchObject({ code: "CANCELED" });
    expect(await inbox.receive()).toEqual({ value: 1, done: false });
    inbox.unsubscribe();
  });

  test("leave no listener on their signal when they unsubscribe or have read to the end", async () => {
    const bus = new PubSub<News>();
    const { signal } = new AbortController();
    const left = bus.subscribe("news", { signal });
    const read = bus.subscribe("news", { signal });
    expect(listenersOf(signal)).toBe(1);
    left.unsubscribe();
    bus.close();
    await allOf(read);
    expect(listenersOf(signal)).toBe(0);
  });
});

describe("publish", () => {
  inBothRuntimes("waits for the slowest, and meanwhile the others have the message", async () => {
    const bus = new PubSub<News>();
    const slow = bus.subscribe("news", { capacity: 1 });
    const fast = bus.subscribe("news");
    await bus.publish("news", 1);
    let accepted: number | undefined;
    const publish = (async () => {
      accepted = await bus.publish("news", 2);
    })();
    await settle();
    expect(buffered(fast)).toEqual([1, 2]);
    expect([bus.waiting, accepted]).toEqual([1, undefined]);
    expect((await slow.receive()).value).toBe(1);
    await publish;
    expect([bus.waiting, accepted]).toEqual([0, 2]);
    expect(buffered(slow)).toEqual([2]);
  });

  inBothRuntimes("without a buffer waits until every subscriber has the message", async () => {
    const bus = new PubSub<News>();
    const inboxes = [1, 2].map(() => bus.subscribe("news", { capacity: 0 }));
    expect(bus.tryPublish("news", 0)).toBe(false);
    const publish = bus.publish("news", 1);
    for (const inbox of inboxes) {
      await settle();
      expect(bus.waiting).toBe(1);
      expect((await inbox.receive()).value).toBe(1);
    }
    expect(await publish).toBe(2);
  });

  inBothRuntimes("goes on when the slow subscriber leaves, in any way", async () => {
    const ways: ((inbox: Subscription<number>, abort: () => void) => unknown)[] = [
      (inbox) => inbox.unsubscribe(),
      (_, abort) => abort(),
      (inbox) => inbox[Symbol.asyncIterator]().return?.(),
    ];
    for (const leave of ways) {
      const bus = new PubSub<News>();
      const controller = new AbortController();
      const slow = bus.subscribe("news", { capacity: 0, signal: controller.signal });
      const fast = bus.subscribe("news");
      const publish = bus.publish("news", 1);
      await settle();
      expect(bus.waiting).toBe(1);
      await leave(slow, () => controller.abort());
      expect(await publish).toBe(1);
      expect(buffered(fast)).toEqual([1]);
    }
  });

  inBothRuntimes("that is cancelled is withdrawn from those who have not taken the message", async () => {
    const bus = new PubSub<News>();
    const slow = bus.subscribe("news", { capacity: 1 });
    const fast = bus.subscribe("news");
    await bus.publish("news", 1);
    const { ctx, cancel } = withCancel(background);
    const reason = new Error("enough");
    const publish = failureOf(bus.publish("news", 2, ctx));
    await settle();
    cancel(reason);
    expect(await publish).toBe(reason);
    expect(bus.waiting).toBe(0);
    expect(await failureOf(bus.publish("news", 3, ctx))).toBe(reason);
    await bus.publish("words", "unrelated", ctx).catch(() => {});
    bus.close();
    expect(await allOf(slow)).toEqual([1]);
    expect(await allOf(fast)).toEqual([1, 2]);
  });

  inBothRuntimes("that was taken is not taken back by a late abort", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news");
    const { ctx, cancel } = withCancel(background);
    expect(await bus.publish("news", 1, ctx)).toBe(1);
    cancel();
    expect(buffered(inbox)).toEqual([1]);
  });

  inBothRuntimes(
    "keeps the order of each publisher at each subscriber",
    async () => {
      const bus = new PubSub<{ t: readonly [publisher: number, n: number] }>();
      const inboxes = [0, 1, 5].map((capacity) => bus.subscribe("t", { capacity }));
      const seen = inboxes.map((inbox) => allOf(inbox));
      await TaskGroup.run((group) => {
        for (const publisher of [0, 1, 2]) {
          group.go(async () => {
            for (let n = 0; n < 6; n++) await bus.publish("t", [publisher, n]);
          });
        }
      });
      bus.close();
      for (const messages of await Promise.all(seen)) {
        expect(messages).toHaveLength(18);
        for (const publisher of [0, 1, 2]) {
          expect(messages.filter(([from]) => from === publisher).map(([, n]) => n)).toEqual([
            0, 1, 2, 3, 4, 5,
          ]);
        }
      }
    },
    100,
  );

  inBothRuntimes("that is under way reaches nobody who comes now, and nobody who has left", async () => {
    const bus = new PubSub<News>();
    const slow = bus.subscribe("news", { capacity: 0 });
    const leaver = bus.subscribe("news", { capacity: 0 });
    const seen: number[] = [];
    const handlers = [
      bus.on("news", (n) => {
        seen.push(n);
        handlers.push(bus.on("news", (later) => void seen.push(-later)));
        leaver.unsubscribe();
      }),
    ];
    const publish = bus.publish("news", 1);
    await settle();
    const late = bus.subscribe("news");
    expect((await slow.receive()).value).toBe(1);
    expect([await publish, late.size, seen]).toEqual([2, 0, [1]]);
    slow.unsubscribe();
    handlers[0]?.unsubscribe();
    expect(await bus.publish("news", 2)).toBe(2);
    await settle();
    expect([buffered(late), seen]).toEqual([[2], [1, -2]]);
    bus.close();
  });

  inBothRuntimes("two publishers who wait for one subscriber get in in their order", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news", { capacity: 1 });
    await bus.publish("news", 1);
    const publishes: Promise<number>[] = [];
    for (const n of [2, 3, 4]) {
      publishes.push(bus.publish("news", n));
      await settle();
    }
    bus.tryPublish("words", "no subscriber");
    for (const n of [1, 2, 3, 4]) expect((await inbox.receive()).value).toBe(n);
    expect(await Promise.all(publishes)).toEqual([1, 1, 1]);
  });

  test("a deadlock names the publisher's subscriber", async () => {
    const run = simulate(
      async () => {
        const bus = new PubSub<News>();
        bus.subscribe("news", { capacity: 0, name: "sleepy" });
        await bus.publish("news", 1);
      },
      { seed: 1 },
    );
    const { message } = (await failureOf(run)) as DeadlockError;
    expect(message).toContain("main (task 0): publish on sleepy");
  });

  test("a publisher that never waits does not keep the host from its timers", async () => {
    const bus = new PubSub<News>();
    bus.subscribe("news", { capacity: 1, overflow: "drop-oldest" });
    const { ctx, cancel } = withTimeout(background, 20);
    while (ctx.error === undefined) await bus.publish("news", 1);
    cancel();
    expect(ctx.error.code).toBe("TIMEOUT");
  });
});

describe("tryPublish", () => {
  inBothRuntimes("publishes to all or to none", async () => {
    const bus = new PubSub<News>();
    expect(bus.tryPublish("news", 0)).toBe(true);
    const slow = bus.subscribe("news", { capacity: 1 });
    const fast = bus.subscribe("news");
    expect(bus.tryPublish("news", 1)).toBe(true);
    expect(bus.tryPublish("news", 2)).toBe(false);
    expect(buffered(fast)).toEqual([1]);
    expect(buffered(slow)).toEqual([1]);
    const read = slow.receive();
    await settle();
    expect(bus.tryPublish("news", 3)).toBe(true);
    expect((await read).value).toBe(3);
  });
});

describe("overflow", () => {
  const kept: [SubscriptionOverflow<number>, number[], number][] = [
    ["drop-oldest", [4, 5], 3],
    ["drop-newest", [1, 2], 3],
  ];
  inBothRuntimes("drops and counts, and its publisher never waits", async () => {
    for (const [overflow, left, dropped] of kept) {
      const bus = new PubSub<News>();
      const inbox = bus.subscribe("news", { capacity: 2, overflow });
      const counts: number[] = [];
      for (let n = 1; n <= 5; n++) counts.push(await bus.publish("news", n));
      expect(counts).toEqual(overflow === "drop-oldest" ? [1, 1, 1, 1, 1] : [1, 1, 0, 0, 0]);
      expect([inbox.dropped, inbox.size]).toEqual([dropped, 2]);
      expect(bus.tryPublish("words", "x")).toBe(true);
      bus.close();
      expect(await allOf(inbox)).toEqual(left);
    }
  });

  inBothRuntimes("drop-newest without a buffer keeps only what is waited for", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news", { capacity: 0, overflow: "drop-newest" });
    expect(await bus.publish("news", 1)).toBe(0);
    const read = inbox.receive();
    await settle();
    expect(await bus.publish("news", 2)).toBe(1);
    expect((await read).value).toBe(2);
    expect(inbox.dropped).toBe(1);
  });

  test("every drop is in the event log, with the number of the message that was dropped", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const bus = new PubSub<News>();
        const inbox = bus.subscribe("news", { capacity: 2, overflow: "drop-oldest" });
        for (let n = 0; n < 4; n++) await bus.publish("news", n);
        await inbox.receive();
      },
      { seed: 1, onEvent: (event) => events.push(event) },
    );
    const drops = events.flatMap((event) => (event.k === "msg.drop" ? [[event.m, event.why]] : []));
    expect(drops).toEqual([
      [0, "drop-oldest"],
      [1, "drop-oldest"],
    ]);
  });

  test("200,000 messages to a subscriber that does not read leave no more than its capacity", async () => {
    const bus = new PubSub<News>();
    const inbox = bus.subscribe("news", { overflow: "drop-oldest" });
    for (let n = 0; n < 200_000; n++) bus.tryPublish("news", n);
    expect([inbox.size, inbox.dropped]).toEqual([16, 200_000 - 16]);
    bus.subscribe("news");
    for (let n = 0; n < 16; n++) expect(bus.tryPublish("news", n)).toBe(true);
    expect(bus.tryPublish("news", 16)).toBe(false);
  });

  test.each([
    { capacity: -1 },
    { capacity: Number.POSITIVE_INFINITY },
    { capacity: 0, overflow: "drop-oldest" as const },
  ])("refuses %o", (options) => {
    const bus = new PubSub<News>();
    expect(() => bus.subscribe("news", options)).toThrow(RangeError);
    expect(bus.subscribers("news")).toBe(0);
  });

  test("refuses an unknown policy", () => {
    expect(() => new PubSub<News>().subscribe("news", { overflow: "grow" as never })).toThrow(TypeError);
  });
});

describe("close", () => {
  inBothRuntimes("never waits for a slow subscriber, and settles the publishers who do", async () => {
    const bus = new PubSub<News>();
    const slow = bus.subscribe("news", { capacity: 1 });
    const fast = bus.subscribe("news");
    await bus.publish("news", 1);
    const publishes = [bus.publish("news", 2), bus.publish("news", 3)].map(failureOf);
    await settle();
    expect(bus.waiting).toBe(2);
    bus.close();
    bus.close();
    for (const failure of await Promise.all(publishes)) expect(failure).toBeInstanceOf(ClosedError);
    expect(bus.waiting).toBe(0);
    expect(await allOf(slow)).toEqual([1]);
    expect((await allOf(fast)).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  inBothRuntimes("makes publish and subscribe fail with ClosedError", async () => {
    const bus = new PubSub<News>();
    await bus[Symbol.asyncDispose]();
    expect(bus.closed).toBe(true);
    expect(await failureOf(bus.publish("news", 1))).toMatchObject({ message: "publish on closed bus" });
    expect(thrownBy(() => bus.tryPublish("news", 1))).toBeInstanceOf(ClosedError);
    expect(thrownBy(() => bus.subscribe("news"))).toBeInstanceOf(ClosedError);
    const reason = new Error("enough");
    expect(await failureOf(bus.publish("news", 1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("drain", () => {
  inBothRuntimes("waits until every subscriber has seen the end or has left", async () => {
    const bus = new PubSub<News>();
    const reader = bus.subscribe("news");
    const leaver = bus.subscribe("news");
    await bus.publish("news", 1);
    let drained = false;
    const drain = (async () => {
      await bus.drain();
      drained = true;
    })();
    expect(await allOf(reader)).toEqual([1]);
    await settle();
    expect(drained).toBe(false);
    leaver.unsubscribe();
    await drain;
    await bus.drain();
  });

  inBothRuntimes("waits until every handler has returned", async () => {
    const bus = new PubSub<News>();
    const seen: number[] = [];
    bus.on("news", async (n) => {
      await sleep(1);
      seen.push(n);
    });
    for (const n of [1, 2, 3]) await bus.publish("news", n);
    await bus.drain();
    expect(seen).toEqual([1, 2, 3]);
  });

  inBothRuntimes("can be given up; the bus is closed in any case", async () => {
    const bus = new PubSub<News>();
    bus.subscribe("news");
    const { ctx, cancel } = withTimeout(background, 1);
    expect(await failureOf(bus.drain(ctx))).toMatchObject({ code: "TIMEOUT" });
    cancel();
    expect(bus.closed).toBe(true);
  });
});

describe("on", () => {
  inBothRuntimes("a handler that fails stops nobody, itself included", async () => {
    const bus = new PubSub<News>();
    const failures: unknown[] = [];
    const handled: number[] = [];
    const onError = (error: unknown, message: number): void => void failures.push([error, message]);
    bus.on(
      "news",
      (n) => {
        if (n === 1) throw "at once";
        return n === 2 ? Promise.reject("later") : undefined;
      },
      { onError },
    );
    bus.on("news", (n) => void handled.push(n));
    for (const n of [1, 2, 3]) expect(await bus.publish("news", n)).toBe(2);
    await bus.drain();
    expect(failures).toEqual([
      ["at once", 1],
      ["later", 2],
    ]);
    expect(handled).toEqual([1, 2, 3]);
  });

  inBothRuntimes("is subscribed at once, is called later, and not after it has left", async () => {
    const bus = new PubSub<News>();
    const seen: number[] = [];
    const listener = bus.on("news", (n) => void seen.push(n));
    expect(bus.tryPublish("news", 1)).toBe(true);
    expect(seen).toEqual([]);
    await settle();
    expect(seen).toEqual([1]);
    bus.tryPublish("news", 2);
    listener.unsubscribe();
    await settle();
    expect(seen).toEqual([1]);
    expect(bus.subscribers("news")).toBe(0);
  });

  inBothRuntimes("a handler may subscribe, publish, and leave while it is called", async () => {
    const bus = new PubSub<News>();
    const words: unknown[] = [];
    using listener = bus.on("news", async (n) => {
      bus.on("words", (word) => void words.push(word));
      await bus.publish("words", `${n}`);
      listener.unsubscribe();
    });
    await bus.publish("news", 1);
    await settle();
    await bus.publish("news", 2);
    await bus.drain();
    expect(words).toEqual(["1"]);
  });

  inBothRuntimes("ends quietly with its signal", async () => {
    const bus = new PubSub<News>();
    const controller = new AbortController();
    bus.on("news", () => {}, { signal: controller.signal });
    await settle();
    controller.abort(new Error("enough"));
    await bus.drain();
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("what onError throws reaches the host, and the next message is handled", async () => {
    const bus = new PubSub<News>();
    const seen: number[] = [];
    const fail = (n: number): never => {
      seen.push(n);
      throw "handler";
    };
    const onError = (_: unknown, n: number): never => {
      throw `onError ${n}`;
    };
    bus.on("news", fail, { onError });
    const heard = await uncaughtIn(async () => {
      for (const n of [1, 2]) await bus.publish("news", n);
      await bus.drain();
      await settle();
    });
    expect([seen, heard]).toEqual([
      [1, 2],
      ["onError 1", "onError 2"],
    ]);
  });

  test("a failure that nobody takes is an uncaught exception of the host", async () => {
    const failure = new Error("nobody hears it");
    const heard: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => heard.push(error));
    const bus = new PubSub<News>();
    bus.on("news", () => {
      throw failure;
    });
    await bus.publish("news", 1);
    await sleep(2);
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
    expect(heard).toEqual([failure]);
    bus.close();
  });

  test("a handler runs in the async context of whoever called on", async () => {
    const storage = new AsyncLocalStorage<string>();
    const bus = new PubSub<News>();
    const seen: (string | undefined)[] = [];
    storage.run("subscriber", () => bus.on("news", () => void seen.push(storage.getStore())));
    for (const n of [1, 2]) await storage.run("publisher", () => bus.publish("news", n));
    await bus.drain();
    expect(seen).toEqual(["subscriber", "subscriber"]);
    expect(() => bus.on("news", "no function" as never)).toThrow(TypeError);
    expect(() => bus.on("news", () => {}, { onError: 1 as never })).toThrow("onError must be a function");
  });
});

describe("a handler that is never waited for", () => {
  test("lets the host have its turn, also if it publishes to itself for ever", async () => {
    const bus = new PubSub<News>();
    const turn = await hostGetsItsTurn(async (over) => {
      let ended = (): void => {};
      const end = new Promise<void>((resolve) => {
        ended = resolve;
      });
      bus.on("news", (n) => {
        if (over()) ended();
        else bus.tryPublish("news", n + 1);
      });
      bus.tryPublish("news", 0);
      await end;
    });
    expect(turn).toBe(true);
    bus.close();
  });

  test("is called with all that is in its buffer in a row, and its failures disturb no one", async () => {
    const bus = new PubSub<News>();
    const failures: unknown[] = [];
    const seen: number[] = [];
    const handler = (n: number): void => {
      seen.push(n);
      if (n % 2 === 1) throw new Error(`odd: ${n}`);
    };
    bus.on("news", handler, { onError: (error, n) => void failures.push([(error as Error).message, n]) });
    for (let n = 0; n < 4; n++) bus.tryPublish("news", n);
    await bus.drain();
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(failures).toEqual([
      ["odd: 1", 1],
      ["odd: 3", 3],
    ]);
  });
});

describe("topics", () => {
  inBothRuntimes(
    "are any strings",
    async () => {
      const bus = new PubSub();
      for (const topic of ["constructor", "__proto__", "toString", "", "\ud800", "x".repeat(1 << 20)]) {
        expect(bus.subscribers(topic)).toBe(0);
        expect(await bus.publish(topic, 1)).toBe(0);
        const inbox = bus.subscribe(topic);
        expect(await bus.publish(topic, topic)).toBe(1);
        expect((await inbox.receive()).value).toBe(topic);
        inbox.unsubscribe();
        expect(bus.subscribers(topic)).toBe(0);
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
    5,
  );

  test("have types: a wrong topic or message does not compile", () => {
    const bus = new PubSub<News>();
    // @ts-expect-error there is no such topic
    bus.tryPublish("weather", 1);
    // @ts-expect-error news are numbers
    bus.tryPublish("news", "one");
    const inbox: Subscription<number> = bus.subscribe("news");
    expect(inbox.size).toBe(0);
  });
});

describe("any program", () => {
  /** Publishers, readers that come, go, are slow or fail, and a bus that closes at a random moment. */
  async function program(): Promise<void> {
    const bus = new PubSub<{ t: number }>();
    await TaskGroup.run(async (group) => {
      const published: number[] = [];
      let next = 0;
      for (let p = 0; p < 2; p++) {
        group.go(async () => {
          for (let i = 0; i < 10; i++) {
            const message = next++;
            const { ctx, cancel } = withTimeout(group.ctx, 1 + random() * 10);
            const publish = await ended(bus.publish("t", message, ctx));
            cancel();
            if ("value" in publish) published.push(message);
          }
        });
      }
      const faithful = bus.subscribe("t", { capacity: Math.floor(random() * 3) });
      const faithfulRead = group.go(() => allOf(faithful));
      for (let s = 0; s < 4; s++) {
        group.go(async () => {
          await sleep(random() * 5);
          if (bus.closed) return;
          const overflow = (["block", "drop-oldest", "drop-newest"] as const)[s % 3];
          const capacity = 1 + Math.floor(random() * 3);
          const inbox = bus.subscribe("t", { capacity, overflow });
          let reads = Math.floor(random() * 8);
          for await (const message of inbox) {
            expect(message).toBeLessThan(next);
            expect(inbox.size).toBeLessThanOrEqual(capacity);
            await sleep(random() * 4);
            if (--reads < 0) break;
          }
        });
      }
      await sleep(random() * 40);
      await bus.drain();
      const seen = await faithfulRead.join();
      expect(new Set(seen).size).toBe(seen.length);
      for (const message of published) expect(seen).toContain(message);
    });
    expect([bus.waiting, bus.subscribers("t")]).toEqual([0, 0]);
  }

  test("settles every publish, leaves nothing, and loses nothing for who reads all (80 seeds)", async () => {
    await overSeeds(80, async (seed) => {
      await simulate(program, { seed });
    });
  });

  test("replays: one seed gives one event log", async () => {
    const logs: string[] = [];
    for (let run = 0; run < 2; run++) {
      const events: RunEvent[] = [];
      await simulate(program, { seed: 42, onEvent: (event) => events.push(event) });
      logs.push(JSON.stringify(events));
    }
    expect(logs[0]).toBe(logs[1]);
  });
});
