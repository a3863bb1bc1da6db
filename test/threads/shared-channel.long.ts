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
    const [rounds, capacity] = [40, 100];
    const { moves, through, holds } = await killsAtSea(rounds, capacity);
    process.stdout.write(
      `${2 * rounds} threads ended within ${moves} moves: ${capacity - holds} places lost\n`,
    );
    expect(through).toBe(3 * capacity);
    expect(holds).toBeGreaterThanOrEqual(capacity - 2 * rounds);
  });
});
