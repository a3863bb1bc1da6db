/**
 * Runs what was chosen: a demo under the simulation, or a pattern on real input.
 */
import { drawSeed, log, random, type SimulateOptions, simulate } from "concurrency-model-patterns/testing";
import { now } from "concurrency-model-patterns/timers";
import type { DemoRun } from "../examples/demo.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import type { Command, RunOptions } from "./command-line.ts";
import { exitStatus, Failure, usageFailure } from "./failure.ts";
import { openInputs } from "./inputs.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";
import type { Chosen } from "./parameter-flags.ts";
import { Progress } from "./progress.ts";
import { type Renderer, rendererFor } from "./render.ts";

type RunCommand = Extract<Command, { kind: "run" }>;
type InputCommand = Extract<Command, { kind: "input" }>;

/** What a run reports to and is ended by. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly interrupt: Interrupt;
  /** Aborts at an interrupt, and when nobody reads. */
  readonly signal: AbortSignal;
}

/** Runs the chosen demos, one after another; then tells the seed, if it was drawn. */
export async function runDemos(
  { chosen, options }: RunCommand,
  around: Surroundings,
  argv: readonly string[],
): Promise<void> {
  const seed = options.seed ?? drawSeed();
  const render = rendererFor(options, around.stdout, process.stdout);
  try {
    for (const one of chosen) await runDemo(one, seed, options, render, around.signal);
  } finally {
    if (options.seed === undefined) tellSeed(seed, argv, around);
  }
}

async function runDemo(
  { entry, params }: Chosen,
  seed: number,
  options: RunOptions,
  render: Renderer,
  signal: AbortSignal,
): Promise<void> {
  const { demo } = await entry.load();
  const program: SimulateOptions = {
    seed,
    speed: options.speed,
    clock: options.clock,
    signal,
    onEvent: render,
    label: { pattern: entry.name, title: demo.title, params },
  };
  await simulate(async (ctx) => {
    log(`Running ${demo.title} Example...`);
    log(`=== ${demo.title} Example ===`);
    const run: DemoRun<ParameterTable> = {
      params,
      ctx,
      print: (text = "") => log(text),
      between: (min, below) => min + Math.floor(random() * (below - min)),
      timeOfDay: options.clock === "real" ? machineTimeOfDay : virtualTimeOfDay,
    };
    await demo.run(run);
  }, program);
}

/** Virtual time begins at Go's reference time, to the millisecond. */
function virtualTimeOfDay(): string {
  return new Date(Date.UTC(2006, 0, 2, 15, 4, 5) + now()).toISOString().slice(11, 23);
}

function machineTimeOfDay(): string {
  const local = new Date();
  return new Date(local.getTime() - local.getTimezoneOffset() * 60_000).toISOString().slice(11, 23);
}

/** Not into a pipe that broke: who left does not want to read on. */
function tellSeed(seed: number, argv: readonly string[], { stdout, stderr }: Surroundings): void {
  if (stdout.gone.aborted) return;
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  );
  stderr.write(`seed ${seed}; to see this run again: cmp-pattern ${words.join(" ")} --seed ${seed}\n`);
}

/** Runs a pattern on files. Time is the machine's, as the files are. */
export async function runOnInput(command: InputCommand, around: Surroundings): Promise<void> {
  const { chosen, files, options } = command;
  const { entry, params } = chosen;
  if (entry.loadInput === undefined) throw usageFailure(`--input has no use for ${entry.name}`);
  const { inputDemo } = await entry.loadInput();
  if (inputDemo.files === "FILE" && files.length > 1) {
    throw usageFailure(`--input takes one file with ${entry.name}, got ${files.length}`);
  }
  const inputs = await openInputs(files);
  const progress = new Progress(around.stderr, process.stderr, inputs);
  let problems = 0;
  const report = (problem: string): void => {
    problems++;
    progress.clear();
    around.stderr.write(`cmp-pattern: ${problem}\n`);
  };
  const onEvent = rendererFor(options, around.stdout, process.stdout);
  const label = { pattern: entry.name, title: inputDemo.about, params: { ...params, input: files } };
  const settings: SimulateOptions = {
    seed: options.seed,
    clock: "real",
    signal: around.signal,
    onEvent,
    label,
    externalTimeoutMs: Number.POSITIVE_INFINITY,
  };
  try {
    const print = (text = ""): void => {
      progress.clear();
      log(text);
    };
    await simulate(
      (ctx) =>
        inputDemo.run({ params, ctx, inputs, print, report, progress: (bytes) => progress.show(bytes) }),
      settings,
    );
  } finally {
    progress.clear();
  }
  if (problems > 0)
    throw new Failure(exitStatus.failed, `${problems} of the input's lines could not be used`);
}
