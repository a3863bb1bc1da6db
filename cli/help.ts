/**
 * What the command says about itself: usage, help, the list. All of it comes from the tables.
 */
import { type Entry, registry } from "../examples/index.ts";
import type { Parameter, ParameterTable } from "../examples/parameters.ts";
import { type Flag, flags } from "./flags.ts";
import { flagOf } from "./parameter-flags.ts";
import { expected, numberText } from "./values.ts";

/** Without a flag. */
export function usage(): string {
  return text([
    "Concurrency Model Patterns Examples",
    "===================================",
    "Usage:",
    ...registry.map(({ name, summary }) => `  cmp-pattern ${`--${name}`.padEnd(20)} - ${summary}`),
    "",
    "Examples:",
    ...registry.map(({ name }) => `  cmp-pattern --${name}`),
  ]);
}

/** `cmp-pattern list`. */
export function list(): string {
  return text(registry.map(({ name, summary }) => `${name.padEnd(21)}${summary}`));
}

/** `cmp-pattern --help`. */
export function help(): string {
  return text([
    "Shows twelve concurrency patterns at work, each as often as you like.",
    "",
    "Examples:",
    "  cmp-pattern --pipeline",
    "  cmp-pattern pools --workers 5 --seed 7",
    "  cmp-pattern --all --speed max",
    "  cmp-pattern --fan --input *.iso --threads 4",
    "  cmp-pattern --mapreduce --input *.txt --top 10",
    "",
    "Patterns:",
    ...registry.map(({ name, summary }) => row(`--${name}`, summary)),
    row("--all", "Run all of them, one after another"),
    "  --pipeline and pipeline are the same. For a pattern's own flags:",
    "  cmp-pattern pipeline --help",
    ...(["Run", "Output", "Other"] as const).flatMap(group),
    "",
    "Exit status: 0 done, 1 the run failed, 2 wrong usage, 3 deadlock,",
    "5 a file cannot be read or written, 130 interrupted, 143 terminated",
    "",
    "https://www.npmjs.com/package/concurrency-model-patterns",
  ]);
}

function group(name: Flag["group"]): readonly string[] {
  const rows = flags.filter((flag) => flag.group === name).map((flag: Flag) => row(spelled(flag), flag.help));
  return ["", `${name}:`, ...rows];
}

function spelled({ name, short, value }: Flag): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** A flag and what it does, in 80 columns; on two lines if the flag is long. */
function row(flag: string, does: string): string {
  return flag.length < 24 ? `  ${flag.padEnd(24)}${does}` : `  ${flag}\n  ${"".padEnd(24)}${does}`;
}

/** `cmp-pattern pipeline --help`. */
export async function patternHelp(entry: Entry): Promise<string> {
  const { demo } = await entry.load();
  const input = entry.loadInput === undefined ? undefined : (await entry.loadInput()).inputDemo;
  return text([
    demo.title,
    "",
    ...demo.about,
    "",
    `Usage: cmp-pattern --${entry.name} [flags]`,
    ...parameterRows(demo.parameters),
    ...(input === undefined ? [] : ["", `With --input ${input.files}, it ${input.about}`]),
    ...(input === undefined ? [] : parameterRows(input.parameters)),
    "",
    "Try:",
    ...demo.tryThis.map((command) => `  ${command}`),
    "",
    "For the flags of every pattern: cmp-pattern --help",
  ]);
}

function parameterRows(parameters: ParameterTable): readonly string[] {
  return Object.entries(parameters).map(([name, parameter]) => parameterRow(`--${flagOf(name)}`, parameter));
}

function parameterRow(flag: string, parameter: Parameter): string {
  const { kind, help } = parameter;
  if (kind === "switch") return row(flag, help);
  if (kind === "text") return row(`${flag} ${parameter.value}`, help);
  const does = `${help} [${numberText(parameter.default, kind)}]`;
  return row(`${flag} N`, `${does}\n  ${"".padEnd(24)}${expected(parameter)}`);
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
