/**
 * A pool of threads whose threads die, again and again, in every way there is: while they are at a job, between two, for
 * lack of memory, or because they had to be ended.
 */
import { threadPool } from "concurrency-model-patterns/threads";
import type * as functions from "./jobs.mjs";

/** How many jobs there are, and how many of them end their thread in which way. */
export interface Kills {
  readonly jobs: number;
  readonly exits: number;
  /** Throw when their thread is at another job, or at none. */
  readonly late: number;
  readonly exhausting: number;
  readonly endless: number;
}

type Fate = "return" | "exit" | "late" | "exhaust" | "spin";

/** Which job has which fate, all over the place. */
function fatesOf({ jobs, exits, late, exhausting, endless }: Kills, seed: number): readonly Fate[] {
  const fates: Fate[] = Array.from({ length: jobs }, () => "return");
  let state = seed;
  const draw = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * jobs);
  };
  const deal = (fate: Fate, count: number): void => {
    for (let dealt = 0; dealt < count; ) {
      const at = draw();
      if (fates[at] !== "return") continue;
      fates[at] = fate;
      dealt++;
    }
  };
  deal("exit", exits);
  deal("late", late);
  deal("exhaust", exhausting);
  deal("spin", endless);
  return fates;
}

/** What became of them. */
export interface Survived {
  /** The outcome of each: `done`, or the code of its error. */
  readonly outcomes: readonly string[];
  /** How often each has settled, and was begun. */
  readonly settled: Int32Array;
  readonly begun: Int32Array;
  /** Those that have an outcome which the way they went does not explain. */
  readonly strange: readonly string[];
  /** How many were hit by an error that an earlier job of their thread had left behind. */
  readonly hit: number;
  /** How long it took after the last job until there were as many threads as there should be. */
  readonly backMs: number;
  /** How many threads there were then, and at the very end. */
  readonly sizes: readonly [after: number, end: number];
}

/** Runs them, and counts. */
export async function surviveKills(kills: Kills, seed: number): Promise<Survived> {
  const memory = new SharedArrayBuffer(4 * kills.jobs);
  const begun = new Int32Array(memory);
  const fates = fatesOf(kills, seed);
  const pool = threadPool<typeof functions>(new URL("jobs.mjs", import.meta.url), {
    workers: 2,
    capacity: kills.jobs,
    graceMs: 5,
    restart: () => 1,
    onError: () => {},
    thread: { resourceLimits: { maxOldGenerationSizeMb: 16 } },
  });
  const settled = new Int32Array(kills.jobs);
  const run = async (fate: Fate, n: number): Promise<string> => {
    const timeoutMs = fate === "spin" ? 5 : undefined;
    try {
      await pool.run("meet", [memory, n, fate], { timeoutMs });
      return "done";
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    } finally {
      settled[n] = (settled[n] ?? 0) + 1;
    }
  };
  const outcomes = await Promise.all(fates.map(run));
  const strange = outcomes.flatMap((outcome, n) => {
    const fate = fates[n] ?? "return";
    return possible[fate].includes(outcome) ? [] : [`${fate} ${n}: ${outcome}`];
  });
  const hit = outcomes.filter(
    (outcome, n) => outcome === "CRASHED" && /return|late/.test(fates[n] ?? ""),
  ).length;
  const sinceMs = performance.now();
  while (pool.size < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  const backMs = performance.now() - sinceMs;
  await pool.run("square", 3);
  const { size } = pool;
  await pool.drain();
  return { outcomes, settled, begun, strange, hit, backMs, sizes: [size, pool.size] };
}

/** A job of any kind may be hit by an error that an earlier one has left behind. */
const possible: Readonly<Record<Fate, readonly string[]>> = {
  return: ["done", "CRASHED"],
  late: ["done", "CRASHED"],
  exit: ["CRASHED"],
  exhaust: ["CRASHED"],
  spin: ["TIMEOUT", "CRASHED"],
};
