/**
 * Runs the chosen demos under the simulation.
 */
import { drawSeed, log, random, type SimulateOptions, simulate } from "concurrency-model-patterns/testing";
import { now } from "concurrency-model-patterns/timers";
import type { DemoRun } from "../examples/demo.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import type { Command, RunOptions } from "./command-line.ts";
import type { Chosen } from "./parameter-flags.ts";
import { type Renderer, rendererFor } from "./render.ts";
import type { Surroundings } from "./surroundings.ts";

type RunCommand = Extract<Command, { kind: "run" }>;

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
