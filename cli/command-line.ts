/**
 * From the words of the command line to what is to be done, or to one clear line that says why not.
 */
import { parseArgs } from "node:util";
import { type Entry, registry } from "../examples/index.ts";
import { usageFailure } from "./failure.ts";
import { allFlag, type FlagName, flags, patternNames } from "./flags.ts";
import { type Chosen, type Given, readParameters, switchesAmong } from "./parameter-flags.ts";
import { didYouMean, suggest } from "./suggest.ts";
import { readSeed, readSpeed, readWord } from "./values.ts";

/** How runs are shown and paced. */
export interface RunOptions {
  readonly seed: number | undefined;
  readonly speed: number;
  readonly clock: "virtual" | "real";
  readonly json: boolean;
  readonly color: "auto" | "always" | "never";
  readonly debug: boolean;
}

/** What is to be done. */
export type Command =
  | { readonly kind: "usage" | "help" | "version" | "list" }
  | { readonly kind: "pattern-help"; readonly entry: Entry }
  | { readonly kind: "run"; readonly chosen: readonly Chosen[]; readonly options: RunOptions }
  | {
      readonly kind: "input";
      readonly chosen: Chosen;
      readonly files: readonly string[];
      readonly options: RunOptions;
    };

/** The words, sorted by what they can be. */
interface Words {
  readonly values: ReadonlyMap<string, string>;
  readonly patterns: readonly string[];
  readonly files: readonly string[];
  /** Flags of no table here: parameters of patterns, or mistakes. */
  readonly others: readonly Given[];
}

/** Understands a command line. Throws a `Failure` where it does not. */
export async function readCommandLine(argv: readonly string[]): Promise<Command> {
  if (argv.length === 0) return { kind: "usage" };
  const words = sortWords(argv, await switchesAmong(argv));
  const { values, patterns } = words;
  if (values.has("version")) return { kind: "version" };
  if (patterns.includes("list")) return { kind: "list" };
  const entries = chosenEntries(patterns);
  if (values.has("help")) {
    return entries.length === 1 && entries[0] !== undefined
      ? { kind: "pattern-help", entry: entries[0] }
      : { kind: "help" };
  }
  const options = readOptions(values);
  const withInput = values.has("input");
  const chosen = await readParameters(entries, words.others, withInput);
  if (withInput) return inputCommand(chosen, words.files, options);
  return { kind: "run", chosen, options };
}

function inputCommand(chosen: readonly Chosen[], files: readonly string[], options: RunOptions): Command {
  const [only, ...more] = chosen;
  if (only === undefined || more.length > 0) throw usageFailure("--input goes with one pattern at a time");
  return { kind: "input", chosen: only, files, options };
}

/** The chosen patterns, each once, in the order given. */
function chosenEntries(patterns: readonly string[]): readonly Entry[] {
  if (patterns.includes(allFlag)) return registry;
  return [...new Set(patterns)].map((name) => {
    const entry = registry.find((known) => known.name === name);
    if (entry !== undefined) return entry;
    throw usageFailure(`unknown pattern ${JSON.stringify(name)}`, didYouMean(suggest(name, patternNames)));
  });
}

function readOptions(values: ReadonlyMap<string, string>): RunOptions {
  const value = (name: FlagName): string | undefined => values.get(name);
  const seed = value("seed");
  const color = readWord("color", value("color") ?? "auto", ["auto", "always", "never"]);
  return {
    seed: seed === undefined ? undefined : readSeed(seed),
    speed: readSpeed(value("speed") ?? "1"),
    clock: readWord("clock", value("clock") ?? "virtual", ["virtual", "real"]),
    json: values.has("json"),
    color: values.has("no-color") ? "never" : color,
    debug: values.has("debug"),
  };
}

/** Splits the words by the tables. A flag of no table, and no switch of a pattern, is taken to have a value. */
function sortWords(argv: readonly string[], switches: ReadonlySet<string>): Words {
  const { tokens } = parseArgs({
    args: [...argv],
    options: tableOf(argv, switches),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string>();
  const patterns: string[] = [];
  const files: string[] = [];
  const others: Given[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") (values.has("input") ? files : patterns).push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const flag = flags.find((known) => known.name === name);
    if (name === allFlag || patternNames.includes(name)) {
      refuseValue(rawName, value);
      patterns.push(name);
    } else if (flag === undefined) others.push({ name, rawName, value });
    else values.set(name, valueOf(rawName, value, "value" in flag));
    if (name === "input" && value !== undefined) files.push(fileOf(value, token.inlineValue));
  }
  return { values, patterns, files, others };
}

/** `--input --force` has forgotten the file. */
function fileOf(word: string, inline: boolean | undefined): string {
  if (inline === true || !word.startsWith("--")) return word;
  throw usageFailure(`--input needs a file, got ${word}`, `A file of that name is ./${word}.`);
}

function valueOf(rawName: string, value: string | undefined, wanted: boolean): string {
  if (!wanted) {
    refuseValue(rawName, value);
    return "";
  }
  if (value === undefined || value === "") throw usageFailure(`${rawName} needs a value`);
  return value;
}

function refuseValue(rawName: string, value: string | undefined): void {
  if (value !== undefined) throw usageFailure(`${rawName} takes no value, got ${JSON.stringify(value)}`);
}

type OptionTable = Record<string, { type: "string" | "boolean"; short?: string }>;

function tableOf(argv: readonly string[], switches: ReadonlySet<string>): OptionTable {
  const table = Object.create(null) as OptionTable;
  for (const name of [allFlag, ...patternNames]) table[name] = { type: "boolean" };
  for (const flag of flags) {
    const type = "value" in flag ? "string" : "boolean";
    table[flag.name] = "short" in flag ? { type, short: flag.short } : { type };
  }
  for (const word of argv) {
    const name = /^--([^=]+)/.exec(word)?.[1];
    if (name !== undefined) table[name] ??= { type: switches.has(name) ? "boolean" : "string" };
  }
  return table;
}
