/**
 * Runs a pattern on real input, at the pace of the input.
 */
import { log, simulate } from "concurrency-model-patterns/testing";
import { type Context, withCancel } from "concurrency-model-patterns/context";
import type { InputDemo, InputRun } from "../examples/input-demo.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import type { Command } from "./command-line.ts";
import { exitStatus, Failure, usageFailure } from "./failure.ts";
import { openInputs } from "./inputs.ts";
import { Progress } from "./progress.ts";
import { rendererFor } from "./render.ts";
import type { Surroundings } from "./surroundings.ts";

type InputCommand = Extract<Command, { kind: "input" }>;
type Run = InputRun<ParameterTable>;

/** Runs it, and fails at the end if some of the input could not be used. */
export async function runOnInput(command: InputCommand, around: Surroundings): Promise<void> {
  const { chosen, files, options } = command;
  const { inputDemo } = (await chosen.entry.loadInput?.()) ?? {};
  if (inputDemo === undefined) throw usageFailure(`--input has no use for ${chosen.entry.name}`);
  if (inputDemo.files === "FILE" && files.length > 1) {
    throw usageFailure(`--input takes one file with ${chosen.entry.name}, got ${files.length}`);
  }
  const inputs = await openInputs(files, around.signal);
  const progress = new Progress(around.stderr, process.stderr, inputs);
  let problems = 0;
  const report = (problem: string): void => {
    problems++;
    progress.clear();
    around.stderr.write(`cmp-pattern: ${problem}\n`);
  };
  const parts = { params: chosen.params, inputs, report, progress: (bytes: number) => progress.show(bytes) };
  try {
    if (options.json) await runLogged(inputDemo, command, around, parts);
    else await runPlainly(inputDemo, around, parts, () => progress.clear());
  } finally {
    progress.clear();
  }
  if (problems > 0) {
    throw new Failure(exitStatus.failed, `${problems} of the input's lines could not be used`);
  }
}

/** The rest of what a run is given, besides where its lines go and what ends it. */
type Parts = Omit<Run, "ctx" | "print">;

/** In the plain runtime, as a program on this library runs in production. */
async function runPlainly(
  demo: InputDemo<ParameterTable>,
  { stdout, signal }: Surroundings,
  parts: Parts,
  beforeLine: () => void,
): Promise<void> {
  const { ctx, cancel } = withCancel({ signal });
  const print = (text = ""): void => {
    beforeLine();
    stdout.write(`${text}\n`);
  };
  try {
    await demo.run({ ...parts, ctx, print });
  } finally {
    cancel();
  }
}

/** With an event log, which takes a scheduler: every task goes on one at a time. */
async function runLogged(
  demo: InputDemo<ParameterTable>,
  { chosen, files, options }: InputCommand,
  { stdout, signal }: Surroundings,
  parts: Parts,
): Promise<void> {
  await simulate((ctx: Context) => demo.run({ ...parts, ctx, print: logLine }), {
    seed: options.seed,
    clock: "real",
    signal,
    onEvent: rendererFor(options, stdout, process.stdout),
    label: { pattern: chosen.entry.name, title: demo.about, params: { ...chosen.params, input: files } },
    externalTimeoutMs: Number.POSITIVE_INFINITY,
  });
}

function logLine(text = ""): void {
  log(text);
}
