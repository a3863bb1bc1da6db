/**
 * Runs a concurrent program so that it can be repeated: virtual time, seeded order, one event log.
 */
import { requireFunction, requireInteger, requireOneOf, requirePositive } from "../core/arguments.ts";
import { type CancelOptions, endingOf, isCancelled, linkCancel } from "../core/cancellation.ts";
import { nextTurn } from "../core/clock.ts";
import type { RunEvent } from "../core/events.ts";
import { pick, seededRandom } from "../core/random.ts";
import { currentRuntime, type Runtime, useRuntime } from "../core/runtime.ts";
import { type Outcome, outcomeOf, spawnTask, valueOf } from "../core/task.ts";
import { background, type CancelableContext, type Context, withCancel } from "../sync/context.ts";
import { type Chooser, seededChooser } from "./chooser.ts";
import { EventLog } from "./event-log.ts";
import { type Explorer, OneSchedule } from "./explorers.ts";
import { LeakError } from "./reports.ts";
import { logEnd, logStart, type RunLabel } from "./run-log.ts";
import { parseSchedule } from "./schedule.ts";
import { afterMicrotasks } from "./settle.ts";
import { Simulation } from "./simulation.ts";
import { SimulationClock } from "./simulation-clock.ts";
import { enter, leave } from "./under-way.ts";

/** How a simulation runs. */
export interface SimulateOptions extends CancelOptions {
  /** Decides every choice: a whole number from 0 to 2^32-1; by default one is drawn, and reported in the result. */
  readonly seed?: number | undefined;
  /** A schedule that `explore` has printed: the run is that one. It has a seed of its own. */
  readonly schedule?: string | undefined;
  /**
   * `virtual`, the default: time moves only when every task is blocked. `real`: the machine's time; then only the
   * choices repeat, not the timing.
   */
  readonly clock?: "virtual" | "real" | undefined;
  /** How many virtual milliseconds pass in one of the machine's: above 0; default Infinity, which waits for nothing. */
  readonly speed?: number | undefined;
  /** Takes the event log, one event at a time. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /**
   * How long, in the machine's milliseconds, tasks may wait for something that the simulation does not know, such as
   * I/O or a promise of another task, before that is an error: above 0; default 5000.
   */
  readonly externalTimeoutMs?: number | undefined;
  /** What the event log says is run. */
  readonly label?: RunLabel | undefined;
}

/** What a simulation gives. */
export interface Simulated<T> {
  /** What the program gave. */
  readonly value: T;
  /** The seed that repeats the run. */
  readonly seed: number;
  /** How many times a task was resumed. */
  readonly steps: number;
  /** How much time passed for the program. */
  readonly elapsedMs: number;
  /**
   * False if the order of events depended on something outside that took longer than a turn of the host, as I/O does: then
   * the seed does not repeat the run.
   */
  readonly replayable: boolean;
}

/**
 * Writes a line to the event log of the simulation that runs; does nothing outside of one.
 *
 * @example
 * const lines: string[] = [];
 * const onEvent = (event: RunEvent) => void (event.k === "log" && lines.push(event.text));
 * await simulate(() => log("hello"), { onEvent });
 * lines; //=> ["hello"]
 */
export function log(text: string, level: "info" | "error" = "info"): void {
  currentRuntime().tracer?.emit({ k: "log", level, text });
}

/**
 * A number in `[0, 1)` that repeats with the seed of the simulation that runs; the system's outside of one.
 *
 * @example
 * const first = await simulate(random, { seed: 7 });
 * const again = await simulate(random, { seed: 7 });
 * first.value === again.value; //=> true
 */
export function random(): number {
  return currentRuntime().random.next();
}

/**
 * Runs `program` and everything it starts under a scheduler that resumes one task at a time, in an order that the seed
 * decides, on a clock that jumps from timer to timer.
 *
 * **Guarantees** The same seed gives the same run, event for event, as long as the program takes time and chance from
 * this library and waits for its other tasks through it. Every waiting call is a point at which another task may go on.
 * **Cancellation** `signal` ends the context that `program` is given, and so does the end of the run, however it comes.
 * A run that fails leaves no listener on any signal, also where its tasks still wait on one of outside.
 * **Errors** What `program` throws. `DeadlockError` if every task is blocked for ever; `LeakError` if the program has
 * ended and tasks of it have not; `StalledError` if nothing came from outside for `externalTimeoutMs`. All name tasks.
 * **Cost** In Node, one or two microseconds a step; elsewhere, one turn of the host's loop.
 * **Not for** two at once in one process, if they wait for I/O: code that comes back from outside finds the runtime of
 * the one that ran last.
 * **Source** Go's `testing/synctest` for the bubble and its clock; Shuttle and FoundationDB for seeded order.
 *
 * @example
 * const { value, elapsedMs } = await simulate(async () => {
 *   const ticks = new Channel<number>();
 *   return TaskGroup.run(async (group) => {
 *     group.go(async () => {
 *       await sleep(60_000);
 *       await ticks.send(now());
 *     });
 *     return (await ticks.receive()).value;
 *   });
 * }, { seed: 1 });
 * [value, elapsedMs]; //=> [60000, 60000]
 */
export function simulate<T>(program: Program<T>, options: SimulateOptions = {}): Promise<Simulated<T>> {
  requireFunction("program", program);
  return simulateSurveyed(program, options);
}

/** With a `survey`, what the program has left behind when it has ended is no error: the survey is told. */
export function simulateSurveyed<T>(
  program: Program<T>,
  options: SimulateOptions,
  survey?: Survey,
): Promise<Simulated<T>> {
  if (options.schedule === undefined) {
    const seed = requireInteger("seed", options.seed ?? drawSeed(), 0, 0xffff_ffff);
    return resultOf(runOnce(program, { seed, chooser: seededChooser(seed), survey }, options));
  }
  const { seed, choices } = parseSchedule(options.schedule);
  const chooser = new OneSchedule(choices);
  return resultOf(runOnce(program, { seed, chooser, survey }, options), chooser);
}

