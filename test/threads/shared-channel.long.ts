import { type SharedChannel, sharedChannel } from "concurrency-model-patterns/threads/channel";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { killsAtSea, traffic } from "./channel-traffic.ts";

beforeAll(buildIfStale);

describe("a shared channel under the traffic of several threads", () => {
  test.each([
    [1, 6000, 11],
    [2, 10_000, 12],
    [3, 10_000, 13],
    [64, 20_000, 14],
  ])("of capacity %i gives each accepted value once, and no other", async (capacity, range, seed) => {
    const { accepted, received, wrong, inOrder, left } = await traffic(range, capacity, seed, 3 * range);
    process.stdout.write(`capacity ${capacity}: ${accepted} of ${3 * range} values accepted\n`);
    expect(wrong).toEqual([]);
    expect([received, inOrder, left]).toEqual([accepted, true, 0]);
  });

  test("is closed at any moment, and loses nothing that was accepted", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const closed = await traffic(2000, 1 + (seed % 5), seed, seed * 600);
      expect([seed, closed.wrong, closed.received, closed.left]).toEqual([seed, [], closed.accepted, 0]);
    }
  });
});

describe("threads that are ended in the midst of sending and receiving", () => {
  test("leave a channel that works, with a place less for each of them at most", async () => {
    const [rounds, capacity] = [10, 30];
    const { moves, through, holds } = await killsAtSea(rounds, capacity);
    process.stdout.write(
      `${2 * rounds} threads ended within ${moves} moves: ${capacity - holds} places lost\n`,
    );
    expect(through).toBe(3 * capacity);
    expect(holds).toBeGreaterThanOrEqual(capacity - 2 * rounds);
  });

  /** Where the tail and the head are, for a thread that has died after it had moved one of them. */
  const [TAIL, HEAD] = [0, 32];

  test("goes on without the places at which a thread has died, and ends when there is no other", async () => {
    const [sending, receiving, only] = [2, 2, 1].map((capacity) => sharedChannel<number>(capacity)) as [
      SharedChannel<number>,
      SharedChannel<number>,
      SharedChannel<number>,
    ];
    Atomics.add(new Int32Array(sending.handle.memory), TAIL, 2);
    await receiving.send(1);
    Atomics.add(new Int32Array(receiving.handle.memory), HEAD, 1);
    Atomics.add(new Int32Array(only.handle.memory), TAIL, 2);
    await sending.send(5);
    await receiving.send(6);
    await receiving.receive();
    const lost = only.receive().catch((error: unknown) => error);
    // Each waits for one who will never come, and goes on without.
    expect((await Promise.all([sending.receive(), receiving.send(7)]))[0].value).toBe(5);
    expect((await receiving.receive()).value).toBe(7);
    for (const channel of [sending, receiving]) {
      expect([channel.trySend(8), channel.trySend(9)]).toEqual([true, false]);
      expect(channel.tryReceive()?.value).toBe(8);
    }
    await expect(only.send(1)).rejects.toMatchObject({ code: "CLOSED", cause: { code: "CRASHED" } });
    expect(await lost).toMatchObject({ code: "CRASHED" });
  });
});
