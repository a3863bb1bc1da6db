import { expect, test } from "vitest";
import { runOf } from "../threads/random-run.ts";
import { SEED, say, share } from "./share.ts";

test("100,000 random schedules of threads that lag and die", async () => {
  const seeds = share(100_000);
  let calls = 0;
  for (let seed = SEED * 1_000_000; seed < SEED * 1_000_000 + seeds; seed++) {
    const { wrong, ends } = await runOf(seed);
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    calls += ends.length;
  }
  say(`${seeds} schedules, ${calls} calls: each settled`);
});
