/**
 * The one table of flags, apart from those of the patterns: parsing, help and suggestions come from it.
 */
import { registry } from "../examples/index.ts";

/** A flag of the command. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** The placeholder of its value; none for a switch. */
  readonly value?: string;
  /** What it does: lower case, no full stop. */
  readonly help: string;
  readonly group: "Run" | "Output" | "Other";
}

export const flags = [
  {
    name: "seed",
    short: "s",
    value: "N",
    group: "Run",
    help: "repeat a run: 0 to 4294967295 [drawn at random]",
  },
  {
    name: "speed",
    short: "x",
    value: "N|max",
    group: "Run",
    help: "how fast time passes; max waits for nothing [1]",
  },
  {
    name: "clock",
    value: "virtual|real",
    group: "Run",
    help: "virtual time, or that of the machine [virtual]",
  },
  { name: "input", value: "FILE...", group: "Run", help: "work on real files, or on standard input: -" },
  { name: "json", short: "j", group: "Output", help: "print the event log, one JSON object a line" },
  { name: "color", value: "auto|always|never", group: "Output", help: "a colour a task [auto]" },
  { name: "no-color", group: "Output", help: "the same as --color never" },
  { name: "debug", group: "Output", help: "show the stack of an error" },
  { name: "help", short: "h", group: "Other", help: "show this help, or that of a pattern" },
  { name: "version", short: "V", group: "Other", help: "show the version" },
] as const satisfies readonly Flag[];

/** The name of a flag in the table. */
export type FlagName = (typeof flags)[number]["name"];

/** All twelve patterns at once. */
export const allFlag = "all";

/** Every switch that chooses a pattern. */
export const patternNames: readonly string[] = registry.map(({ name }) => name);
