/**
 * Checks of arguments. Each names the argument, what was expected and what came, and throws at the call.
 */

/** Shows a wrong value the way a reader of an error wants to see it. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}

/** For what has a check of its own. */
export function refuseType(
  name: string,
  expected: string,
  value: unknown,
  Refusal: new (text: string) => Error = TypeError,
): never {
  throw new Refusal(`${name} must be ${expected}, got ${shown(value)}`);
}

/** A number out of range is a RangeError, where a number was expected; anything else is a TypeError. */
function refuse(name: string, expected: string, value: unknown): never {
  return refuseType(name, expected, value, typeof value === "number" ? RangeError : TypeError);
}

/** A whole number within `min..max`. Returns it, with -0 turned into 0. */
export function requireInteger(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value + 0;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return refuse(name, `a whole number ${range}`, value);
}

/** Like {@link requireInteger}, but `Infinity` is allowed and means "no limit". */
export function requireLimit(name: string, value: unknown, min: number): number {
  if (value === Infinity) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min) return value + 0;
  return refuse(name, `a whole number of at least ${min}, or Infinity`, value);
}

/** A finite number of at least `min`. */
export function requireNumber(name: string, value: unknown, min: number): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= min) return value;
  return refuse(name, `a finite number of at least ${min}`, value);
}

/** A number above zero; `Infinity` allowed. */
export function requirePositive(name: string, value: unknown): number {
  if (typeof value === "number" && value > 0) return value;
  return refuse(name, "a number above 0", value);
}

/** Milliseconds: any number but NaN. Negative counts as zero, `Infinity` means never. */
export function requireDuration(name: string, value: unknown): number {
  if (typeof value === "number" && !Number.isNaN(value)) return value > 0 ? value : 0;
  return refuse(name, "a number of milliseconds", value);
}

/** A function. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== "function") refuseType(name, "a function", value);
}

/** One of the given words. */
export function requireOneOf<W extends string>(name: string, value: unknown, words: readonly W[]): W {
  const known = words.find((word) => word === value);
  return known ?? refuseType(name, `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`, value);
}

/** An object: what has options, a signal, or a context. */
export function requireObject(name: string, value: unknown, expected: string): void {
  if (typeof value !== "object" || value === null) refuseType(name, expected, value);
}
