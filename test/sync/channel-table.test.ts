import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { receiveMany } from "concurrency-model-patterns/receive-many";
import { after, receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { describe, expect, test } from "vitest";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const END = { value: undefined, done: true };
const CLOSED = { code: "CLOSED", message: "send on closed channel" };

describe.each([0, 1, 3])("a closed channel of capacity %i", (capacity) => {
  const closed = (): Channel<number> => {
    const channel = new Channel<number>(capacity);
    for (let n = 0; n < capacity; n++) channel.trySend(n);
    channel.close();
    return channel;
  };

  test.each<[string, (channel: Channel<number>) => unknown, unknown]>([
    ["receive", (channel) => channel.receive(), END],
    ["tryReceive", (channel) => channel.tryReceive(), END],
    ["an iteration", (channel) => channel[Symbol.asyncIterator]().next(), END],
    ["select", (channel) => select({ it: receive(channel) }), { key: "it", ...END }],
    ["trySelect", (channel) => trySelect({ it: receive(channel) }), { key: "it", ...END }],
    ["receiveMany", (channel) => receiveMany(channel, 5), []],
  ])("gives what it holds in order, and then the end for ever: %s", async (_, take, end) => {
    const channel = closed();
    for (let n = 0; n < capacity; n++) expect(await channel.receive()).toEqual({ value: n, done: false });
    for (let n = 0; n < 3; n++) expect(await take(channel)).toEqual(end);
    expect([channel.size, channel.waiting]).toEqual([0, { senders: 0, receivers: 0 }]);
  });

  test.each<[string, (channel: Channel<number>) => Promise<unknown>]>([
    ["send", (channel) => channel.send(9)],
    ["trySend", async (channel) => channel.trySend(9)],
    ["select", (channel) => select({ it: send(channel, 9) })],
    ["select with a delay", (channel) => select({ it: send(channel, 9), late: after(1e6) })],
    ["trySelect", async (channel) => trySelect({ it: send(channel, 9) })],
  ])("refuses every send, with room or without: %s", async (_, give) => {
    const [full, empty] = [closed(), closed()];
    while (empty.size > 0) empty.tryReceive();
    for (const channel of [full, empty]) expect(await failureOf(give(channel))).toMatchObject(CLOSED);
    expect([full.size, empty.size]).toEqual([capacity, 0]);
  });

  test("refuses a second close, and stays as it was", () => {
    const channel = closed();
    for (const again of [() => channel.close(), () => channel.close(new Error("why"))])
      expect(thrownBy(again)).toMatchObject({ code: "MISUSE", message: "close of closed channel" });
    expect([channel.closed, channel.size]).toEqual([true, capacity]);
  });
});

describe("closing a channel", () => {
  test.each<[string, (channel: Channel<number>) => Promise<unknown>, unknown]>([
    ["receive", (channel) => channel.receive(), { value: END }],
    ["iteration", (channel) => channel[Symbol.asyncIterator]().next(), { value: END }],
    ["select", (channel) => select({ it: receive(channel) }), { value: { key: "it", ...END } }],
    ["receiveMany", (channel) => receiveMany(channel, 5), { value: [] }],
    ["send", (channel) => channel.send(9), { error: expect.objectContaining(CLOSED) as unknown }],
    [
      "select of a send",
      (channel) => select({ it: send(channel, 9) }),
      {
        error: expect.objectContaining(CLOSED) as unknown,
      },
    ],
  ])("wakes everybody who waits in a %s, and delivers nothing", async (_, wait, end) => {
    const channel = new Channel<number>();
    const waits = [1, 2, 3].map(() => ended(wait(channel)));
    await Promise.resolve();
    expect(channel.waiting.senders + channel.waiting.receivers).toBe(3);
    channel.close();
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    expect(await Promise.all(waits)).toEqual([end, end, end]);
    expect(channel.tryReceive()).toEqual(END);
  });
});

describe("the numbers of a channel", () => {
  test.each([0, 1, 2, 5])("count what is buffered apart from who waits: capacity %i", async (capacity) => {
    const channel = new Channel<number>(capacity);
    const sends: Promise<void>[] = [];
    for (let n = 0; n < capacity + 3; n++) {
      sends.push(channel.send(n));
      expect([channel.capacity, channel.size]).toEqual([capacity, Math.min(n + 1, capacity)]);
      expect(channel.waiting).toEqual({ senders: Math.max(0, n + 1 - capacity), receivers: 0 });
    }
    for (let left = capacity + 2; left >= 0; left--) {
      channel.tryReceive();
      expect([channel.capacity, channel.size]).toEqual([capacity, Math.min(left, capacity)]);
      expect(channel.waiting).toEqual({ senders: Math.max(0, left - capacity), receivers: 0 });
    }
    await Promise.all(sends);
  });
});

describe("a loop over a channel that is left early", () => {
  const loops: Record<string, (channel: Channel<number>) => Promise<unknown>> = {
    break: async (channel) => {
      for await (const value of channel) if (value === 1) break;
    },
    return: async (channel) => {
      for await (const value of channel) if (value === 1) return value;
      return undefined;
    },
    throw: async (channel) => {
      for await (const value of channel) if (value === 1) throw new Error("enough");
    },
    "a jump out of an outer loop": async (channel) => {
      outer: for (;;) for await (const value of channel) if (value === 1) break outer;
    },
  };
  test.each(Object.entries(loops))(
    "by %s leaves it open, with all else and nobody in line",
    async (_, loop) => {
      for (const capacity of [0, 3]) {
        const channel = new Channel<number>(capacity);
        const sends = [0, 1, 2].map((n) => channel.send(n));
        await ended(loop(channel));
        expect([channel.closed, channel.waiting.receivers]).toEqual([false, 0]);
        expect(channel.tryReceive()).toEqual({ value: 2, done: false });
        await Promise.all(sends);
        expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      }
    },
  );
});

describe("a channel keeps no value alive", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;

  test.each<[string, (channel: Channel<object>, value: object) => unknown]>([
    ["that a waiting receiver took", (channel, value) => [channel.receive(), channel.trySend(value)]],
    ["that came from a waiting sender", (channel, value) => [channel.send(value), channel.tryReceive()]],
    [
      "whose send was cancelled",
      (channel, value) => {
        const { ctx, cancel } = withCancel(background);
        const sending = ended(channel.send(value, ctx));
        cancel();
        return sending;
      },
    ],
    [
      "that another case of a select took the place of",
      (channel, value) => {
        const other = new Channel<number>();
        const chosen = select({ it: send(channel, value), other: receive(other) });
        other.trySend(1);
        return chosen;
      },
    ],
    [
      "whose sender waited when it was closed",
      (channel, value) => {
        const sending = ended(channel.send(value));
        channel.close();
        return sending;
      },
    ],
  ])("%s", async (_, pass) => {
    const channel = new Channel<object>();
    const seen = await (async () => {
      const value = { large: true };
      await pass(channel, value);
      return new WeakRef(value);
    })();
    for (let round = 0; round < 5 && seen.deref() !== undefined; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(seen.deref()).toBeUndefined();
    expect([channel.size, channel.waiting]).toEqual([0, { senders: 0, receivers: 0 }]);
  });

  test("that it dropped for a newer one", async () => {
    const channel = new Channel<object>(1, { overflow: "drop-oldest" });
    const seen = [0, 1].map((n) => {
      const value = { n };
      channel.trySend(value);
      return new WeakRef(value);
    });
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(seen.map((ref) => ref.deref())).toEqual([undefined, { n: 1 }]);
  });
});
