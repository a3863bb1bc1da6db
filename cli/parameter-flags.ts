/**
 * The flags of the patterns' own parameters: which there are follows from the patterns that were chosen.
 */
import { type Entry, registry } from "../examples/index.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import { type Failure, usageFailure } from "./failure.ts";
import { allFlag, flags, patternNames } from "./flags.ts";
import { didYouMean, suggest } from "./suggest.ts";
import { readParameter } from "./values.ts";

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
  readonly params: Readonly<Record<string, number>>;
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
    if (entries.length === 0 || stranger >= 0) throw await stray(flag, entries[stranger]);
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

function valuesOf(table: ParameterTable, given: readonly Given[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, parameter] of Object.entries(table)) {
    const flag = flagOf(name);
    const typed = given.findLast((other) => other.name === flag);
    values[name] = typed === undefined ? parameter.default : readParameter(flag, textOf(typed), parameter);
  }
  return values;
}

function textOf({ rawName, value }: Given): string {
  if (value === undefined) throw usageFailure(`${rawName} needs a value`);
  return value;
}

function flagsOf(table: ParameterTable): readonly string[] {
  return Object.keys(table).map(flagOf);
}

/** Why a flag cannot be: it is another pattern's, or nobody's. */
async function stray({ name, rawName }: Given, stranger: Entry | undefined): Promise<Failure> {
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
  return usageFailure(`${rawName} has no use for ${stranger.name}; it belongs to ${owners.join(", ")}`);
}

/** The flags of a pattern, in whatever form it is run. */
async function everyFlagOf(entry: Entry): Promise<readonly string[]> {
  const tables = [(await entry.load()).demo.parameters];
  if (entry.loadInput !== undefined) tables.push((await entry.loadInput()).inputDemo.parameters);
  return tables.flatMap(flagsOf);
}
