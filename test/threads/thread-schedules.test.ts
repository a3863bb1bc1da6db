import { expect, test } from "vitest";
import { runOf } from "./random-run.ts";

/** A seed that has failed, in a longer run, is added to these. */
const SEEDS = Array.from({ length: 1000 }, (_, seed) => seed);
const ENDS = [
  "done",
  "RangeError: as it is to",
  "given up",
  "TIMEOUT",
  "CRASHED",
  "CLOSED",
  "Error: enough",
  "RangeError: cannot be loaded",
  "no room",
];

test("each call on threads that lag and die settles, no job is begun twice, and somebody who waits keeps the process alive", async () => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const { wrong, ends } = await runOf(seed);
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    for (const end of ends) seen.add(end);
  }
  expect([...seen].toSorted()).toEqual(ENDS.toSorted());
});
