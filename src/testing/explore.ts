/**
 * Runs a small program under one schedule after another, until one fails or there is none left.
 */
import { requireFunction, requireInteger, requireLimit, requireOneOf } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ConcurrencyError } from "../core/errors.ts";
import { AllSchedules, type Explorer, OneSchedule, PrioritySchedules, RandomSchedules } from "./explorers.ts";
import { errorText } from "./reports.ts";
import { formatSchedule, parseSchedule } from "./schedule.ts";
import { type Program, type Run, runOnce } from "./simulate.ts";

/** The host has its turn before one of so many schedules, and within long ones. */
const SCHEDULES_A_TURN = 16;

/** Which schedules are tried, and how many. */
export interface ExploreOptions extends CancelOptions {
  /**
   * `all`, the default: each schedule once, those that differ late first. `random`: every choice by chance. `pct`: by
   * chance too, but with priorities; it finds what needs few switches at the right places in programs too long for `all`.
   */
  readonly mode?: "all" | "random" | "pct" | undefined;
  /** No more than so many schedules: at least 1; default 10000. */
  readonly maxSchedules?: number | undefined;
  /**
   * With `all`: only schedules in which at most so many times another task goes on although the one that went on last
   * could: at least 0; default Infinity. Most mistakes need no more than 2, and there are far fewer such schedules.
   */
  readonly preemptions?: number | undefined;
  /** With `pct`: a mistake that needs so many steps in the right order is found with a known chance; default 3. */
  readonly depth?: number | undefined;
  /** More steps in one schedule are a failure, such as of a program that polls: at least 1; default 10000. */
  readonly maxSteps?: number | undefined;
  /** Of chance, the program's and that of `random` and `pct`: from 0 to 2^32-1; default 0. */
  readonly seed?: number | undefined;
  /** Tries this one alone: what an {@link ExploreError} has printed. `mode` and `seed` then do not matter. */
  readonly schedule?: string | undefined;
  /** As for `simulate`. */
  readonly externalTimeoutMs?: number | undefined;
}

/** What was tried, and nothing failed. */
export interface Explored {
  /** How many schedules. */
  readonly schedules: number;
  /** Whether these are all there are, within the bound on preemptions. */
  readonly complete: boolean;
  /** The most choices that one schedule had. */
  readonly maxDepth: number;
}

/** A schedule under which the program fails; the failure is its `cause`. Code `SCHEDULE`: no further one is tried. */
export class ExploreError extends ConcurrencyError {
  /** Replays the failure, as the option of this name of `explore` and of `simulate`. */
  readonly schedule: string;
  /** How many schedules were tried, this one included. */
  readonly schedules: number;

  constructor(schedule: string, schedules: number, failure: unknown) {
    const text = `schedule ${schedules} fails: ${errorText(failure)}`;
    super("SCHEDULE", `${text}\nto replay it: { schedule: "${schedule}" }`, { cause: failure });
    this.name = "ExploreError";
    this.schedule = schedule;
    this.schedules = schedules;
  }
}

/**
 * Runs `program` as `simulate` does, again and again, each time with other choices of who goes on and of what a select
 * takes, and stops at the first schedule under which it fails.
 *
 * **Guarantees** The same program and options give the same schedules in the same order. If the result is `complete`,
 * the program cannot fail in another order of its waiting calls: between two of them, code is never interrupted.
 * **Cancellation** `signal` is looked at between two schedules.
 * **Errors** `ExploreError` if the program throws, deadlocks, leaves tasks behind or takes more than `maxSteps`.
 * `MisuseError` if it does not do the same under the same choices; make all it uses inside of it.
 * **Cost** A step of `simulate` each. The number of schedules grows exponentially with tasks and waiting calls: begin
 * with two tasks of two calls.
 * **Not for** large programs, unless with `preemptions`, `random` or `pct`; those that wait for I/O: never `complete`.
 * **Source** Stateless search with replay: VeriSoft, Loom. The bound: CHESS (Musuvathi and Qadeer 2007). Printed
 * schedules: Shuttle. `pct`: Burckhardt, Kothari, Musuvathi, Nagarakatte, A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs (2010).
 *
 * @example
 * const visit = async () => {
 *   let visits = 0;
 *   const count = async () => {
 *     const seen = visits;
 *     await sleep(1);
 *     visits = seen + 1;
 *   };
 *   await TaskGroup.run((group) => [group.go(count), group.go(count)]);
 *   if (visits !== 2) throw new Error(`${visits} visits`);
 * };
 * const error = await explore(visit).catch((error: ExploreError) => error);
 * error instanceof ExploreError && error.message.split("\n"); //=> ["schedule 1 fails: Error: 1 visits", 'to replay it: { schedule: "0:" }']
 */
export function explore(program: Program<unknown>, options: ExploreOptions = {}): Promise<Explored> {
  requireFunction("program", program);
  const maxSteps = requireLimit("maxSteps", options.maxSteps ?? 10_000, 1);
  const maxSchedules = requireLimit("maxSchedules", options.maxSchedules ?? 10_000, 1);
  const { seed, explorer } = planOf(options);
  const { externalTimeoutMs } = options;
  const run = (n: number): Promise<Run<unknown>> => {
    const plan = { seed, chooser: explorer, maxSteps, hostTurn: n % SCHEDULES_A_TURN === 0 };
    return runOnce(program, plan, { externalTimeoutMs });
  };
  return exploreWith(run, explorer, maxSchedules, options);
}

function planOf(options: ExploreOptions): { readonly seed: number; readonly explorer: Explorer } {
  const seed = requireInteger("seed", options.seed ?? 0, 0, 0xffff_ffff);
  const preemptions = requireLimit("preemptions", options.preemptions ?? Number.POSITIVE_INFINITY, 0);
  const depth = requireInteger("depth", options.depth ?? 3, 1);
  const mode = requireOneOf("mode", options.mode ?? "all", ["all", "random", "pct"]);
  if (options.schedule !== undefined) {
    const schedule = parseSchedule(options.schedule);
    return { seed: schedule.seed, explorer: new OneSchedule(schedule.choices) };
  }
  if (mode === "all") return { seed, explorer: new AllSchedules(preemptions) };
  return { seed, explorer: mode === "pct" ? new PrioritySchedules(seed, depth) : new RandomSchedules(seed) };
}

async function exploreWith(
  run: (n: number) => Promise<Run<unknown>>,
  explorer: Explorer,
  maxSchedules: number,
  options: ExploreOptions,
): Promise<Explored> {
  let schedules = 0;
  let maxDepth = 0;
  let replayable = options.schedule === undefined;
  while (explorer.begin()) {
    await rejectIfCancelled(options);
    if (schedules === maxSchedules) return { schedules, complete: false, maxDepth };
    const { outcome, seed, replayable: sure } = await run(schedules);
    schedules++;
    explorer.end(outcome);
    const { choices } = explorer;
    if (!outcome.ok) throw new ExploreError(formatSchedule({ seed, choices }), schedules, outcome.error);
    maxDepth = Math.max(maxDepth, choices.length);
    replayable &&= sure;
  }
  return { schedules, complete: replayable, maxDepth };
}
