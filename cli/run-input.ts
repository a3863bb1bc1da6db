/**
 * Runs a pattern on real input, at the pace of the input.
 */
import { log, simulate } from "concurrency-model-patterns/testing";
import { type Context, withCancel } from "concurrency-model-patterns/context";
import type { InputDemo, InputRun } from "../examples/input-demo.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import type { Command } from "./command-line.ts";
import { exitStatus, Failure, failureText, usageFailure } from "./failure.ts";
import { fileFailure, isOfOneFile } from "./file-failure.ts";
import { hostOf } from "./host.ts";
import { openInputs } from "./inputs.ts";
import { OutputFiles } from "./output-files.ts";
import { Progress } from "./progress.ts";
import { rendererFor } from "./render.ts";
import type { Surroundings } from "./surroundings.ts";

type InputCommand = Extract<Command, { kind: "input" }>;
type Run = InputRun<ParameterTable>;

/** Runs it, and gives the status to end with. Fails at the end if some lines of the input could not be used. */
export async function runOnInput(command: InputCommand, around: Surroundings): Promise<number> {
  const { chosen, files, options } = command;
  const { inputDemo } = (await chosen.entry.loadInput?.()) ?? {};
  if (inputDemo === undefined) throw usageFailure(`--input has no use for ${chosen.entry.name}`);
  checkUse(inputDemo, command);
  // Whoever prints into a pipe that is closed, as that of `head` is, still wants the files.
  const signal = inputDemo.inputs === "beside" ? around.interrupt.signal : around.signal;
  const inputs = await openInputs(files, inputDemo.inputs, signal);
  const progress = new Progress(around, process.stderr, inputs);
  const outputs = new OutputFiles();
  let problems = 0;
  let skipped = 0;
  const tell = (text: string): void => {
    progress.clear();
    around.stderr.write(text);
  };
  const parts: Parts = {
    params: chosen.params,
    inputs,
    host: hostOf(outputs, options.json, signal),
    progress: (bytes) => progress.show(bytes),
    report: (problem) => {
      problems++;
      tell(`cmp-pattern: ${problem}\n`);
    },
    skip: (input, error) => {
      if (signal.aborted) throw signal.reason;
      const failure = fileFailure("read", input.name, error);
      if (!isOfOneFile(failure)) throw failure;
      skipped++;
      tell(failureText(failure, options.debug));
    },
  };
  try {
    if (options.json) await runLogged(inputDemo, command, around, parts);
    else await runPlainly(inputDemo, around, signal, parts, () => progress.clear());
  } finally {
    progress.clear();
    outputs[Symbol.dispose]();
  }
  if (problems > 0) {
    throw new Failure(exitStatus.failed, `${problems} of the input's lines could not be used`);
  }
  return skipped > 0 ? exitStatus.file : exitStatus.ok;
}

/** What goes together depends on the pattern. */
function checkUse(demo: InputDemo<ParameterTable>, { chosen, files, options }: InputCommand): void {
  const { name } = chosen.entry;
  if (demo.files === "FILE" && files.length > 1) {
    throw usageFailure(`--input takes one file with ${name}, got ${files.length}`);
  }
  const problem = demo.check?.(chosen.params);
  if (problem !== undefined) throw usageFailure(problem);
  if (options.json && demo.needsThreads(chosen.params)) {
    throw usageFailure(`--json has no use for ${name} on threads`, "What threads do is in no event log.");
  }
}

/** The rest of what a run is given, besides where its lines go and what ends it. */
type Parts = Omit<Run, "ctx" | "print">;

/** In the plain runtime, as a program on this library runs in production. */
async function runPlainly(
  demo: InputDemo<ParameterTable>,
  { stdout }: Surroundings,
  signal: AbortSignal,
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
