/** Tries every schedule of small programs, and counts them for the report of the tests. */
import { explore } from "concurrency-model-patterns/testing";
import { describe, expect, test } from "vitest";
import type { Program } from "./programs.ts";
import "./tally.ts";

/** A program, and every way in which it can go: each must come about, and no other. */
export type Explored = Program | readonly [program: Program, ...ways: string[]];

/** No primitive is explored by fewer programs. */
const LEAST_PROGRAMS = 6;
const MOST_SCHEDULES = 100_000;
/** Smaller programs are explored twice, as it must be the same each time. */
const SMALL = 200;

/** One test a program. */
export function inEveryOrder(primitive: string, programs: Readonly<Record<string, Explored>>): void {
  const entries = Object.entries(programs);
  if (entries.length < LEAST_PROGRAMS) throw new Error(`${primitive} has only ${entries.length} programs`);
  describe(`in every order, ${primitive}:`, () => {
    test.for(entries)("%s", async ([, explored], { task, signal }) => {
      const [program, ...ways] = typeof explored === "function" ? [explored] : explored;
      const { schedules, seen } = await exploreAll(program, signal);
      expect(seen).toEqual(ways.toSorted());
      task.meta.schedules = schedules;
    });
  });
}

interface Result {
  readonly schedules: number;
  readonly seen: readonly string[];
}

/** A test that is given up, as its time is over, leaves no loop behind: `signal` ends it. */
async function exploreAll(program: Program, signal: AbortSignal): Promise<Result> {
  const seen = new Set<string>();
  const noted: Program = async (ctx) => {
    const way = await program(ctx);
    if (way !== undefined) seen.add(way);
  };
  const first = await explore(noted, { maxSchedules: MOST_SCHEDULES, signal });
  expect(first.complete).toBe(true);
  if (first.schedules <= SMALL) expect(await explore(noted, { signal })).toEqual(first);
  return { schedules: first.schedules, seen: [...seen].toSorted() };
}
