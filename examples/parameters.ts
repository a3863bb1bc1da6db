/**
 * What can be set on a demo, as plain data: flags, help, checks and defaults all come from it.
 */

/** A parameter of a demo. Its flag is its name in lower case with dashes. */
export interface Parameter {
  readonly kind: "whole" | "number" | "duration";
  /** Durations are in milliseconds. */
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What it sets: lower case, no full stop. */
  readonly help: string;
}

export type ParameterTable = Readonly<Record<string, Parameter>>;

export type ParameterValues<T extends ParameterTable> = { readonly [K in keyof T]: number };

/** A whole number. */
export function whole(help: string, value: number, min: number, max: number): Parameter {
  return { kind: "whole", default: value, min, max, help };
}

/** Any number in a range. */
export function number(help: string, value: number, min: number, max: number): Parameter {
  return { kind: "number", default: value, min, max, help };
}

/** A span of time, given as `250ms` or `2s`. */
export function duration(help: string, valueMs: number, minMs: number, maxMs: number): Parameter {
  return { kind: "duration", default: valueMs, min: minMs, max: maxMs, help };
}
