/** The command: measures subjects, prints tables, writes them as JSON. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { subjects } from "../subjects.ts";
import { type Effort, measureSubject, type MeasuredSubject } from "./measure.ts";
import { buildGo } from "./processes.ts";
import { tableOf } from "./table.ts";

/** Everything of a run, as it is written. */
export interface Results {
  readonly v: 1;
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly system: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly effort: Effort;
  readonly subjects: readonly MeasuredSubject[];
}

const FULL: Effort = { name: "full", roundMs: 250, warmUps: 4, rounds: 11 };
const QUICK: Effort = { name: "quick", roundMs: 50, warmUps: 2, rounds: 5 };

const root = new URL("../../../", import.meta.url);

class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = parsed();
  const chosen = positionals.length === 0 ? subjects : positionals.map(subjectNamed);
  const goVersion = buildGo();
  if (goVersion === undefined) process.stdout.write("There is no go on the PATH: its column is empty.\n\n");
  const effort = values.quick === true ? QUICK : FULL;
  const measured: MeasuredSubject[] = [];
  const print = (one: Parameters<typeof tableOf>[0]): void => void process.stdout.write(`${tableOf(one)}\n`);
  for (const subject of chosen) {
    process.stdout.write(`# ${subject.title} (${subject.name})\n\n`);
    measured.push(await measureSubject(subject, effort, goVersion !== undefined, print));
    // After each: a run takes long, and one that fails late has measured something.
    if (values.json !== undefined) write(values.json, resultsOf(measured, effort, goVersion));
  }
}

function write(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results)}\n`);
}

function parsed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean" }, json: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function subjectNamed(wanted: string) {
  const found = subjects.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new UsageError(
    `no subject is called ${wanted}; there are ${subjects.map(({ name }) => name).join(", ")}`,
  );
}

function resultsOf(measured: MeasuredSubject[], effort: Effort, goVersion: string | undefined): Results {
  const [first] = cpus();
  return {
    v: 1,
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: first?.model ?? "unknown",
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${release()}`,
    },
    versions: {
      node: process.version,
      ...(goVersion !== undefined && { go: goVersion }),
      ...packageVersions(),
    },
    effort,
    subjects: measured,
  };
}

/** Of this library and its peers, as they are installed. */
function packageVersions(): Record<string, string> {
  const own = jsonOf("package.json") as { name: string; version: string };
  const peers = jsonOf("bench/package.json") as { dependencies: Record<string, string> };
  return { [own.name]: own.version, ...peers.dependencies };
}

function jsonOf(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
