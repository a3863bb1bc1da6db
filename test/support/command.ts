/** Starts the built command as a user does. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = `${root}/dist/cli/main.js`;

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** Settles when standard output has brought this. */
  readonly seen: (text: string) => Promise<void>;
  readonly finished: Promise<Finished>;
}

export interface StartOptions {
  /** What standard input brings; null leaves it open. */
  readonly input?: string | Uint8Array | null | undefined;
  readonly env?: Record<string, string>;
}

export function start(args: readonly string[], options?: StartOptions): Started {
  return startNode([main, ...args], options);
}

/** Starts Node in the folder of the package, so that a program finds the built package by its name. */
function startNode(args: readonly string[], { input, env }: StartOptions = {}): Started {
  const plain = { ...process.env, FORCE_COLOR: undefined, NO_COLOR: undefined, ...env };
  const child = spawn(process.execPath, args, { cwd: root, env: plain, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const watchers: (() => void)[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  if (input !== null) child.stdin.end(input);
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      watchers.push(look);
      look();
    });
  return { child, seen, finished };
}

export function run(args: readonly string[], options?: StartOptions): Promise<Finished> {
  return start(args, options).finished;
}

/** Runs a program, given as the text of a module, on the built package; ended after `limitMs` if it does not end. */
export async function runProgram(text: string, limitMs: number): Promise<Finished> {
  const { child, finished } = startNode(["--input-type=module", "--eval", text]);
  const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const end = await finished;
  clearTimeout(limit);
  return end;
}

/** An event of the log, with what of it tests look at. */
export interface LogEvent {
  readonly i: number;
  readonly t: number;
  readonly k: string;
  readonly id?: number;
  readonly task?: number;
  readonly text?: string;
  readonly seed?: number;
  readonly how?: string;
}

/** The events of a log. */
export function eventsOf(ndjson: string): readonly LogEvent[] {
  return ndjson
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogEvent);
}
