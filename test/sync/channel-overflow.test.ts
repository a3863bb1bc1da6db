import { AsyncLocalStorage } from "node:async_hooks";
import { Channel, type DropReason, type OverflowPolicy } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import type { FullError } from "concurrency-model-patterns/errors";
import { after, receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const add = { conflate: (older: number, newer: number) => older + newer };

/** What is buffered, in order. */
function drained<T>(channel: Channel<T>): T[] {
  const values: T[] = [];
  for (let next = channel.tryReceive(); next?.done === false; next = channel.tryReceive())
    values.push(next.value);
  return values;
}

interface Row {
  readonly overflow: Exclude<OverflowPolicy<number>, "block">;
  /** What a capacity of 3 keeps of the values 1 to 6. */
  readonly kept: readonly number[];
  /** What trySend says to each. */
  readonly said: readonly boolean[];
  readonly drops: readonly [number, DropReason][];
}

const rows: readonly (readonly [string, Row])[] = [
  [
    "drop-oldest",
    {
      overflow: "drop-oldest",
      kept: [4, 5, 6],
      said: [true, true, true, true, true, true],
      drops: [1, 2, 3].map((n) => [n, "drop-oldest"]),
    },
  ],
  [
    "drop-newest",
    {
      overflow: "drop-newest",
      kept: [1, 2, 3],
      said: [true, true, true, false, false, false],
      drops: [4, 5, 6].map((n) => [n, "drop-newest"]),
    },
  ],
  [
    "conflate",
    { overflow: add, kept: [1, 2, 3 + 4 + 5 + 6], said: [true, true, true, true, true, true], drops: [] },
  ],
];

describe.each(rows)("overflow: %s", (_, { overflow, kept, said, drops }) => {
  inBothRuntimes(
    "lets no sender wait, keeps what it says, and counts the others",
    async () => {
      const channel = new Channel<number>(3, { overflow });
      for (let n = 1; n <= 6; n++) await channel.send(n);
      expect([channel.size, channel.dropped, channel.waiting.senders]).toEqual([3, 3, 0]);
      expect(drained(channel)).toEqual(kept);
    },
    20,
  );

  test("says to each try whether the value is in", () => {
    const channel = new Channel<number>(3, { overflow });
    expect([1, 2, 3, 4, 5, 6].map((n) => channel.trySend(n))).toEqual(said);
    expect(drained(channel)).toEqual(kept);
  });

  inBothRuntimes(
    "reports each value that is dropped, later and in order",
    async () => {
      const seen: [number, DropReason][] = [];
      const onDrop = (value: number, why: DropReason): void => void seen.push([value, why]);
      const channel = new Channel<number>(3, { overflow, onDrop });
      for (let n = 1; n <= 6; n++) channel.trySend(n);
      expect(seen).toEqual([]);
      await settle();
      expect(seen).toEqual(drops);
    },
    20,
  );

  inBothRuntimes(
    "makes the case of a select ready",
    async () => {
      const channel = new Channel<number>(3, { overflow });
      for (let n = 1; n <= 6; n++) {
        const chosen = await select({ sent: send(channel, n), late: after(1e6) });
        expect(chosen.key).toBe("sent");
      }
      expect(drained(channel)).toEqual(kept);
    },
    20,
  );

  inBothRuntimes(
    "does not come into play when somebody waits for the value",
    async () => {
      const channel = new Channel<number>(1, { overflow });
      const receiving = channel.receive();
      await settle();
      for (const n of [7, 8]) expect(channel.trySend(n)).toBe(true);
      expect(await receiving).toEqual({ value: 7, done: false });
      expect([channel.size, channel.dropped]).toEqual([1, 0]);
    },
    20,
  );

  inBothRuntimes(
    "does not hide a cancellation or the end",
    async () => {
      const channel = new Channel<number>(1, { overflow });
      channel.trySend(0);
      const reason = new Error("gone");
      expect(await failureOf(channel.send(1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      channel.close();
      expect(await failureOf(channel.send(2))).toMatchObject({ code: "CLOSED" });
      expect(thrownBy(() => channel.trySend(3))).toMatchObject({ code: "CLOSED" });
      expect([channel.dropped, drained(channel)]).toEqual([0, [0]]);
    },
    10,
  );

  test("lets the host have its turn while one task sends for ever", async () => {
    const channel = new Channel<number>(1, { overflow });
    const turn = await hostGetsItsTurn(async (over) => {
      while (!over()) await channel.send(1);
    });
    expect(turn).toBe(true);
  });
});

describe("overflow: error", () => {
  inBothRuntimes(
    "refuses a value for which there is no room, and tells its sender",
    async () => {
      const channel = new Channel<number>(2, { overflow: "error" });
      for (const n of [1, 2]) await channel.send(n);
      const error = (await failureOf(channel.send(3))) as FullError;
      expect([error.code, error.message]).toEqual(["FULL", "channel is full: 2 values are buffered"]);
      expect(thrownBy(() => channel.trySend(4))).toMatchObject({ code: "FULL" });
      expect(await failureOf(select({ sent: send(channel, 5), late: after(1e6) }))).toMatchObject({
        code: "FULL",
      });
      expect(thrownBy(() => trySelect({ sent: send(channel, 6) }))).toMatchObject({ code: "FULL" });
      expect([channel.dropped, drained(channel)]).toEqual([0, [1, 2]]);
    },
    20,
  );

  inBothRuntimes(
    "without a buffer gives a value only to those who wait for it",
    async () => {
      const channel = new Channel<number>(0, { overflow: "error" });
      expect(await failureOf(channel.send(1))).toMatchObject({ code: "FULL" });
      const receiving = channel.receive();
      await settle();
      await channel.send(2);
      expect(await receiving).toEqual({ value: 2, done: false });
    },
    20,
  );
});

describe("overflow: conflateBy", () => {
  type Price = readonly [symbol: unknown, cents: number];
  const conflateBy = ([symbol]: Price): unknown => symbol;

  inBothRuntimes(
    "replaces the newest value about the same, in its place; else the oldest makes room; each is told to onDrop",
    async () => {
      const told: unknown[] = [];
      const onDrop = (value: Price, why: DropReason): void => void told.push([...value, why]);
      const channel = new Channel<Price>(3, { overflow: { conflateBy }, onDrop });
      for (const price of [
        ["a", 1],
        ["b", 2],
        ["a", 3],
      ] as const)
        await channel.send(price);
      expect(channel.trySend(["a", 4])).toBe(true);
      expect(channel.trySend(["b", 5])).toBe(true);
      await channel.send(["c", 6]);
      expect(channel.dropped).toBe(3);
      expect(drained(channel)).toEqual([
        ["b", 5],
        ["a", 4],
        ["c", 6],
      ]);
      await settle();
      expect(told).toEqual([
        ["a", 3, "drop-oldest"],
        ["b", 2, "drop-oldest"],
        ["a", 1, "drop-oldest"],
      ]);
    },
    10,
  );

  test("compares keys as a Map does", () => {
    for (const [one, other, same] of [
      [Number.NaN, Number.NaN, true],
      [0, -0, true],
      ["0", 0, false],
      [undefined, null, false],
    ] as const) {
      const channel = new Channel<Price>(2, { overflow: { conflateBy } });
      for (const price of [
        ["x", 0],
        [one, 1],
        [other, 2],
      ] as const)
        channel.trySend(price);
      expect(drained(channel)[0]).toEqual(same ? ["x", 0] : [one, 1]);
    }
  });

  test("a key that cannot be had changes nothing but fails the send", () => {
    const wrong = new Error("no key");
    const channel = new Channel<number>(2, {
      overflow: {
        conflateBy: (n) => {
          if (n === 2) throw wrong;
          return n;
        },
      },
    });
    for (const n of [1, 2]) channel.trySend(n);
    expect(thrownBy(() => channel.trySend(1))).toBe(wrong);
    expect([channel.dropped, drained(channel)]).toEqual([0, [1, 2]]);
  });
});

describe("overflow: callbacks", () => {
  inBothRuntimes(
    "a merge that fails changes nothing but fails the send",
    async () => {
      const wrong = new Error("cannot merge");
      const conflate = (): number => {
        throw wrong;
      };
      const channel = new Channel<number>(3, { overflow: { conflate } });
      for (const n of [1, 2, 3]) await channel.send(n);
      expect(await failureOf(channel.send(4))).toBe(wrong);
      expect(thrownBy(() => channel.trySend(5))).toBe(wrong);
      expect([channel.dropped, channel.size]).toEqual([0, 3]);
      expect(drained(channel)).toEqual([1, 2, 3]);
    },
    10,
  );

  inBothRuntimes(
    "onDrop runs in the async context of whoever made the channel",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const onDrop = (): void => void seen.push(storage.getStore());
      const channel = storage.run("maker", () => new Channel<number>(1, { overflow: "drop-oldest", onDrop }));
      await storage.run("sender", async () => {
        await channel.send(1);
        await channel.send(2);
      });
      await settle();
      expect(seen).toEqual(["maker"]);
    },
    10,
  );
});

describe("overflow: the event log", () => {
  test("holds each value once: received, or dropped", async () => {
    const policies: readonly OverflowPolicy<number>[] = ["drop-oldest", "drop-newest", add];
    for (const [index, overflow] of policies.entries()) {
      const events: RunEvent[] = [];
      await simulate(
        async () => {
          const channel = new Channel<number>(2, { overflow });
          for (let n = 0; n < 4; n++) await channel.send(n);
          for (let n = 0; n < 2; n++) await channel.receive();
        },
        { seed: 1, onEvent: (event) => events.push(event) },
      );
      const told = events.flatMap((event) => {
        if (event.k === "msg.drop") return [`${event.why} ${event.m}, ${event.n} left`];
        return event.k === "msg.put" || event.k === "msg.take" ? [`${event.k.slice(4)} ${event.m}`] : [];
      });
      expect(told).toEqual(
        [
          [
            "put 0",
            "put 1",
            "drop-oldest 0, 1 left",
            "put 2",
            "drop-oldest 1, 1 left",
            "put 3",
            "take 2",
            "take 3",
          ],
          ["put 0", "put 1", "drop-newest 2, 2 left", "drop-newest 2, 2 left", "take 0", "take 1"],
          ["put 0", "put 1", "conflate 2, 2 left", "conflate 2, 2 left", "take 0", "take 1"],
        ][index],
      );
    }
  });
});

describe("overflow: conservation", () => {
  test("the tries agree with a model, for any order of sends and receives", () => {
    const policy = fc.constantFrom<OverflowPolicy<string>>("drop-oldest", "drop-newest", {
      conflate: (older, newer) => `${older}+${newer}`,
    });
    const steps = fc.array(fc.boolean(), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), policy, steps, (capacity, overflow, sends) => {
        const channel = new Channel<string>(capacity, { overflow });
        let model: string[] = [];
        for (const [n, isSend] of sends.entries()) {
          if (!isSend) expect(channel.tryReceive()?.value).toBe(model.shift());
          else {
            channel.trySend(`${n}`);
            if (model.length < capacity) model.push(`${n}`);
            else if (overflow === "drop-oldest") model = [...model.slice(1), `${n}`];
            else if (overflow !== "drop-newest")
              model = [...model.slice(0, -1), `${model.at(-1) ?? ""}+${n}`];
          }
          expect(channel.size).toBe(model.length);
        }
        expect(drained(channel)).toEqual(model);
      }),
      { numRuns: 500 },
    );
  });

  for (const [name, { overflow }] of rows) {
    inBothRuntimes(
      `received + dropped + left = accepted, whatever is cancelled when: ${name}`,
      async () => {
        let told = 0;
        const channel = new Channel<number>(2, { overflow, onDrop: () => told++ });
        let accepted = 0;
        let received = 0;
        await TaskGroup.run((group) => {
          for (let t = 0; t < 4; t++) {
            group.go(async () => {
              for (let n = 0; n < 4; n++) {
                const { ctx, cancel } = withCancel(group.ctx);
                const sends = (t + n) % 3 > 0;
                const call = ended(
                  sends ? channel.send(1, ctx) : channel.receive(ctx).then(() => received++),
                );
                const cancelling = group.go(() => cancel());
                const end = await call;
                if (sends && "value" in end) accepted++;
                await cancelling.join();
              }
            });
          }
        });
        await sleep(1);
        expect(received + channel.dropped + channel.size).toBe(accepted);
        if (typeof overflow === "string") expect(told).toBe(channel.dropped);
        expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      },
      100,
    );
  }
});

describe("overflow: arguments", () => {
  test.each<[string, () => unknown, string, typeof RangeError]>([
    [
      "drop-oldest without a buffer",
      () => new Channel(0, { overflow: "drop-oldest" }),
      "capacity must be a whole number of at least 1, or Infinity, got 0",
      RangeError,
    ],
    [
      "conflate without a buffer",
      () => new Channel(0, { overflow: { conflate: (older) => older } }),
      "capacity must be a whole number of at least 1, or Infinity, got 0",
      RangeError,
    ],
    [
      "conflateBy without a buffer",
      () => new Channel(0, { overflow: { conflateBy: (value) => value } }),
      "capacity must be a whole number of at least 1, or Infinity, got 0",
      RangeError,
    ],
    [
      "conflateBy that is no function",
      () => new Channel(1, { overflow: { conflateBy: "id" as never } }),
      'overflow.conflateBy must be a function, got "id"',
      TypeError,
    ],
    [
      "an unknown policy",
      () => new Channel(1, { overflow: "grow" as never }),
      'overflow must be one of "block", "drop-oldest", "drop-newest", "error", got "grow"',
      TypeError,
    ],
    [
      "a policy without a function",
      () => new Channel(1, { overflow: {} as never }),
      "overflow.conflate must be a function, got undefined",
      TypeError,
    ],
    [
      "an onDrop that is none",
      () => new Channel(1, { onDrop: 3 as never }),
      "onDrop must be a function, got 3",
      TypeError,
    ],
  ])("%s is refused at the call", (_, call, message, kind) => {
    const error = thrownBy(call) as Error;
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toBe(message);
  });

  test("block is what a channel does without a policy", async () => {
    const channel = new Channel<number>(1, { overflow: "block" });
    expect([channel.trySend(1), channel.trySend(2), channel.dropped]).toEqual([true, false, 0]);
    const { ctx, cancel } = withCancel(background);
    const sending = ended(channel.send(3, ctx));
    expect(channel.waiting.senders).toBe(1);
    cancel();
    expect(await sending).toMatchObject({ error: { code: "CANCELED" } });
    expect((await select({ got: receive(channel) })).value).toBe(1);
  });
});
