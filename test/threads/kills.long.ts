import { beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { surviveKills } from "./kills.ts";

beforeAll(buildIfStale);

test("a pool survives the death of many of its threads, in every way", async () => {
  const late = 10;
  const { settled, begun, outcomes, strange, hit, sizes } = await surviveKills(
    { jobs: 500, exits: 15, late, exhausting: 2, endless: 5 },
    1,
  );
  expect(strange).toEqual([]);
  expect(settled.every((times) => times === 1)).toBe(true);
  expect(begun.every((times, n) => (outcomes[n] === "done" ? times === 1 : times <= 1))).toBe(true);
  expect(hit).toBeLessThanOrEqual(late);
  expect(sizes).toEqual([2, 0]);
});
