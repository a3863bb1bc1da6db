/** Handlers who share a log do what handlers do that have a queue each. A simulation has no log: these run without. */
import { background, type CancelableContext, withCancel } from "concurrency-model-patterns/context";
import type { ConcurrencyError } from "concurrency-model-patterns/errors";
import { PubSub, type Subscription } from "concurrency-model-patterns/pubsub";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, seedCount, settle } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { failureOf } from "../../support/outcomes.ts";
import { type Kind, QueuesModel } from "./queues-model.ts";

interface News {
  news: number;
}

/** A handler that is busy with each message until it is told to go on. */
class SlowHandler {
  readonly seen: number[] = [];
  #goOn: (() => void) | undefined;

  readonly handle = (n: number): Promise<void> => {
    this.seen.push(n);
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  };

  get busy(): boolean {
    return this.#goOn !== undefined;
  }

  goOn(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }
}

describe("there is room for what a handler itself publishes", () => {
  inBothRuntimes("as soon as it has begun with a message, though it has not returned", async () => {
    const bus = new PubSub<News>();
    const verdicts: boolean[][] = [];
    bus.on(
      "news",
      (n) => {
        if (n === 3) verdicts.push([10, 11, 12].map((own) => bus.tryPublish("news", own)));
      },
      { capacity: 2 },
    );
    await settle();
    for (const n of [1, 2, 3]) expect(bus.tryPublish("news", n)).toBe(true);
    expect(bus.tryPublish("news", 4)).toBe(false);
    await settle();
    await bus.drain();
    expect(verdicts).toEqual([[true, true, false]]);
  });
});

test("a handler who leaves while it handles a message has taken the one it had room for by then", async () => {
  await plainly(async () => {
    const bus = new PubSub<News>();
    const seen: number[] = [];
    const handle = (n: number): void => {
      seen.push(n);
      if (n === 2) listener.unsubscribe();
    };
    const listener = bus.on("news", handle, { capacity: 1 });
    await settle();
    for (const n of [1, 2]) expect(bus.tryPublish("news", n)).toBe(true);
    expect([await bus.publish("news", 3), seen]).toEqual([1, [1, 2]]);
  });
});

test("a handler who comes later has no more room than it asked for", async () => {
  await plainly(async () => {
    const bus = new PubSub<News>();
    bus.on("news", () => {}, { capacity: 100 });
    await settle();
    expect(bus.tryPublish("news", 1)).toBe(true);
    bus.on("news", () => {}, { capacity: 1 });
    expect([bus.tryPublish("news", 2), bus.tryPublish("news", 3)]).toEqual([true, false]);
    await bus.drain();
  });
});

