/**
 * What can be set on a demo, as plain data: flags, help, checks and defaults all come from it.
 */

/** A parameter that is a number. Durations are in milliseconds, sizes in bytes. */
export interface NumberParameter {
  readonly kind: "whole" | "number" | "duration" | "size";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What it sets: lower case, no full stop. */
  readonly help: string;
}

/** A parameter that is on or off, and off if it is not given. */
export interface SwitchParameter {
  readonly kind: "switch";
  readonly help: string;
}

/** A parameter that is any text, and undefined if it is not given. */
export interface TextParameter {
  readonly kind: "text";
  /** What stands for it in the help. */
  readonly value: string;
  readonly help: string;
}

/** A parameter of a demo. Its flag is its name in lower case with dashes. */
export type Parameter = NumberParameter | SwitchParameter | TextParameter;

export type ParameterTable = Readonly<Record<string, Parameter>>;

type ValueOf<P extends Parameter> = P extends NumberParameter
  ? number
  : P extends SwitchParameter
    ? boolean
    : string | undefined;

export type ParameterValues<T extends ParameterTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** A whole number. */
export function whole(help: string, value: number, min: number, max: number): NumberParameter {
  return { kind: "whole", default: value, min, max, help };
}

/** Any number in a range. */
export function number(help: string, value: number, min: number, max: number): NumberParameter {
  return { kind: "number", default: value, min, max, help };
}

/** A span of time, given as `250ms` or `2s`. */
export function duration(help: string, valueMs: number, minMs: number, maxMs: number): NumberParameter {
  return { kind: "duration", default: valueMs, min: minMs, max: maxMs, help };
}

/** A number of bytes, given as `64MB` or `1GB`. */
export function size(help: string, valueBytes: number, minBytes: number, maxBytes: number): NumberParameter {
  return { kind: "size", default: valueBytes, min: minBytes, max: maxBytes, help };
}

/** What is on or off. */
export function toggle(help: string): SwitchParameter {
  return { kind: "switch", help };
}

/** Any text. */
export function text(value: string, help: string): TextParameter {
  return { kind: "text", value, help };
}

/** What runs on threads has it. */
export const threads = whole("how many threads; 0 is one a core", 0, 0, 1024);
