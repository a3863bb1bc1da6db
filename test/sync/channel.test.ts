import { AsyncLocalStorage } from "node:async_hooks";
import { Channel, type Received } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import type { ClosedError } from "concurrency-model-patterns/errors";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const got = <T>(value: T): Received<T> => ({ value, done: false });
const END = { value: undefined, done: true };

describe("Channel: capacity", () => {
  test("buffers exactly `capacity` values, for every capacity from 0 to 199", () => {
    for (let capacity = 0; capacity < 200; capacity++) {
      const channel = new Channel<number>(capacity);
      for (let n = 0; n < capacity; n++) expect(channel.trySend(n)).toBe(true);
      expect(channel.trySend(-1)).toBe(false);
      expect([channel.size, channel.capacity]).toEqual([capacity, capacity]);
    }
  });

  test.each([0, 1, 2, 7, 19])("lets the send after the last free place of %i wait", async (capacity) => {
    const channel = new Channel<number>(capacity);
    for (let n = 0; n < capacity; n++) await channel.send(n);
    const late = channel.send(capacity);
    expect(channel.waiting).toEqual({ senders: 1, receivers: 0 });
    expect(channel.size).toBe(capacity);
    for (let n = 0; n <= capacity; n++) expect(channel.tryReceive()).toEqual(got(n));
    await late;
    expect(channel.tryReceive()).toBeUndefined();
  });

  test("has no limit when it is Infinity", () => {
    const channel = new Channel<number>(Number.POSITIVE_INFINITY);
    for (let n = 0; n < 10_000; n++) expect(channel.trySend(n)).toBe(true);
    expect(channel.size).toBe(10_000);
  });

  inBothRuntimes("of 0 lets a send complete only together with a receive", async () => {
    const channel = new Channel<string>();
    const order: string[] = [];
    await TaskGroup.run((group) => {
      group.go(async () => {
        await channel.send("x", group.ctx);
        order.push("sent");
      });
      group.go(async () => {
        await sleep(2, group.ctx);
        order.push("about to receive");
        expect(await channel.receive(group.ctx)).toEqual(got("x"));
      });
    });
    expect(order).toEqual(["about to receive", "sent"]);
  });

  test("an operation that does not wait is in effect before the call returns", () => {
    const channel = new Channel<number>(1);
    void channel.send(1);
    expect(channel.size).toBe(1);
    void channel.receive();
    expect(channel.size).toBe(0);
  });
});

describe("Channel: tries", () => {
  test("do what they say exactly when the waiting form would not wait", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        (capacity, steps) => {
          const channel = new Channel<number>(capacity);
          const model: number[] = [];
          let next = 0;
          for (const isSend of steps) {
            if (isSend) {
              expect(channel.trySend(next)).toBe(model.length < capacity);
              if (model.length < capacity) model.push(next);
              next++;
            } else {
              const value = model.shift();
              expect(channel.tryReceive()).toEqual(value === undefined ? undefined : got(value));
            }
            expect(channel.size).toBe(model.length);
          }
        },
      ),
    );
  });

  test("never wait, also not for those who wait already", async () => {
    const channel = new Channel<number>();
    expect(channel.tryReceive()).toBeUndefined();
    const receiving = channel.receive();
    expect(channel.trySend(1)).toBe(true);
    expect(channel.trySend(2)).toBe(false);
    expect(await receiving).toEqual(got(1));
    const sending = channel.send(3);
    expect(channel.tryReceive()).toEqual(got(3));
    expect(channel.tryReceive()).toBeUndefined();
    await sending;
  });
});