/** Looks at what is there when a program has ended well and nobody can go on without time. */
export type Survey = (simulation: Simulation, clock: SimulationClock) => void;

async function resultOf<T>(running: Promise<Run<T>>, replay?: Explorer): Promise<Simulated<T>> {
  const { outcome, seed, steps, elapsedMs, replayable } = await running;
  replay?.end(outcome);
  return { value: valueOf(outcome), seed, steps, elapsedMs, replayable };
}

/** What is run. */
export type Program<T> = (ctx: Context) => T | PromiseLike<T>;

/** Who decides in one run. */
export interface Plan {
  readonly seed: number;
  readonly chooser: Chooser;
  /** More steps are an error; default Infinity. */
  readonly maxSteps?: number;
  /**
   * The host has its turn before the run; default true. Who runs many, one after another, and does nothing in between,
   * can do with fewer.
   */
  readonly hostTurn?: boolean;
  /** Default: tasks that are left are an error. */
  readonly survey?: Survey | undefined;
}

/** One run, and how it ended. */
export interface Run<T> extends Omit<Simulated<T>, "value"> {
  readonly outcome: Outcome<T>;
}

/** Runs a program once. Bad options throw at the call; what the program throws is in the outcome. */
export function runOnce<T>(program: Program<T>, plan: Plan, options: SimulateOptions): Promise<Run<T>> {
  return run(program, plan, options, setUp(plan, options));
}

async function run<T>(
  program: Program<T>,
  { seed, survey = refuseLeft, hostTurn = true }: Plan,
  options: SimulateOptions,
  setup: Setup,
): Promise<Run<T>> {
  const { simulation, runtime, clock, eventLog } = setup;
  // Not in the microtasks of the caller, who goes on in the runtime that it had.
  if (hostTurn) await new Promise<void>(nextTurn);
  enter(runtime);
  logStart(eventLog, seed, options);
  const scope = withCancel(background);
  const outcome = await outcomeOf(() => runMain(setup, program, options, scope, survey));
  simulation.abandon();
  logEnd(eventLog, simulation, outcome);
  eventLog?.close();
  if (!outcome.ok) await giveUp(simulation, scope, outcome.error);
  leave(runtime);
  const { steps } = simulation;
  const replayable = simulation.replayable && options.clock !== "real";
  return { outcome, seed, steps, elapsedMs: clock.now(), replayable };
}

/**
 * Ends the context of a program that did not end by itself, so that it lets go of what is outside. It unwinds in this
 * simulation, where nobody goes on, and not in the runtime around it.
 */
async function giveUp(simulation: Simulation, scope: CancelableContext, error: unknown): Promise<void> {
  scope.cancel(error);
  await new Promise<void>(afterMicrotasks);
  simulation.untie();
}

/**
 * A seed for a run that was given none.
 *
 * @example
 * Number.isInteger(drawSeed()); //=> true
 */
export function drawSeed(): number {
  return pick(currentRuntime().random, 0x1_0000_0000);
}

interface Setup {
  readonly simulation: Simulation;
  readonly runtime: Runtime;
  readonly clock: SimulationClock;
  readonly eventLog: EventLog | undefined;
}

function setUp(plan: Plan, options: SimulateOptions): Setup {
  const kind = requireOneOf("clock", options.clock ?? "virtual", ["virtual", "real"]);
  const speed = requirePositive("speed", options.speed ?? Number.POSITIVE_INFINITY);
  const clock = new SimulationClock({ kind, speed });
  const { onEvent } = options;
  const source = { now: () => clock.now(), task: () => simulation.current?.id };
  const eventLog = onEvent === undefined ? undefined : new EventLog(source, onEvent);
  clock.tracer = eventLog;
  const simulation: Simulation = new Simulation({
    clock,
    tracer: eventLog,
    chooser: plan.chooser,
    enter: () => useRuntime(runtime),
    externalTimeoutMs: requirePositive("externalTimeoutMs", options.externalTimeoutMs ?? 5000),
    maxSteps: plan.maxSteps ?? Number.POSITIVE_INFINITY,
  });
  const runtime: Runtime = {
    clock,
    random: seededRandom(plan.seed, 2),
    scheduler: simulation,
    tracer: eventLog,
  };
  return { simulation, runtime, clock, eventLog };
}

/** Runs the program as the task `main`, whose context ends with `options.signal` and when it has ended. */
async function runMain<T>(
  { simulation, runtime, clock }: Setup,
  program: Program<T>,
  options: SimulateOptions,
  { ctx, cancel }: CancelableContext,
  survey: Survey,
): Promise<T> {
  // A tie, and not a child of the signal: a deadline of the clock outside means nothing on this one.
  const link = linkCancel(options, { onCancel: cancel });
  if (isCancelled(options)) cancel(endingOf(options)?.reason);
  let outcome: Outcome<T> | undefined;
  const ended = (result: Outcome<T>): void => {
    outcome = result;
    cancel();
  };
  spawnTask(runtime, { name: "main" }, () => program(ctx), ended);
  try {
    await simulation.run(() => outcome !== undefined);
  } finally {
    link?.release();
  }
  const value = valueOf(outcome as unknown as Outcome<T>);
  survey(simulation, clock);
  return value;
}

function refuseLeft(simulation: Simulation): void {
  const left = simulation.stuck();
  if (left.length > 0) throw new LeakError(left);
}
