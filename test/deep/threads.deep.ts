import { expect, test } from "vitest";
import { surviveKills } from "../threads/kills.ts";
import { SEED, say, share } from "./share.ts";

test("10,000 jobs of threads settle once each, though threads die 700 times", async () => {
  const kills = {
    jobs: share(10_000),
    exits: share(300),
    late: share(200),
    exhausting: share(100),
    endless: share(100),
  };
  const { settled, begun, outcomes, strange, hit, backMs, sizes } = await surviveKills(kills, SEED);
  const done = outcomes.filter((outcome) => outcome === "done").length;
  say(
    `${kills.jobs} jobs: ${done} done, ${outcomes.length - done} not, of which ${hit} hit by others' errors`,
  );
  say(`as many threads as before ${backMs.toFixed(1)} ms after the last job`);
  expect(strange).toEqual([]);
  expect(settled.every((times) => times === 1)).toBe(true);
  expect(begun.every((times, n) => (outcomes[n] === "done" ? times === 1 : times <= 1))).toBe(true);
  expect(hit).toBeLessThanOrEqual(kills.late);
  expect(sizes).toEqual([2, 0]);
});
