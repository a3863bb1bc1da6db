#!/usr/bin/env node
/**
 * The command. Only what every call needs is loaded here; the library comes when something is run.
 */
import { type Command, readCommandLine } from "./command-line.ts";
import { exitStatus, Failure, failureText } from "./failure.ts";
import { systemFailure } from "./file-failure.ts";
import { help, list, patternHelp, usage } from "./help.ts";
import { Output } from "./output.ts";

type RunningCommand = Extract<Command, { kind: "run" | "input" }>;

const argv = process.argv.slice(2);
const stdout = new Output(process.stdout);
const stderr = new Output(process.stderr);

process.once("uncaughtException", (error) => void crash(error));
process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const status = await perform(await readCommandLine(argv));
    await stdout.flush();
    if (stdout.failure !== undefined) throw stdout.failure;
    return status;
  } catch (error) {
    // What is loaded on the way are files too, of which there may be too many open.
    return fail(systemFailure(error));
  }
}

/** What no caller could hear, such as a callback that throws, ends the command as any other failure does. */
async function crash(error: unknown): Promise<void> {
  process.exitCode = fail(error);
  await stdout.flush();
  await stderr.flush();
  process.exit();
}

async function perform(command: Command): Promise<number> {
  if (command.kind === "run" || command.kind === "input") return run(command);
  stdout.write(await textFor(command));
  return exitStatus.ok;
}

/** What there is to say, where nothing is run. */
async function textFor(command: Exclude<Command, RunningCommand>): Promise<string> {
  if (command.kind === "usage") return usage();
  if (command.kind === "help") return help();
  if (command.kind === "list") return list();
  if (command.kind === "pattern-help") return patternHelp(command.entry);
  const { VERSION } = await import("concurrency-model-patterns/version");
  return `${VERSION}\n`;
}

/** Runs until the end, an interrupt, or until nobody reads any more. */
async function run(command: RunningCommand): Promise<number> {
  const { Interrupt } = await import("./interrupt.ts");
  const interrupt = new Interrupt();
  const ended = new AbortController();
  for (const signal of [interrupt.signal, stdout.gone]) {
    signal.addEventListener("abort", () => ended.abort(signal.reason), { once: true });
  }
  const around = { stdout, stderr, interrupt, signal: ended.signal };
  let status: number = exitStatus.ok;
  try {
    if (command.kind === "run") await (await import("./run-demos.ts")).runDemos(command, around, argv);
    else status = await (await import("./run-input.ts")).runOnInput(command, around);
  } catch (error) {
    // What fails because the run was ended is no failure; a file that cannot be written is one, also when nobody reads.
    const told = interrupt.status === undefined && error instanceof Failure;
    if (told || !ended.signal.aborted) throw error;
  } finally {
    interrupt[Symbol.dispose]();
  }
  return interrupt.status ?? status;
}

/** One line says what went wrong. A deadlock has a status of its own. */
function fail(error: unknown): number {
  stderr.write(failureText(error, argv.includes("--debug")));
  if (error instanceof Failure) return error.status;
  const deadlock = (error as { code?: unknown } | undefined)?.code === "DEADLOCK";
  return deadlock ? exitStatus.deadlock : exitStatus.failed;
}
