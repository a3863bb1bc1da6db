import { AsyncLocalStorage } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { after, receive, select, settled, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";

/** A promise that is settled by hand. */
function byHand<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { promise, resolve, reject };
}

const boom = new Error("boom");

describe("select: a promise", () => {
  inBothRuntimes(
    "is chosen when it resolves, whatever to, and the other cases have left",
    async () => {
      const idle = new Channel<number>();
      const waits = [42, undefined, null].map((value) => {
        const { promise, resolve } = byHand<unknown>();
        const chosen = select({ answer: settled(promise), idle: receive(idle), late: after(1e6) });
        return { value, promise, resolve, chosen };
      });
      await settle();
      expect(idle.waiting.receivers).toBe(3);
      for (const { value, promise, resolve, chosen } of waits) {
        resolve(value);
        expect(await chosen).toEqual({ key: "answer", value });
        expect(await select({ again: settled(promise) })).toEqual({ key: "again", value });
      }
      expect(idle.waiting.receivers).toBe(0);
    },
    10,
  );

  inBothRuntimes(
    "that rejects fails the select, which has taken nothing from the other cases",
    async () => {
      const { promise, reject } = byHand<number>();
      const channel = new Channel<number>(1);
      const failing = ended(select({ answer: settled(promise), value: receive(channel) }));
      await settle();
      reject(boom);
      expect(await failing).toEqual({ error: boom });
      expect(channel.waiting.receivers).toBe(0);
      expect(thrownBy(() => trySelect({ answer: settled(promise) }))).toBe(boom);
      expect(await failureOf(select({ answer: settled(promise) }))).toBe(boom);
    },
    10,
  );

  inBothRuntimes(
    "is waited for by several selects, which leave in any order",
    async () => {
      const { promise, resolve } = byHand<number>();
      const { ctx, cancel } = withCancel(background);
      const other = new Channel<number>();
      const waits = [
        ended(select({ answer: settled(promise) })),
        ended(select({ answer: settled(promise) }, ctx)),
        ended(select({ answer: settled(promise), other: receive(other) })),
        ended(select({ answer: settled(promise), same: settled(promise) }, { order: "priority" })),
      ];
      await settle();
      cancel(boom);
      other.trySend(1);
      await settle();
      resolve(7);
      expect(await Promise.all(waits)).toEqual([
        { value: { key: "answer", value: 7 } },
        { error: boom },
        { value: { key: "other", value: 1, done: false } },
        { value: { key: "answer", value: 7 } },
      ]);
    },
    10,
  );

  test("that rejects after another case was chosen is no unhandled rejection", async () => {
    const { promise, reject } = byHand<number>();
    expect((await select({ answer: settled(promise), late: after(0) })).key).toBe("late");
    reject(boom);
    // The check after each test looks for rejections that nobody has handled.
    await new Promise((resolve) => setImmediate(resolve));
    expect(await failureOf(promise)).toBe(boom);
  });

  test("has the same chance as any other case that is ready", async () => {
    const answer = settled(Promise.resolve(1));
    await settle();
    const channel = new Channel<number>(1);
    let chosen = 0;
    for (let trial = 0; trial < 10_000; trial++) {
      channel.trySend(0);
      if (trySelect({ answer, value: receive(channel) })?.key === "answer") chosen++;
      channel.tryReceive();
    }
    expect(Math.abs(chosen / 10_000 - 0.5)).toBeLessThan(0.0245);
  });

  test("that does not settle keeps none of those who have waited for it", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { promise } = byHand<number>();
    const seen = await (async () => {
      const large = { size: 1 };
      const values = new Channel<object>(1);
      const chosen = select({ answer: settled(promise), value: receive(values) });
      values.trySend(large);
      await chosen;
      return new WeakRef(large);
    })();
    for (let round = 0; round < 10 && seen.deref() !== undefined; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(seen.deref()).toBeUndefined();
    expect(settled(promise)).toBe(settled(promise));
  });

  test("may be anything with a `then`, which is called once however often it is waited for", async () => {
    let calls = 0;
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what this is about
      then(resolve: (value: number) => void): void {
        calls++;
        resolve(1);
        resolve(2);
        throw boom;
      },
    };
    for (let round = 0; round < 3; round++)
      expect(await select({ answer: settled(thenable as PromiseLike<number>) })).toMatchObject({ value: 1 });
    expect(calls).toBe(1);
    for (const wrong of [undefined, null, 3, {}, () => 1])
      expect(thrownBy(() => settled(wrong as never))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => settled(3 as never))).toMatchObject({
      message: "promise must be a promise, got 3",
    });
  });

  test("leaves each select in the async context of its own caller", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { promise, resolve } = byHand<number>();
    const seen = ["a", "b"].map((name) =>
      storage.run(name, async () => {
        await select({ answer: settled(promise) });
        return storage.getStore();
      }),
    );
    storage.run("resolver", () => resolve(1));
    expect(await Promise.all(seen)).toEqual(["a", "b"]);
  });
});

describe("select: a promise in a simulation", () => {
  test("of another task is no deadlock, and time goes on meanwhile", async () => {
    const program = (): Promise<unknown> =>
      TaskGroup.run(async (group) => {
        const working = group.go(() => sleep(5));
        return select({ done: settled(working.join().then(() => now())), late: after(10) });
      });
    expect(await simulate(program, { seed: 1 })).toMatchObject({ value: { key: "done", value: 5 } });
  });

  test("of I/O is waited for, and the run cannot be replayed", async () => {
    const { value, replayable } = await simulate(() => {
      const io = new Promise<string>((resolve) => setTimeout(resolve, 2, "read"));
      return select({ io: settled(io), never: receive(new Channel<number>()) });
    });
    expect([value, replayable]).toEqual([{ key: "io", value: "read" }, false]);
  });

  test("that never settles is an error after a while, which names who waits", async () => {
    const error = await failureOf(
      simulate(() => select({ never: settled(byHand<number>().promise) }), { externalTimeoutMs: 5 }),
    );
    expect(error).toMatchObject({ code: "STALLED" });
    expect((error as Error).message).toContain("main (task 0): select");
  });
});
