import { describe, expect, test } from "vitest";
import { pick, seededRandom, systemRandom } from "../../src/core/random.ts";

const draw = (seed: number, stream: number, count = 1000): number[] => {
  const random = seededRandom(seed, stream);
  return Array.from({ length: count }, () => random.next());
};

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

describe("seeded chance", () => {
  test("repeats with its seed and stream, and differs with another", () => {
    expect(draw(7, 1)).toEqual(draw(7, 1));
    const seen = new Set(
      [0, 1, 2, 7, 2 ** 32 - 1].flatMap((seed) => [0, 1, 2].map((stream) => draw(seed, stream, 3).join())),
    );
    expect(seen.size).toBe(15);
  });

  test("is the same on every machine", () => {
    expect(draw(1, 1, 3).map((n) => Math.floor(n * 2 ** 32))).toMatchInlineSnapshot(`
      [
        3531887805,
        1959362582,
        4033856046,
      ]
    `);
  });

  test.each([0, 1, 12345])("is uniform in [0, 1), also for the seed %i", (seed) => {
    const counts = new Map<number, number>();
    for (const n of draw(seed, 1, 100_000)) count(counts, Math.floor(n * 10));
    expect(counts.size).toBe(10);
    for (const times of counts.values()) expect(Math.abs(times - 10_000)).toBeLessThan(500);
  });

  test("is uniform over the first choice of many seeds too", () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 9000; seed++) count(counts, pick(seededRandom(seed, 1), 3));
    for (const times of counts.values()) expect(Math.abs(times - 3000)).toBeLessThan(250);
  });

  test("picks whole numbers below a count", () => {
    for (let n = 0; n < 1000; n++) expect([0, 1, 2]).toContain(pick(systemRandom, 3));
    expect(pick({ next: () => 1 - Number.EPSILON / 2 }, 5)).toBe(4);
  });
});
