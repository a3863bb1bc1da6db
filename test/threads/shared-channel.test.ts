import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { background, withCancel } from "concurrency-model-patterns/context";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { after, receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { threadPool } from "concurrency-model-patterns/threads";
import { type SharedChannel, sharedChannel } from "concurrency-model-patterns/threads/channel";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import type * as functions from "./jobs.mjs";

beforeAll(buildIfStale);

const jobs = new URL("jobs.mjs", import.meta.url);
const execute = promisify(execFile);

describe("a value of a shared channel", () => {
  test.each([
    ["a number", 1.5],
    ["not a number", Number.NaN],
    ["the lesser zero", -0],
    ["nothing", undefined],
    ["null", null],
    ["true", true],
    ["a text", "Größe 🦀"],
    ["half a pair", "\uD83E"],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["no bytes", new Uint8Array()],
    ["an object", { a: [1, { b: new Map([[1, new Date(5)]]) }] }],
    ["a big integer", 2n ** 70n],
    ["a view of another kind", new Float64Array([1, 2])],
  ])("arrives as it was: %s", (_, value) => {
    const channel = sharedChannel<unknown>(2);
    expect(channel.trySend(value)).toBe(true);
    expect(sharedChannel<unknown>(channel.handle).tryReceive()).toEqual({ value, done: false });
  });

  test("is refused if it is too large, or cannot be copied, and harms no other", async () => {
    const channel = sharedChannel<unknown>(2, { valueBytes: 16 });
    await expect(channel.send(new Uint8Array(17))).rejects.toThrow(
      new RangeError("a value of 17 bytes does not fit into valueBytes, which is 16"),
    );
    await expect(channel.send(() => 1)).rejects.toThrow("could not be cloned");
    await channel.send(new Uint8Array(16));
    expect(channel.size).toBe(1);
  });
});

describe("the ends of a shared channel", () => {
  test("are of one channel: what one sends, the other receives, and both see its end", async () => {
    const one = sharedChannel<number>(2);
    const other = sharedChannel<number>(one.handle);
    const received = other.receive();
    await one.send(1);
    expect(await received).toEqual({ value: 1, done: false });
    await one.send(2);
    await one.send(3);
    expect(one.trySend(4)).toBe(false);
    const sending = one.send(4);
    expect((await other.receive()).value).toBe(2);
    await sending;
    other.close();
    expect([one.closed, one.size]).toEqual([true, 2]);
    expect(await one.receive()).toEqual({ value: 3, done: false });
    expect(await one.receive()).toEqual({ value: 4, done: false });
    expect(await one.receive()).toEqual({ value: undefined, done: true });
    await expect(one.send(5)).rejects.toThrow("send on closed channel");
  });

  test("are told why it was closed: the other one by a copy", async () => {
    const one = sharedChannel<number>(2);
    const other = sharedChannel<number>(one.handle);
    const cause = Object.assign(new TypeError("broken"), { code: "OWN" });
    await one.send(1);
    one.close(cause);
    expect(await other.receive()).toEqual({ value: 1, done: false });
    await expect(one.receive()).rejects.toBe(cause);
    const told = (await other.receive().catch((error: unknown) => error)) as typeof cause;
    expect([told, told.code]).toEqual([cause, "OWN"]);
    expect(() => other.receiveSync()).toThrow(told);
    await expect(other.send(2)).rejects.toMatchObject({ code: "CLOSED", cause: told });
    expect(() => other.close()).toThrow("close of closed channel");
  });

  test("are told what fits of why it was closed", async () => {
    const one = sharedChannel<number>(1, { valueBytes: 16 });
    one.close(new TypeError("broken in many ways"));
    await expect(sharedChannel<number>(one.handle).receive()).rejects.toEqual(new Error("TypeError: broke"));
  });

  test("are refused what is neither a size nor a handle", () => {
    expect(() => sharedChannel(0)).toThrow("capacity must be a whole number from 1 to 1048576, got 0");
    expect(() => sharedChannel("2" as never)).toThrow("capacity must be a number, or the handle of a shared");
    expect(() => sharedChannel({} as never)).toThrow("the handle of a shared channel, got an object");
    expect(() => sharedChannel(1, { valueBytes: 7 })).toThrow("valueBytes must be a whole number from 8");
  });

  test("count round and round", () => {
    const channel = sharedChannel<number>(3);
    for (let n = 0; n < 1000; n++) {
      expect(channel.trySend(n)).toBe(true);
      expect(channel.tryReceive()?.value).toBe(n);
    }
  });

  test("let a cancelled call go, in whichever line it stands", async () => {
    const channel = sharedChannel<number>(1);
    const scopes = [1, 2, 3].map(() => withCancel(background));
    const calls = scopes.map(({ ctx }) => channel.receive(ctx).catch((error: unknown) => error));
    scopes[1]?.cancel("over");
    expect(await calls[1]).toBe("over");
    expect(channel.waiting).toEqual({ senders: 0, receivers: 2 });
    await channel.send(1);
    await channel.send(2);
    expect([await calls[0], await calls[2]]).toEqual([
      { value: 1, done: false },
      { value: 2, done: false },
    ]);
  });
});

describe("a select over shared channels", () => {
  // As if another thread took the value between the look and the choice, or filled the last place.
  const faster = {
    receiveSide: {
      resource: undefined,
      receivable: true,
      tryReceive: () => undefined,
      enrollReceiver: () => {},
    },
    sendSide: {
      resource: undefined,
      sendable: true,
      shared: true as const,
      trySend: () => false,
      enrollSender: () => {},
    },
  };

  test("goes on with what is there, chooses no other, and leaves nothing when it is given up", async () => {
    const [one, other] = [sharedChannel<number>(1), sharedChannel<number>(1)];
    const ends = [one, other].map(({ handle }) => sharedChannel<number>(handle)) as [
      typeof one,
      typeof other,
    ];
    const cases = () => ({ one: receive(one), other: receive(other), sent: one.size > 0 && send(other, 7) });
    expect(trySelect(cases())).toBeUndefined();
    const scope = withCancel(background);
    const leaving = select(cases(), scope.ctx).catch((error: unknown) => error);
    const chosen = select(cases());
    expect([one.waiting.receivers, other.waiting.receivers]).toEqual([2, 2]);
    scope.cancel("over");
    expect(await leaving).toBe("over");
    await ends[1].send(5);
    expect(await chosen).toEqual({ key: "other", value: 5, done: false });
    for (const { waiting } of [one, other]) expect(waiting).toEqual({ senders: 0, receivers: 0 });
    await ends[0].send(1);
    await ends[1].send(6);
    expect(await select({ sent: send(other, 7), one: receive(one) })).toEqual({
      key: "one",
      value: 1,
      done: false,
    });
    expect([other.size, other.tryReceive()?.value]).toEqual([1, 6]);
  });

  test("waits for room, and fails with what a channel was closed with", async () => {
    const channel = sharedChannel<number>(1);
    const end = sharedChannel<number>(channel.handle);
    await channel.send(1);
    const sending = select({ sent: send(channel, 2), late: after(1e6) });
    expect(channel.waiting).toEqual({ senders: 1, receivers: 0 });
    expect(await end.receive()).toEqual({ value: 1, done: false });
    expect(await sending).toEqual({ key: "sent", value: undefined });
    expect(await end.receive()).toEqual({ value: 2, done: false });
    const boom = new Error("boom");
    const receiving = select({ next: receive(channel), late: after(1e6) });
    channel.close(boom);
    await expect(receiving).rejects.toBe(boom);
    await expect(select({ sent: send(channel, 3) })).rejects.toThrow("send on closed channel");
  });

  test("passes over a channel from which another was faster, and chooses among the others", async () => {
    const [emptied, other] = [sharedChannel<number>(1), sharedChannel<number>(1)];
    await other.send(1);
    const cases = () => ({ a: receive(faster), b: send(faster, 1), c: receive(emptied), d: receive(other) });
    for (const order of ["random", "priority"] as const) {
      expect((await select(cases(), { order })).key).toBe("d");
      expect(trySelect(cases(), { order })).toBeUndefined();
      await other.send(1);
    }
  });

  test("is what an event loop does with its sources, and it passes over one that others have emptied", async () => {
    const channels = [sharedChannel<number>(2), sharedChannel<number>(2)];
    const seen: number[] = [];
    const loop = new EventLoop<{ n: number }>();
    loop.on("n", (n) => void seen.push(n));
    const emptied = { ...faster, [Symbol.asyncIterator]: () => channels[0]?.[Symbol.asyncIterator]() };
    loop.source("n", emptied as unknown as SharedChannel<number>);
    for (const channel of channels) loop.source("n", channel);
    await using pool = threadPool<typeof functions>(jobs, { workers: 2 });
    const running = loop.run();
    await Promise.all(channels.map(({ handle }, n) => pool.run("produce", [handle, n * 50, (n + 1) * 50])));
    while (seen.length < 100) await new Promise(setImmediate);
    loop.stop();
    await running;
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test("takes its place in no further channel once the first has served it", async () => {
    const [one, other] = [sharedChannel<number>(1), sharedChannel<number>(1)];
    await one.send(1);
    // Ready by the time at which it is waited for, and not when it was looked at.
    const late = {
      receiveSide: {
        resource: undefined,
        receivable: false,
        tryReceive: () => undefined,
        enrollReceiver: (receiver: Parameters<typeof one.enrollReceiver>[0]) => one.enrollReceiver(receiver),
      },
    };
    expect(await select({ late: receive(late), other: receive(other) })).toEqual({
      key: "late",
      value: 1,
      done: false,
    });
    expect([one.waiting.receivers, other.waiting.receivers]).toEqual([0, 0]);
  });
});

describe("a shared channel between threads", () => {
  test("gives each value once: four threads send, and receive, with their whole thread or as here", async () => {
    await using pool = threadPool<typeof functions>(jobs, { workers: 4 });
    const channel = sharedChannel<number>(16);
    const consumed = [pool.run("consume", channel.handle), pool.run("consume", channel.handle)];
    const produced = [0, 1].map((n) => pool.run("produce", [channel.handle, n * 1000, (n + 1) * 1000]));
    const own: number[] = [];
    const reading = (async () => {
      for await (const n of channel) own.push(n);
    })();
    for (let n = 2000; n < 2500; n++) await channel.send(n);
    await Promise.all(produced);
    channel.close();
    await reading;
    const parts = [...(await Promise.all(consumed)), own];
    const all = parts.flat().toSorted((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 2500 }, (_, n) => n));
    for (const part of parts) {
      const [low, high] = [part.filter((n) => n < 1000), part.filter((n) => n >= 1000 && n < 2000)];
      for (const ofOne of [low, high]) expect(ofOne).toEqual(ofOne.toSorted((a, b) => a - b));
    }
  });

  test("is one of several among which threads select, and each value goes to one of them", async () => {
    await using pool = threadPool<typeof functions>(jobs, { workers: 4 });
    const channels = [sharedChannel<number>(2), sharedChannel<number>(2)];
    const handles = channels.map(({ handle }) => handle);
    const consumed = [pool.run("consumeAny", handles), pool.run("consumeAny", handles)];
    const { consumeAny } = await import("./jobs.mjs");
    const own = consumeAny(handles);
    await Promise.all(handles.map((handle, n) => pool.run("produce", [handle, n * 500, (n + 1) * 500])));
    for (const channel of channels) channel.close();
    const all = (await Promise.all([...consumed, own])).flat().toSorted((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  /** A pipeline of two stages in threads, and what has come out of it. */
  async function staged(
    values: readonly number[],
    each: (seen: readonly number[], sent: number) => Promise<void> | void,
  ): Promise<readonly number[]> {
    await using pool = threadPool<typeof functions>(jobs, { workers: 2 });
    const [first, between, last] = [2, 2, 2].map((capacity) => sharedChannel<number>(capacity)) as [
      SharedChannel<number>,
      SharedChannel<number>,
      SharedChannel<number>,
    ];
    const seen: number[] = [];
    await TaskGroup.run(async (group) => {
      const { ctx } = group;
      let sent = 0;
      group.go(() => pool.run("addTen", [first.handle, between.handle], ctx));
      group.go(() => pool.run("squareAll", [between.handle, last.handle], ctx));
      group.go(async () => {
        for (; sent < values.length; sent++) await first.send(values[sent] ?? 0, ctx);
        first.close();
      });
      for await (const value of last) {
        seen.push(value);
        await each(seen, sent);
      }
    });
    return seen;
  }

  test("joins stages of a pipeline on threads of their own, and holds up the first when the last is slow", async () => {
    const values = Array.from({ length: 100 }, (_, n) => n + 10);
    const seen = await staged(values, async ({ length }, sent) => {
      if (length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      // Three buffers of two, and what each stage and each end has in hand.
      expect(sent - length).toBeLessThanOrEqual(3 * 2 + 6);
    });
    expect(seen).toEqual(values.map((n) => (n + 10) ** 2));
  });

  test("ends all stages of a pipeline when one fails, and tells why", async () => {
    const seen: number[] = [];
    const running = staged(
      [1, 2, 3, ...Array.from({ length: 100 }, () => 7)],
      (so) => void seen.push(so.length),
    );
    await expect(running).rejects.toEqual(new RangeError("unlucky"));
    expect(seen.length).toBeLessThan(3);
  });

  test("ends the wait of a whole thread when it is closed", async () => {
    await using pool = threadPool<typeof functions>(jobs, { workers: 2 });
    const [empty, full] = [sharedChannel<number>(1), sharedChannel<number>(1)];
    const consuming = pool.run("consume", empty.handle);
    const producing = pool
      .run("produce", [full.handle, 0, 5])
      .catch((error: unknown) => (error as Error).message);
    while (full.size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    empty.close();
    full.close();
    expect(await consuming).toEqual([]);
    expect(await producing).toBe("send on closed channel");
  });

  test("keeps a process alive while somebody waits, and no longer", async () => {
    const library = new URL("../../dist/src/node/threads/channel.js", import.meta.url);
    const program = `
      const { sharedChannel } = await import(${JSON.stringify(library.href)});
      const channel = sharedChannel(1);
      const controller = new AbortController();
      const given = channel.receive({ signal: controller.signal }).catch((error) => console.log(error));
      setTimeout(() => { channel.send(1); }, 20).unref();
      console.log((await channel.receive(controller.abort("over"))).value);`;
    const { stdout } = await execute(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("over\n1\n");
  });
});
