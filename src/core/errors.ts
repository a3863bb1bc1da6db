/**
 * Every failure this library makes is a {@link ConcurrencyError} with a `code`.
 *
 * Test the code, not the text and not `instanceof`: two copies of the package in one program have two classes,
 * but the same codes. Wrong arguments are plain `RangeError` and `TypeError`, as everywhere in JavaScript.
 */

/** The kinds of failure, one word each. Failure of user code never carries one of these. */
export type ErrorCode =
  | "CANCELED"
  | "TIMEOUT"
  | "CLOSED"
  | "FULL"
  | "DEADLOCK"
  | "LEAK"
  | "LIMIT"
  | "MISUSE"
  | "GAVE_UP"
  | "OPEN"
  | "STALLED"
  | "NO_RESPONDERS"
  | "SCHEDULE";

/**
 * The base of all failures made by this library.
 *
 * @example
 * const jobs = new Channel<string>(1);
 * jobs.close();
 * const failure: unknown = await jobs.send("late").catch((error: unknown) => error);
 * (failure as ConcurrencyError).code; //=> "CLOSED"
 */
export class ConcurrencyError extends Error {
  /** What kind of failure this is. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConcurrencyError";
    this.code = code;
  }
}

/** Somebody gave the operation up: a context was cancelled without a cause of its own. Go's `context.Canceled`. */
export class CanceledError extends ConcurrencyError {
  constructor(message = "context canceled", options?: ErrorOptions) {
    super("CANCELED", message, options);
    this.name = "CanceledError";
  }
}

/** Time ran out. Never used for a cancellation by hand. Go's `context.DeadlineExceeded`. */
export class TimeoutError extends ConcurrencyError {
  constructor(message = "context deadline exceeded", options?: ErrorOptions) {
    super("TIMEOUT", message, options);
    this.name = "TimeoutError";
  }
}

/** The thing asked was closed before, or while, it was asked. */
export class ClosedError extends ConcurrencyError {
  constructor(message: string, options?: ErrorOptions) {
    super("CLOSED", message, options);
    this.name = "ClosedError";
  }
}

/** A bounded queue had no room and its policy is to refuse. */
export class FullError extends ConcurrencyError {
  constructor(message: string, options?: ErrorOptions) {
    super("FULL", message, options);
    this.name = "FullError";
  }
}

/** A call that contradicts the state of its object, such as unlocking an unlocked mutex. */
export class MisuseError extends ConcurrencyError {
  constructor(message: string, options?: ErrorOptions) {
    super("MISUSE", message, options);
    this.name = "MisuseError";
  }
}

/** Whether an error says that somebody gave up, as opposed to a failure: ours, or the Web's `AbortError`. */
export function isCancellation(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return (
    (error as { code?: unknown }).code === "CANCELED" || (error as { name?: unknown }).name === "AbortError"
  );
}

/** An error that is thrown again and again, by whoever shares it, must not collect failures for ever. */
const suppressedAtMost = 64;

/**
 * Attaches further failures to the one that is thrown, as its `suppressed` list, so that they are not lost; those that
 * it carries already stay, and the newest 64 are kept. What is thrown stays the same object; only what can carry a
 * property carries them.
 */
export function withSuppressed(thrown: unknown, failures: readonly unknown[]): unknown {
  if (!(thrown instanceof Error) || !Object.isExtensible(thrown)) return thrown;
  const { suppressed } = thrown as { suppressed?: unknown };
  const all = new Set<unknown>(Array.isArray(suppressed) ? suppressed : []);
  for (const failure of failures) all.add(failure);
  all.delete(thrown);
  if (all.size === 0) return thrown;
  const value = [...all].slice(-suppressedAtMost);
  Object.defineProperty(thrown, "suppressed", { value, configurable: true, writable: true });
  return thrown;
}
