/**
 * From what was typed to what is meant: one reader for each kind of value.
 */
import type { Parameter } from "../examples/parameters.ts";
import { usageFailure } from "./failure.ts";

/** The value of a pattern's parameter. */
export function readParameter(flag: string, typed: string, parameter: Parameter): number {
  const value = parameter.kind === "duration" ? milliseconds(typed) : decimal(typed);
  const whole = parameter.kind !== "whole" || Number.isInteger(value);
  if (whole && value >= parameter.min && value <= parameter.max) return value;
  throw usageFailure(`--${flag} must be ${expected(parameter)}, got ${JSON.stringify(typed)}`);
}

/** What a parameter takes, in words. */
export function expected({ kind, min, max }: Parameter): string {
  if (kind === "whole") return `a whole number from ${min} to ${max}`;
  if (kind === "number") return `a number from ${min} to ${max}`;
  return `a time from ${durationText(min)} to ${durationText(max)}, such as 250ms or 2s`;
}

/** A time as it can be typed. */
export function durationText(ms: number): string {
  return ms !== 0 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
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
