/**
 * How a check is run: in the plain runtime, and in simulations over some seeds.
 */
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { overSeeds, seedCount } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { ended } from "../../support/outcomes.ts";
import type { Subject } from "../subject.ts";

/** One thing that is held to some of the promises. */
export interface Check {
  readonly name: string;
  /** The numbers of the promises that it is about. What it fails with names the one that is broken. */
  readonly promises: readonly number[];
  readonly run: () => Promise<void>;
}

/** So many seeds are tried, of 10: there are many subjects, and each seed tries other schedules of all of them. */
export const SEEDS = seedCount(10, 1);

/** When this has passed, nothing is going to happen any more. */
const FOR_EVER_MS = 1e7;

/** Runs a program in the plain runtime. What never comes is a failure, and not a test that hangs. */
export function plain(program: () => Promise<unknown>): Promise<void> {
  return plainly(async () => {
    const over = new AbortController();
    const late = sleep(FOR_EVER_MS, over).then((): never => {
      throw new Error("promise 1: a call does not settle");
    });
    try {
      await Promise.race([program(), late]);
    } finally {
      over.abort();
      await ended(late);
    }
  });
}

/** Runs a program in both runtimes; the plain one comes first, because a hang is told from there at once. */
export async function everywhere({ simulated }: Subject, program: () => Promise<unknown>): Promise<void> {
  await plain(program);
  if (simulated === false) return;
  await overSeeds(SEEDS, async (seed) => void (await simulate(program, { seed })));
}

/** A check for each entry of a facet of a subject. */
export function checksFor<T>(
  facet: Readonly<Record<string, T>> | undefined,
  make: (entry: T, name: string) => readonly Check[],
): readonly Check[] {
  return Object.entries(facet ?? {}).flatMap(([name, entry]) =>
    make(entry, name).map((check) => ({
      ...check,
      name: name === "" ? check.name : `${name}: ${check.name}`,
    })),
  );
}