describe("a handler that is slow", () => {
  inBothRuntimes(
    "holds up publishers and not the other handlers, who have the message",
    async () => {
      const bus = new PubSub<News>();
      const slow = new SlowHandler();
      const quick: number[] = [];
      bus.on("news", slow.handle, { capacity: 1 });
      bus.on("news", (n) => void quick.push(n), { capacity: 1 });
      await settle();
      const taken: (number | undefined)[] = [];
      for (const n of [1, 2, 3, 4]) {
        void (async () => {
          taken[n] = await bus.publish("news", n);
        })();
        await settle();
      }
      expect([slow.seen, quick, taken, bus.waiting]).toEqual([[1], [1, 2, 3, 4], [undefined, 2, 2], 2]);
      expect(bus.tryPublish("news", 5)).toBe(false);
      slow.goOn();
      await settle();
      expect([slow.seen, taken, bus.waiting]).toEqual([[1, 2], [undefined, 2, 2, 2], 1]);
      for (const _ of [2, 3, 4]) {
        slow.goOn();
        await settle();
      }
      expect([slow.seen, quick, bus.waiting]).toEqual([[1, 2, 3, 4], [1, 2, 3, 4], 0]);
      expect(bus.tryPublish("news", 5)).toBe(true);
      await settle();
      slow.goOn();
      await bus.drain();
      expect([slow.seen.at(-1), quick.at(-1)]).toEqual([5, 5]);
    },
    20,
  );

  inBothRuntimes(
    "never gets what was withdrawn before it had room; who had room keeps it, also if he has not begun with it",
    async () => {
      const bus = new PubSub<News>();
      const [slow, slower] = [new SlowHandler(), new SlowHandler()];
      bus.on("news", slow.handle, { capacity: 1 });
      bus.on("news", slower.handle, { capacity: 3 });
      await settle();
      for (const n of [1, 2]) {
        await bus.publish("news", n);
        await settle();
      }
      const { ctx, cancel } = withCancel(background);
      const withdrawn = failureOf(bus.publish("news", 3, ctx));
      await settle();
      const kept = bus.publish("news", 4);
      await settle();
      cancel(new Error("enough"));
      expect(await withdrawn).toMatchObject({ message: "enough" });
      slow.goOn();
      expect(await kept).toBe(2);
      for (const handler of [slow, slow, slower, slower, slower, slower]) {
        handler.goOn();
        await settle();
      }
      expect([slow.seen, slower.seen]).toEqual([
        [1, 2, 4],
        [1, 2, 3, 4],
      ]);
      await bus.drain();
    },
    20,
  );

  inBothRuntimes(
    "that leaves lets publishers go on, and is not counted",
    async () => {
      const bus = new PubSub<News>();
      const slow = new SlowHandler();
      const quick: number[] = [];
      const listener = bus.on("news", slow.handle, { capacity: 0 });
      bus.on("news", (n) => void quick.push(n), { capacity: 0 });
      await settle();
      expect(await bus.publish("news", 1)).toBe(2);
      await settle();
      const publishes = [bus.publish("news", 2)];
      await settle();
      publishes.push(bus.publish("news", 3));
      await settle();
      expect([bus.waiting, bus.subscribers("news")]).toEqual([2, 2]);
      listener.unsubscribe();
      listener.unsubscribe();
      expect(await Promise.all(publishes)).toEqual([1, 1]);
      slow.goOn();
      await settle();
      expect([slow.seen, quick, listener.dropped]).toEqual([[1], [1, 2, 3], 0]);
      expect([bus.waiting, bus.subscribers("news")]).toEqual([0, 1]);
      await bus.drain();
    },
    20,
  );

  inBothRuntimes(
    "does not make the others wait again for room that they have",
    async () => {
      const bus = new PubSub<News>();
      const slow = new SlowHandler();
      bus.on("news", slow.handle, { capacity: 2 });
      const inbox = bus.subscribe("news", { capacity: 5 });
      await settle();
      const tried = [1, 2, 3, 4].map((n) => bus.tryPublish("news", n));
      expect([tried, inbox.size]).toEqual([[true, true, true, false], 3]);
      await settle();
      slow.goOn();
      await settle();
      expect([bus.tryPublish("news", 4), bus.tryPublish("news", 5)]).toEqual([true, false]);
      inbox.unsubscribe();
      bus.close();
      while (slow.busy) {
        slow.goOn();
        await settle();
      }
      expect(slow.seen).toEqual([1, 2, 3, 4]);
    },
    20,
  );
});

test("has room for one more than its capacity while it asks for a message, and not before it has begun", async () => {
  await plainly(async () => {
    for (const capacity of [0, 1, 3]) {
      const bus = new PubSub<News>();
      const seen: number[] = [];
      bus.on("news", (n) => void seen.push(n), { capacity });
      const roomFor = (): number => {
        let count = 0;
        while (bus.tryPublish("news", count)) count++;
        return count;
      };
      expect(roomFor()).toBe(capacity);
      await settle();
      expect(roomFor()).toBe(capacity + 1);
      await settle();
      expect(roomFor()).toBe(capacity + 1);
      await bus.drain();
      expect(seen).toHaveLength(3 * capacity + 2);
    }
  });
});

test("those who come while others are behind get what comes from then on", async () => {
  await plainly(async () => {
    const bus = new PubSub<News>();
    const slow = new SlowHandler();
    const late: number[] = [];
    bus.on("news", slow.handle, { capacity: 0 });
    await settle();
    bus.tryPublish("news", 1);
    await settle();
    const publish = bus.publish("news", 2);
    bus.on("news", (n) => void late.push(n), { capacity: 0 });
    const next = bus.publish("news", 3);
    await settle();
    expect(late).toEqual([3]);
    slow.goOn();
    expect(await publish).toBe(1);
    await settle();
    slow.goOn();
    expect(await next).toBe(2);
    await settle();
    slow.goOn();
    await bus.drain();
    expect([slow.seen, late]).toEqual([[1, 2, 3], [3]]);
  });
});

type Command =
  | { readonly on: Kind; readonly capacity: number }
  | { readonly publish: "wait" | "try" }
  | { readonly giveUp: number }
  | { readonly goOn: number }
  | { readonly leave: number }
  | { readonly close: true };

