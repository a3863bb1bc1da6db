/** Runs one program in the plain runtime and in many simulations: it must behave the same. */
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { expect, test } from "vitest";
import { plainly } from "./idle-clock.ts";

const SEEDS = 200;
/** The share of the seeds that is tried; more with `SEED_SHARE=1 npm test`, or any number. */
const SHARE = Number(process.env["SEED_SHARE"] ?? "0.15");

/** Two tests of one program. The program asserts; it must leave nothing behind. */
export function inBothRuntimes(name: string, program: () => void | PromiseLike<void>, seeds = SEEDS): void {
  test(`${name} (plain)`, async () => {
    await expect(plainly(program)).resolves.toBeUndefined();
  });
  const count = seedCount(seeds);
  test(`${name} (${count} seeds)`, async () => {
    const all = overSeeds(count, async (seed) => void (await simulate(program, { seed })));
    await expect(all).resolves.toBeUndefined();
  });
}

/** How many of so many seeds are tried. */
export function seedCount(seeds: number, atLeast = 5): number {
  return Math.max(atLeast, Math.ceil(seeds * SHARE));
}

/** Calls `run` with the seeds from 0; a failure names its seed. */
export async function overSeeds(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 0; seed < count; seed++) {
    try {
      await run(seed);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`with seed ${seed}: ${text}`, { cause: error });
    }
  }
}

/** Lets everybody who can go on do so: a little time, real or virtual. */
export async function settle(): Promise<void> {
  await sleep(1);
}
