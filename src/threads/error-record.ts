/**
 * Errors on their way from one thread to another. The structured clone keeps an error's message and stack, but neither a
 * name of one's own nor a `code`.
 */

/** What is left of something that was thrown. */
export type ErrorRecord =
  /** It was no error: a copy of it. */
  | { readonly kind: "value"; readonly value: unknown }
  | {
      readonly kind: "error";
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      /** Its own properties, `cause` and `errors` among them, as far as they can be copied. */
      readonly properties: readonly (readonly [string, ErrorRecord])[];
    };

/** Errors that hold errors are followed so far. */
const DEEPEST = 8;

/** What can be sent of something that was thrown. Never throws. */
export function recordOf(thrown: unknown): ErrorRecord {
  return recordAt(thrown, 0) ?? { kind: "value", value: textOf(thrown) };
}

/** Undefined if it cannot be copied. */
function recordAt(thrown: unknown, depth: number): ErrorRecord | undefined {
  try {
    return thrown instanceof Error
      ? recordOfError(thrown, depth)
      : { kind: "value", value: structuredClone(thrown) };
  } catch {
    return undefined;
  }
}

function recordOfError(error: Error, depth: number): ErrorRecord {
  const properties: [string, ErrorRecord][] = [];
  const names = depth < DEEPEST ? Object.getOwnPropertyNames(error) : [];
  for (const name of names) {
    if (name === "name" || name === "message" || name === "stack") continue;
    const record = recordAt((error as unknown as Record<string, unknown>)[name], depth + 1);
    if (record !== undefined) properties.push([name, record]);
  }
  const { name, message, stack } = error as { readonly [K in "name" | "message" | "stack"]: unknown };
  return { kind: "error", name: textOf(name), message: textOf(message), stack: textOf(stack), properties };
}

/** Something that was thrown, as a text. Never throws. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "something that has no text";
  }
}

/** The language's own, which `instanceof` is used for. */
const known: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Makes an error of a record: of the same name, message, stack and properties, and of the language's own class, if any. */
export function errorOf(record: ErrorRecord): unknown {
  if (record.kind === "value") return record.value;
  const { name, message, stack, properties } = record;
  const Kind = Object.hasOwn(known, name) ? known[name] : undefined;
  const error = Kind === undefined ? new Error(message) : new Kind(message);
  define(error, "stack", stack);
  if (error.name !== name) define(error, "name", name);
  for (const [property, value] of properties) define(error, property, errorOf(value));
  return error;
}

/** These the language hides; what else an error has is shown with it. */
const hidden = new Set(["stack", "name", "cause", "errors"]);

/** Not by assignment: a property may be called `__proto__`. */
function define(error: Error, name: string, value: unknown): void {
  const enumerable = !hidden.has(name);
  Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
}