describe("Channel: close", () => {
  inBothRuntimes(
    "leaves what is buffered to be received in order, then ends for ever",
    async () => {
      const channel = new Channel<number>(3);
      for (const n of [1, 2, 3]) await channel.send(n);
      channel.close();
      expect(channel.closed).toBe(true);
      for (const n of [1, 2, 3]) expect(await channel.receive()).toEqual(got(n));
      for (let i = 0; i < 3; i++) {
        expect(await channel.receive()).toEqual(END);
        expect(channel.tryReceive()).toEqual(END);
      }
      expect(channel.size).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "wakes every waiting receiver with the end",
    async () => {
      const channel = new Channel<number>(2);
      const receivers = [1, 2, 3].map(() => channel.receive());
      await settle();
      channel.close();
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      expect(await Promise.all(receivers)).toEqual([END, END, END]);
    },
    50,
  );

  inBothRuntimes(
    "fails every waiting sender, and never delivers their values",
    async () => {
      const channel = new Channel<number>(1);
      await channel.send(0);
      const senders = [1, 2, 3].map((n) => failureOf(channel.send(n)));
      await settle();
      channel.close();
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      for (const error of (await Promise.all(senders)) as ClosedError[]) {
        expect([error.code, error.message]).toEqual(["CLOSED", "send on closed channel"]);
      }
      expect(await channel.receive()).toEqual(got(0));
      expect(await channel.receive()).toEqual(END);
    },
    50,
  );

  test("makes every later send fail, also with room in the buffer", async () => {
    const channel = new Channel<number>(5);
    channel.close();
    expect(await failureOf(channel.send(1))).toMatchObject({
      code: "CLOSED",
      message: "send on closed channel",
    });
    expect(thrownBy(() => channel.trySend(1))).toMatchObject({ code: "CLOSED" });
    expect(channel.size).toBe(0);
  });

  test("fails the second time", () => {
    const channel = new Channel<number>();
    channel.close();
    expect(thrownBy(() => channel.close())).toMatchObject({
      code: "MISUSE",
      message: "close of closed channel",
    });
  });

  test("comes after a cancellation that was first", async () => {
    const channel = new Channel<number>();
    channel.close();
    const reason = new Error("gone");
    expect(await failureOf(channel.send(1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await failureOf(channel.receive({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("Channel: order", () => {
  test("is first in, first out for waiting senders, receivers and values", async () => {
    const channel = new Channel<number>(1);
    const sent: number[] = [];
    const sends = [0, 1, 2, 3].map((n) => channel.send(n).then(() => sent.push(n)));
    const received: number[] = [];
    for (let n = 0; n < 4; n++) received.push((await channel.receive()).value as number);
    await Promise.all(sends);
    expect([received, sent]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    const answers: string[] = [];
    const receives = ["a", "b", "c"].map((name) =>
      channel.receive().then(({ value }) => answers.push(`${name}${value}`)),
    );
    for (const n of [7, 8, 9]) channel.trySend(n);
    await Promise.all(receives);
    expect(answers).toEqual(["a7", "b8", "c9"]);
  });

  test("puts the value of a waiting sender behind those already buffered when a place is free", async () => {
    const channel = new Channel<string>(2);
    for (const value of ["a", "b"]) await channel.send(value);
    const waiting = channel.send("c");
    expect(channel.tryReceive()).toEqual(got("a"));
    expect([channel.size, channel.waiting.senders]).toEqual([2, 0]);
    await waiting;
    expect(channel.trySend("d")).toBe(false);
    expect([channel.tryReceive(), channel.tryReceive(), channel.tryReceive()]).toEqual([
      got("b"),
      got("c"),
      undefined,
    ]);
  });

  inBothRuntimes("keeps the values of one sender in order for one receiver", async () => {
    for (const capacity of [0, 2]) {
      const channel = new Channel<number>(capacity);
      const seen = await TaskGroup.run(async (group) => {
        group.go(async () => {
          for (let n = 0; n < 10; n++) await channel.send(n, group.ctx);
          channel.close();
        });
        const values: number[] = [];
        for await (const value of channel) values.push(value);
        return values;
      });
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });
});

describe("Channel: values", () => {
  inBothRuntimes(
    "of four senders arrive once each at four receivers",
    async () => void (await exchange({ senders: 4, receivers: 4, each: 8 })),
    100,
  );

  test.each([0, 1, 10])("of four senders arrive once each: 4000 values, capacity %i", async (capacity) => {
    expect(await exchange({ senders: 4, receivers: 4, each: 1000, capacity })).toBe(4000);
  });

  inBothRuntimes(
    "may be undefined and null, which are not the end",
    async () => {
      const channel = new Channel<undefined | null>(2);
      await channel.send(undefined);
      await channel.send(null);
      channel.close();
      expect(channel.tryReceive()).toEqual(got(undefined));
      expect(await channel.receive()).toEqual(got(null));
      expect(await channel.receive()).toEqual(END);
      const waiting = new Channel<undefined>();
      const receiving = waiting.receive();
      await settle();
      expect(waiting.trySend(undefined)).toBe(true);
      expect(await receiving).toEqual(got(undefined));
    },
    20,
  );
});

interface Exchange {
  readonly senders: number;
  readonly receivers: number;
  readonly each: number;
  readonly capacity?: number;
}

/** Gives the number of values that arrived, once each. */
async function exchange({ senders, receivers, each, capacity = 0 }: Exchange): Promise<number> {
  const channel = new Channel<number>(capacity);
  const seen: number[] = [];
  await TaskGroup.run(async (group) => {
    for (let r = 0; r < receivers; r++) {
      group.go(async () => {
        for await (const value of channel) seen.push(value);
      });
    }
    await TaskGroup.run((producers) => {
      for (let s = 0; s < senders; s++) {
        producers.go(async () => {
          for (let n = 0; n < each; n++) await channel.send(s * each + n, producers.ctx);
        });
      }
    });
    channel.close();
  });
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: senders * each }, (_, n) => n));
  return seen.length;
}

describe("Channel: cancellation", () => {
  test("takes a waiter out of the middle of the queue and leaves the order of the others", async () => {
    const channel = new Channel<number>();
    const { ctx, cancel } = withCancel(background);
    const answers: string[] = [];
    const waits = ["a", "b", "c"].map((name) =>
      ended(
        channel.receive(name === "b" ? ctx : undefined).then(({ value }) => answers.push(`${name}${value}`)),
      ),
    );
    cancel();
    expect(channel.waiting.receivers).toBe(2);
    for (const n of [1, 2]) channel.trySend(n);
    await Promise.all(waits);
    expect(answers).toEqual(["a1", "c2"]);
  });

  test("of a waiting sender never delivers its value", async () => {
    const channel = new Channel<string>();
    const { ctx, cancel } = withCancel(background);
    const first = ended(channel.send("gone", ctx));
    const second = channel.send("kept");
    cancel();
    expect(channel.waiting.senders).toBe(1);
    expect(channel.tryReceive()).toEqual(got("kept"));
    expect(channel.tryReceive()).toBeUndefined();
    await second;
    expect(await first).toMatchObject({ error: { code: "CANCELED" } });
  });

  test.each(["cancel first", "hand over first"])(
    "in one step with the hand-over has one outcome: %s",
    async (order) => {
      const channel = new Channel<number>();
      const { ctx, cancel } = withCancel(background);
      const receiving = ended(channel.receive(ctx));
      if (order === "cancel first") cancel();
      const handed = channel.trySend(1);
      cancel();
      expect(handed).toBe(order === "hand over first");
      expect("value" in (await receiving)).toBe(handed);
    },
  );

  test("from inside an abort listener of the same signal loses no value", async () => {
    const channel = new Channel<number>();
    const { ctx, cancel } = withCancel(background);
    let handed: boolean | undefined;
    ctx.signal.addEventListener("abort", () => (handed = channel.trySend(1)));
    const receiving = ended(channel.receive(ctx));
    cancel();
    expect("value" in (await receiving)).toBe(handed);
    expect(channel.waiting.receivers).toBe(0);
  });

  inBothRuntimes(
    "loses no value and doubles none, whatever is cancelled when",
    () => randomCancels(4, 3),
    200,
  );

  test("loses no value and doubles none, for any plan of cancellations", async () => {
    const plan = fc.array(
      fc.record({
        send: fc.boolean(),
        cancelAt: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 }), plan, async (capacity, operations) => {
        const channel = new Channel<number>(capacity);
        const cancels: (() => void)[][] = Array.from({ length: 13 }, () => []);
        const over = operations.map(({ send, cancelAt }, n) => {
          const { ctx, cancel } = withCancel(background);
          if (cancelAt !== undefined) cancels[cancelAt]?.push(cancel);
          return ended(send ? channel.send(n, ctx).then(() => n) : channel.receive(ctx));
        });
        for (const due of cancels) {
          for (const cancel of due) cancel();
          await Promise.resolve();
        }
        channel.close();
        const rest: number[] = [];
        for await (const value of channel) rest.push(value);
        const ends = await Promise.all(over);
        const values = ends.flatMap((end) => ("value" in end ? [end.value] : []));
        const accepted = values.filter((value) => typeof value === "number");
        const received = (values as Received<number>[]).flatMap(({ value }) => value ?? []);
        // Operations take effect in the order of the calls, so what arrives does too.
        expect([...received, ...rest]).toEqual(accepted);
        expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      }),
      { numRuns: 300 },
    );
  });
});

/** Senders and receivers that give up now and then; in the end everything that was accepted has arrived once. */
async function randomCancels(tasks: number, each: number): Promise<void> {
  const channel = new Channel<number>(1);
  const accepted: number[] = [];
  const received: number[] = [];
  await TaskGroup.run(async (group) => {
    await TaskGroup.run((inner) => {
      for (let t = 0; t < tasks; t++) {
        inner.go(async () => {
          for (let n = 0; n < each; n++) {
            const { ctx, cancel } = withCancel(inner.ctx);
            const value = t * each + n;
            const sending = ended(channel.send(value, ctx));
            const cancelling = inner.go(() => cancel());
            if ("value" in (await sending)) accepted.push(value);
            await cancelling.join();
          }
        });
        inner.go(async () => {
          for (let n = 0; n < each; n++) {
            const { ctx, cancel } = withCancel(inner.ctx);
            const receiving = ended(channel.receive(ctx));
            const cancelling = inner.go(() => cancel());
            const end = await receiving;
            if ("value" in end) received.push((end.value as { value: number }).value);
            await cancelling.join();
          }
        });
      }
    });
    channel.close();
    group.go(async () => {
      for await (const value of channel) received.push(value);
    });
  });
  expect(received.toSorted((a, b) => a - b)).toEqual(accepted.toSorted((a, b) => a - b));
}

describe("Channel: iteration", () => {
  inBothRuntimes(
    "that is left early leaves the channel open, drops nothing and leaves no waiter",
    async () => {
      const channel = new Channel<number>(3);
      for (const n of [1, 2, 3]) await channel.send(n);
      for await (const value of channel) {
        expect(value).toBe(1);
        break;
      }
      const error = await failureOf(
        (async () => {
          for await (const value of channel) throw new Error(`at ${value}`);
        })(),
      );
      expect(error).toMatchObject({ message: "at 2" });
      expect([channel.closed, channel.size]).toEqual([false, 1]);
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    },
    10,
  );

  inBothRuntimes(
    "ends when the channel is closed while it waits",
    async () => {
      const channel = new Channel<number>();
      await TaskGroup.run(async (group) => {
        group.go(async () => {
          await channel.send(1, group.ctx);
          await sleep(1, group.ctx);
          channel.close();
        });
        const values: number[] = [];
        for await (const value of channel) values.push(value);
        expect(values).toEqual([1]);
      });
    },
    50,
  );
});

describe("Channel: size", () => {
  test("100,000 waiting receivers: one leaves from the middle, the others are served in order", async () => {
    const channel = new Channel<number>();
    const { ctx, cancel } = withCancel(background);
    const count = 100_000;
    const waits = Array.from({ length: count }, (_, n) =>
      ended(channel.receive(n === count / 2 ? ctx : undefined)),
    );
    cancel();
    expect(channel.waiting.receivers).toBe(count - 1);
    for (let n = 0; n < count - 1; n++) channel.trySend(n);
    const ends = await Promise.all(waits);
    expect(ends[count / 2]).toMatchObject({ error: { code: "CANCELED" } });
    expect(ends[count / 2 + 1]).toEqual({ value: got(count / 2) });
    expect(ends.at(-1)).toEqual({ value: got(count - 2) });
  });

  test("20,000 waiting receivers of one context leave together", async () => {
    const channel = new Channel<number>();
    const { ctx, cancel } = withCancel(background);
    const waits = Array.from({ length: 20_000 }, () => ended(channel.receive(ctx)));
    cancel();
    expect(channel.waiting.receivers).toBe(0);
    await Promise.all(waits);
  });

  test.each(["senders", "receivers"])("closes with 20,000 waiting %s", async (side) => {
    const channel = new Channel<number>();
    const waits = Array.from({ length: 20_000 }, (_, n) =>
      ended(side === "senders" ? channel.send(n) : channel.receive()),
    );
    channel.close();
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    const ends = await Promise.all(waits);
    expect(ends.every((end) => "value" in end === (side === "receivers"))).toBe(true);
  });

  test("a chain of 20,000 tasks hands a value on to its end", async () => {
    const links = Array.from({ length: 20_000 }, () => new Channel<number>());
    await TaskGroup.run(async (group) => {
      for (let n = 1; n < links.length; n++) {
        const from = links[n - 1] as Channel<number>;
        const to = links[n] as Channel<number>;
        group.go(async () => to.send(((await from.receive(group.ctx)).value ?? 0) + 1, group.ctx));
      }
      await links[0]?.send(1);
      expect(await links.at(-1)?.receive()).toEqual(got(links.length));
    });
  });

  test("20,000 hand-overs between two tasks do not deepen the stack", async () => {
    const channel = new Channel<number>();
    await TaskGroup.run((group) => {
      group.go(async () => {
        for (let n = 0; n < 20_000; n++) await channel.send(n, group.ctx);
        channel.close();
      });
      group.go(async () => {
        let next = 0;
        for await (const value of channel) if (value !== next++) throw new Error("out of order");
        expect(next).toBe(20_000);
      });
    });
  });

  test("does not keep a value alive that was received", async () => {
    const { setFlagsFromString } = await import("node:v8");
    const { runInNewContext } = await import("node:vm");
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const channel = new Channel<object>(4);
    const refs = Array.from({ length: 4 }, () => {
      const value = { big: true };
      channel.trySend(value);
      return new WeakRef(value);
    });
    for (let n = 0; n < 4; n++) channel.tryReceive();
    for (let round = 0; round < 10; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined, undefined]);
    expect(channel.size).toBe(0);
  });
});

describe("Channel: the host", () => {
  test.each([0, 1, 8])(
    "gets its turn while two tasks exchange values for ever (capacity %i)",
    async (capacity) => {
      const turn = await hostGetsItsTurn(async (over) => {
        const there = new Channel<number>(capacity);
        const back = new Channel<number>(capacity);
        await TaskGroup.run((group) => {
          group.go(async () => {
            while (!over()) {
              await there.send(1, group.ctx);
              await back.receive(group.ctx);
            }
            there.close();
          });
          group.go(async () => {
            for await (const value of there) await back.send(value, group.ctx);
          });
        });
      });
      expect(turn).toBe(true);
    },
  );

  test("gets its turn while one task sends to itself for ever", async () => {
    const turn = await hostGetsItsTurn(async (over) => {
      const channel = new Channel<number>(1);
      while (!over()) {
        await channel.send(1);
        await channel.receive();
      }
    });
    expect(turn).toBe(true);
  });
});

describe("Channel: the async context", () => {
  inBothRuntimes(
    "after a wait is that of the caller, whoever ended the wait",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const channel = new Channel<number>();
      const seen: (string | undefined)[] = [];
      const receivers = ["a", "b"].map((name) =>
        storage.run(name, async () => {
          await channel.receive();
          seen.push(storage.getStore());
        }),
      );
      await settle();
      await storage.run("sender", async () => {
        await channel.send(1);
        await channel.send(2);
        seen.push(storage.getStore());
      });
      await Promise.all(receivers);
      expect(new Set(seen)).toEqual(new Set(["a", "b", "sender"]));
    },
    20,
  );
});

describe("Channel: arguments", () => {
  test.each<[unknown, string]>([
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [1.5, "1.5"],
    [2 ** 53, "9007199254740992"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    ["3", '"3"'],
    [null, "null"],
    [3n, "3n"],
    [{}, "an object"],
    [[], "an array"],
    [() => 1, "a function"],
  ])("refuses a capacity of %s", (capacity, shown) => {
    const error = thrownBy(() => new Channel(capacity as number)) as Error;
    expect(error).toBeInstanceOf(typeof capacity === "number" ? RangeError : TypeError);
    expect(error.message).toBe(`capacity must be a whole number of at least 0, or Infinity, got ${shown}`);
  });
});
