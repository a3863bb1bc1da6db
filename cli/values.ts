/**
 * From what was typed to what is meant: one reader for each kind of value.
 */
import type { NumberParameter } from "../examples/parameters.ts";
import { usageFailure } from "./failure.ts";

/** The value of a pattern's parameter that is a number. */
export function readNumber(flag: string, typed: string, parameter: NumberParameter): number {
  const { kind } = parameter;
  const value = kind === "duration" ? milliseconds(typed) : kind === "size" ? bytes(typed) : decimal(typed);
  const whole = kind !== "whole" || Number.isInteger(value);
  if (whole && value >= parameter.min && value <= parameter.max) return value;
  throw usageFailure(`--${flag} must be ${expected(parameter)}, got ${JSON.stringify(typed)}`);
}

/** What a parameter takes, in words. */
export function expected({ kind, min, max }: NumberParameter): string {
  if (kind === "whole") return `a whole number from ${min} to ${max}`;
  if (kind === "number") return `a number from ${min} to ${max}`;
  if (kind === "size") return `a size from ${sizeText(min)} to ${sizeText(max)}, such as 64MB or 1GB`;
  return `a time from ${durationText(min)} to ${durationText(max)}, such as 250ms or 2s`;
}

/** A number as it can be typed. */
export function numberText(value: number, kind: NumberParameter["kind"]): string {
  if (kind === "duration") return durationText(value);
  return kind === "size" ? sizeText(value) : `${value}`;
}

function durationText(ms: number): string {
  return ms !== 0 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** Units are powers of 1000, as those of disks. */
const UNITS = new Map([
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
  ["B", 1],
]);

function sizeText(bytes: number): string {
  const [unit, of] = [...UNITS].find(([, of]) => bytes >= of && bytes % of === 0) ?? ["B", 1];
  return `${bytes / of}${unit}`;
}

/** `--seed`. */
export function readSeed(typed: string): number {
  const seed = decimal(typed);
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff) return seed;
  throw usageFailure(`--seed must be a whole number from 0 to 4294967295, got ${JSON.stringify(typed)}`);
}

/** `--speed`. */
export function readSpeed(typed: string): number {
  if (typed === "max") return Number.POSITIVE_INFINITY;
  const speed = decimal(typed);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw usageFailure(`--speed must be a number above 0, or max, got ${JSON.stringify(typed)}`);
}

/** One of a few words. */
export function readWord<W extends string>(flag: string, typed: string, words: readonly W[]): W {
  const word = words.find((known) => known === typed);
  if (word !== undefined) return word;
  throw usageFailure(`--${flag} must be ${words.join(" or ")}, got ${JSON.stringify(typed)}`);
}

/** A plain decimal number; NaN for anything else, such as "", "0x10" or "1e400". */
function decimal(typed: string): number {
  return /^-?\d+(\.\d+)?$/.test(typed) ? Number(typed) : Number.NaN;
}

function milliseconds(typed: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(typed);
  if (match === null) return Number.NaN;
  const unit = { ms: 1, s: 1000, m: 60_000 }[match[2] as "ms" | "s" | "m"];
  return Number(match[1]) * unit;
}

function bytes(typed: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?B)$/.exec(typed);
  return match === null ? Number.NaN : Number(match[1]) * (UNITS.get(match[2] as string) as number);
}
