/** Tries millions of schedules of programs by chance. */
import { explore, type ExploreOptions } from "concurrency-model-patterns/testing";
import type { Mix } from "./mixes.ts";
import { say, SEED, share } from "./share.ts";

/** Of each program: all schedules up to a number, then some by chance, far apart. */
const WAYS: readonly ExploreOptions[] = [
  { mode: "all", maxSchedules: 2000 },
  { mode: "random", maxSchedules: 250 },
  { mode: "pct", maxSchedules: 250 },
];

/** Gives how many schedules were tried. A failure names the program and the schedule. */
export async function exploreMix(name: string, mix: Mix): Promise<number> {
  const wanted = share(5_000_000);
  let schedules = 0;
  let seed = SEED;
  for (; schedules < wanted; seed++) {
    for (const options of WAYS) {
      try {
        schedules += (await explore(mix(seed), { ...options, seed })).schedules;
      } catch (error) {
        throw new Error(`${name}, program ${seed}: ${String(error)}`, { cause: error });
      }
    }
  }
  say(`${name}: ${schedules} schedules of ${seed - SEED} programs`);
  return schedules;
}
