import { Channel, type ReceivePort } from "concurrency-model-patterns/channel";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { receiveMany } from "concurrency-model-patterns/receive-many";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep, Ticker } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn, listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

function filled(...values: number[]): Channel<number> {
  const channel = new Channel<number>(8);
  for (const value of values) channel.trySend(value);
  return channel;
}

describe("receiveMany", () => {
  inBothRuntimes(
    "gives what is there, at most `max`, in order",
    async () => {
      const channel = filled(1, 2, 3, 4, 5);
      expect(await receiveMany(channel, 3)).toEqual([1, 2, 3]);
      expect(await receiveMany(channel, 3)).toEqual([4, 5]);
      expect(channel.size).toBe(0);
    },
    10,
  );

  inBothRuntimes(
    "takes the values of waiting senders too",
    async () => {
      const channel = new Channel<number>();
      const sends = [1, 2, 3].map((n) => channel.send(n));
      await settle();
      expect(await receiveMany(channel, 2)).toEqual([1, 2]);
      expect(channel.waiting.senders).toBe(1);
      expect(await receiveMany(channel, 2)).toEqual([3]);
      await Promise.all(sends);
    },
    10,
  );

  inBothRuntimes(
    "waits for the first value, and for `min` of them, also beyond the capacity",
    async () => {
      for (const capacity of [0, 1, 8]) {
        const channel = new Channel<number>(capacity);
        await TaskGroup.run(async (group) => {
          group.go(async () => {
            for (const n of [1, 2, 3, 4, 5]) {
              await sleep(1, group.ctx);
              await channel.send(n, group.ctx);
            }
          });
          expect(await receiveMany(channel, 10)).toEqual([1]);
          expect(await receiveMany(channel, 10, { min: 4 })).toEqual([2, 3, 4, 5]);
        });
      }
    },
    50,
  );

  inBothRuntimes(
    "gives fewer than `min` at the end, and then none",
    async () => {
      const channel = filled(1, 2);
      const waiting = receiveMany(channel, 5, { min: 4 });
      await settle();
      channel.close();
      expect(await waiting).toEqual([1, 2]);
      expect(await receiveMany(channel, 5, { min: 4 })).toEqual([]);
    },
    20,
  );

  inBothRuntimes(
    "gives the values before the error with which the channel was closed",
    async () => {
      const broken = new Error("broken");
      const channel = filled(1, 2, 3);
      channel.close(broken);
      expect(await receiveMany(channel, 2)).toEqual([1, 2]);
      expect(await receiveMany(channel, 2)).toEqual([3]);
      expect(await failureOf(receiveMany(channel, 2))).toBe(broken);
      const late = new Channel<number>();
      const waiting = failureOf(receiveMany(late, 2));
      await settle();
      late.close(broken);
      expect(await waiting).toBe(broken);
    },
    20,
  );

  inBothRuntimes(
    "makes batches that are full, or as old as a deadline",
    async () => {
      const channel = new Channel<number>(10);
      const batch = async (): Promise<number[]> => {
        const { ctx, cancel } = withTimeout(background, 10);
        const values = await receiveMany(channel, 3, { min: 3, signal: ctx.signal });
        cancel();
        expect(listenersOf(ctx.signal)).toBe(0);
        return values;
      };
      for (const n of [1, 2, 3, 4]) channel.trySend(n);
      expect(await batch()).toEqual([1, 2, 3]);
      expect(await batch()).toEqual([4]);
      expect(await failureOf(batch())).toMatchObject({ code: "TIMEOUT" });
      expect(channel.waiting.receivers).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "given up before it begins has taken nothing",
    async () => {
      const channel = filled(1, 2);
      const reason = new Error("gone");
      expect(await failureOf(receiveMany(channel, 2, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect(channel.size).toBe(2);
    },
    10,
  );

  inBothRuntimes(
    "loses no value, whatever is cancelled when",
    async () => {
      const channel = new Channel<number>(2);
      const received: number[] = [];
      const accepted: number[] = [];
      await TaskGroup.run(async (group) => {
        await TaskGroup.run((inner) => {
          for (let t = 0; t < 3; t++) {
            inner.go(async () => {
              for (let n = 0; n < 4; n++) {
                const value = t * 4 + n;
                const { ctx, cancel } = withCancel(inner.ctx);
                const sending = ended(channel.send(value, ctx));
                const cancelling = inner.go(() => cancel());
                if ("value" in (await sending)) accepted.push(value);
                await cancelling.join();
              }
            });
            inner.go(async () => {
              for (let n = 0; n < 3; n++) {
                const { ctx, cancel } = withCancel(inner.ctx);
                const call = ended(receiveMany(channel, 3, { min: 1 + (n % 3), signal: ctx.signal }));
                const cancelling = inner.go(async () => {
                  if (n % 2 === 0) await sleep(1);
                  cancel();
                });
                const end = await call;
                if ("value" in end) {
                  expect((end.value as number[]).length).toBeGreaterThan(0);
                  received.push(...(end.value as number[]));
                }
                await cancelling.join();
              }
            });
          }
        });
        channel.close();
        group.go(async () => {
          for (;;) {
            const rest = await receiveMany(channel, 5);
            if (rest.length === 0) return;
            received.push(...rest);
          }
        });
      });
      expect(received.toSorted((a, b) => a - b)).toEqual(accepted.toSorted((a, b) => a - b));
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    },
    200,
  );

  inBothRuntimes(
    "receives from anything that gives values out",
    async () => {
      const ticker = new Ticker(2);
      expect(await receiveMany(ticker, 3, { min: 3 })).toHaveLength(3);
      ticker.stop();
    },
    5,
  );

  test("ends the same over many seeds when two share a channel: each value once, in order for each", async () => {
    await overSeeds(50, async () => {
      const channel = filled(1, 2, 3, 4, 5, 6, 7, 8);
      channel.close();
      const shares = await Promise.all([
        receiveMany(channel, 5, { min: 3 }),
        receiveMany(channel, 5, { min: 3 }),
      ]);
      for (const share of shares) expect(share).toEqual(share.toSorted((a, b) => a - b));
      expect(shares.flat().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });
  });

  test("lets the host have its turn when there always is something", async () => {
    const channel = new Channel<number>(1);
    const turn = await hostGetsItsTurn(async (over) => {
      while (!over()) {
        channel.trySend(1);
        await receiveMany(channel, 10);
      }
    });
    expect(turn).toBe(true);
  });

  test("takes a million values in one call", async () => {
    const channel = new Channel<number>(Number.POSITIVE_INFINITY);
    for (let n = 0; n < 1_000_000; n++) channel.trySend(n);
    expect(await receiveMany(channel, 1_000_000)).toHaveLength(1_000_000);
  });

  test.each<[string, (port: ReceivePort<number>) => unknown, string]>([
    ["max 0", (port) => receiveMany(port, 0), "max must be a whole number of at least 1, got 0"],
    ["min 0", (port) => receiveMany(port, 2, { min: 0 }), "min must be a whole number from 1 to 2, got 0"],
    ["min 3", (port) => receiveMany(port, 2, { min: 3 }), "min must be a whole number from 1 to 2, got 3"],
  ])("%s is refused at the call", (_, call, message) => {
    const error = thrownBy(() => call(new Channel<number>())) as Error;
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(message);
  });
});
