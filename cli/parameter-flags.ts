/**
 * The flags of the patterns' own parameters: which there are follows from the patterns that were chosen.
 */
import { type Entry, registry } from "../examples/index.ts";
import type { Parameter, ParameterTable, ParameterValues } from "../examples/parameters.ts";
import { type Failure, usageFailure } from "./failure.ts";
import { allFlag, flags, patternNames } from "./flags.ts";
import { didYouMean, suggest } from "./suggest.ts";
import { readNumber } from "./values.ts";

/** A flag as it was given. */
export interface Given {
  readonly name: string;
  /** With its dashes. */
  readonly rawName: string;
  readonly value: string | undefined;
}

/** A pattern to be run. */
export interface Chosen {
  readonly entry: Entry;
  readonly params: ParameterValues<ParameterTable>;
}

/** `tokenRate` is set by `--token-rate`. */
export function flagOf(parameter: string): string {
  return parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Gives each chosen pattern the values of its parameters. Every flag must concern every pattern that was chosen. */
export async function readParameters(
  entries: readonly Entry[],
  given: readonly Given[],
  withInput: boolean,
): Promise<readonly Chosen[]> {
  const tables = await Promise.all(entries.map((entry) => tableOf(entry, withInput)));
  for (const flag of given) {
    const stranger = tables.findIndex((table) => !flagsOf(table).includes(flag.name));
    if (entries.length === 0 || stranger >= 0) throw await stray(flag, entries[stranger], withInput);
  }
  if (entries.length === 0) {
    throw usageFailure("no pattern is chosen", "Run 'cmp-pattern' for the usage.");
  }
  return entries.map((entry, index) => ({ entry, params: valuesOf(tables[index] as ParameterTable, given) }));
}

/** The parameters of a pattern, in the form in which it is to be run. */
async function tableOf(entry: Entry, withInput: boolean): Promise<ParameterTable> {
  if (!withInput) return (await entry.load()).demo.parameters;
  if (entry.loadInput === undefined) throw usageFailure(`--input has no use for ${entry.name}`);
  return (await entry.loadInput()).inputDemo.parameters;
}

function valuesOf(table: ParameterTable, given: readonly Given[]): Chosen["params"] {
  const values: Record<string, number | boolean | string | undefined> = {};
  for (const [name, parameter] of Object.entries(table)) {
    const flag = flagOf(name);
    values[name] = valueOf(
      flag,
      parameter,
      given.findLast((other) => other.name === flag),
    );
  }
  return values;
}

function valueOf(flag: string, parameter: Parameter, given: Given | undefined) {
  if (parameter.kind === "switch") {
    if (given?.value !== undefined)
      throw usageFailure(`${given.rawName} takes no value, got ${JSON.stringify(given.value)}`);
    return given !== undefined;
  }
  if (parameter.kind === "text") return given === undefined ? undefined : textOf(given);
  return given === undefined ? parameter.default : readNumber(flag, textOf(given), parameter);
}

function textOf({ rawName, value }: Given): string {
  if (value === undefined || value === "") throw usageFailure(`${rawName} needs a value`);
  return value;
}

function flagsOf(table: ParameterTable): readonly string[] {
  return Object.keys(table).map(flagOf);
}

/** Why a flag cannot be: it is another pattern's, or nobody's. */
async function stray(
  { name, rawName }: Given,
  stranger: Entry | undefined,
  withInput: boolean,
): Promise<Failure> {
  const owners: string[] = [];
  const known: string[] = [allFlag, ...patternNames, ...flags.map((flag) => flag.name)];
  for (const entry of registry) {
    const names = await everyFlagOf(entry);
    if (names.includes(name)) owners.push(entry.name);
    known.push(...names);
  }
  if (owners.length === 0) {
    const near = suggest(name, known);
    return usageFailure(`unknown flag ${rawName}`, didYouMean(near === undefined ? undefined : `--${near}`));
  }
  if (stranger === undefined) return usageFailure(`${rawName} needs a pattern, such as --${owners[0]}`);
  if (owners.includes(stranger.name)) {
    const form = withInput ? "with" : "without";
    return usageFailure(`${rawName} has no use for ${stranger.name} ${form} --input`);
  }
  return usageFailure(`${rawName} has no use for ${stranger.name}; it belongs to ${owners.join(", ")}`);
}

/** The flags of a pattern, in whatever form it is run. */
async function everyFlagOf(entry: Entry): Promise<readonly string[]> {
  const tables = [(await entry.load()).demo.parameters];
  if (entry.loadInput !== undefined) tables.push((await entry.loadInput()).inputDemo.parameters);
  return tables.flatMap(flagsOf);
}

/** The flags that take no value, of those patterns that the words may name. A demo without input has none. */
export async function switchesAmong(argv: readonly string[]): Promise<ReadonlySet<string>> {
  const switches = new Set<string>();
  if (!argv.some((word) => /^--input(=|$)/.test(word))) return switches;
  for (const { name, loadInput } of registry) {
    if (loadInput === undefined || !(argv.includes(name) || argv.includes(`--${name}`))) continue;
    const { parameters } = (await loadInput()).inputDemo;
    for (const [parameter, { kind }] of Object.entries(parameters)) {
      if (kind === "switch") switches.add(flagOf(parameter));
    }
  }
  return switches;
}