/** Whether time goes by after the command: if not, nobody has begun with anything before the next one. */
type Step = Command & { readonly settles: boolean };

const pick = fc.nat(5);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      on: fc.constantFrom<Kind>("quick", "slow", "slow", "inbox"),
      capacity: fc.nat(3),
    }),
  },
  { weight: 8, arbitrary: fc.record({ publish: fc.constantFrom("wait" as const, "try" as const) }) },
  { weight: 2, arbitrary: fc.record({ giveUp: pick }) },
  { weight: 8, arbitrary: fc.record({ goOn: pick }) },
  { weight: 1, arbitrary: fc.record({ leave: pick }) },
);
const steps = fc.array(
  command.chain((one) => fc.boolean().map((settles): Step => ({ ...one, settles }))),
  { maxLength: 60, size: "max" },
);

/** The bus, and all who listen, as the commands have them. */
class Real {
  readonly bus = new PubSub<News>();
  readonly seen: number[][] = [];
  readonly ended = new Map<number, string>();
  readonly scopes = new Map<number, CancelableContext>();
  readonly #listeners: { readonly unsubscribe: () => void; readonly goOn: () => void }[] = [];

  on(kind: Kind, capacity: number): void {
    const slow = new SlowHandler();
    const { seen } = slow;
    this.seen.push(seen);
    if (kind === "inbox") {
      const inbox: Subscription<number> = this.bus.subscribe("news", { capacity });
      const goOn = (): void => {
        const read = inbox.tryReceive();
        if (read?.done === false) seen.push(read.value);
      };
      this.#listeners.push({ unsubscribe: () => inbox.unsubscribe(), goOn });
      return;
    }
    const handler = kind === "slow" ? slow.handle : (n: number) => void seen.push(n);
    const listener = this.bus.on("news", handler, { capacity });
    this.#listeners.push({ unsubscribe: () => listener.unsubscribe(), goOn: () => slow.goOn() });
  }

  publish(id: number): void {
    const scope = withCancel(background);
    this.scopes.set(id, scope);
    const end = (how: string): void => {
      this.ended.set(id, how);
      scope.cancel();
    };
    this.bus.publish("news", id, scope.ctx).then(
      (count) => end(String(count)),
      (error: unknown) => end((error as ConcurrencyError).code),
    );
  }

  goOn(index: number): void {
    this.#listeners[index]?.goOn();
  }

  leave(index: number): void {
    this.#listeners[index]?.unsubscribe();
  }

  look(): unknown {
    const { seen, ended, bus } = this;
    return {
      seen,
      ended: [...ended].toSorted(([a], [b]) => a - b),
      waiting: bus.waiting,
      subscribers: bus.subscribers("news"),
    };
  }
}

async function agree(list: readonly Step[]): Promise<void> {
  const [model, real] = [new QueuesModel(), new Real()];
  let published = 0;
  const apply = (one: Command): void => {
    if ("on" in one) {
      real.on(one.on, one.capacity);
      model.on(one.on, one.capacity);
    } else if ("publish" in one) {
      const id = published++;
      if (one.publish === "try") expect(real.bus.tryPublish("news", id)).toBe(model.tryPublish(id));
      else {
        real.publish(id);
        model.publish(id);
      }
    } else if ("giveUp" in one) {
      const id = model.giveUp(one.giveUp);
      if (id !== undefined) real.scopes.get(id)?.cancel();
    } else if ("goOn" in one) {
      real.goOn(one.goOn);
      model.goOn(one.goOn);
    } else if ("leave" in one) {
      real.leave(one.leave);
      model.leave(one.leave);
    } else {
      real.bus.close();
      model.close();
    }
  };
  for (const one of list) {
    apply(one);
    if (!one.settles) continue;
    await settle();
    model.settle();
    expect(real.look()).toEqual(model.look());
  }
  apply({ close: true });
  // As often as anybody can have something left.
  for (let round = 0; round <= 5; round++) {
    await settle();
    model.settle();
    expect(real.look()).toEqual(model.look());
    for (const index of model.seen.keys()) apply({ goOn: index });
  }
  for (const index of model.seen.keys()) real.leave(index);
  await real.bus.drain();
}

test("do what a queue for each would do, whoever comes, lags, leaves or gives up, and whenever", async () => {
  const property = fc.asyncProperty(steps, (list) => plainly(() => agree(list)));
  await expect(fc.assert(property, { numRuns: seedCount(1000) })).resolves.toBeUndefined();
});
