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
  | "SCHEDULE"
  | "CRASHED";

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

/** What was going on when time ran out: a wait for one's turn, the work itself, or silence between two values. */
export type TimeoutPhase = "queue" | "run" | "idle";

/** What a {@link TimeoutError} can say of itself. */
export interface TimeoutErrorOptions extends ErrorOptions {
  /** What was going on. */
  readonly phase?: TimeoutPhase | undefined;
}

/** Time ran out. Never used for a cancellation by hand. Go's `context.DeadlineExceeded`. */
export class TimeoutError extends ConcurrencyError {
  /** Which limit it was, of a call that has several; undefined for the deadline of a context. */
  declare readonly phase?: TimeoutPhase;

  constructor(message = "context deadline exceeded", options?: TimeoutErrorOptions) {
    super("TIMEOUT", message, options);
    this.name = "TimeoutError";
    if (options?.phase !== undefined) this.phase = options.phase;
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
 *
 * No error comes to hold itself, and none is attached that is told already. A failure that the thrown one holds, as its
 * `cause` say, is left where it is. Of one that holds the thrown one, what else it holds is attached in its place.
 */
export function withSuppressed(thrown: unknown, failures: readonly unknown[]): unknown {
  if (!(thrown instanceof Error) || !Object.isExtensible(thrown)) return thrown;
  const { suppressed } = thrown as { suppressed?: unknown };
  const carried: readonly unknown[] = Array.isArray(suppressed) ? suppressed : [];
  const told = allIn([thrown]);
  const further: unknown[] = [];
  const toAttach = [...failures];
  for (const failure of toAttach) {
    if (told.has(failure)) continue;
    told.add(failure);
    if (allIn([failure]).has(thrown)) toAttach.push(...heldBy(failure));
    else further.push(failure);
  }
  if (further.length === 0) return thrown;
  const value = [...carried, ...further].slice(-suppressedAtMost);
  Object.defineProperty(thrown, "suppressed", { value, configurable: true, writable: true });
  return thrown;
}

/** These errors, and all that they hold, directly or not. */
function allIn(errors: readonly unknown[]): Set<unknown> {
  const all = new Set(errors);
  for (const error of all) for (const held of heldBy(error)) all.add(held);
  return all;
}

/** What an error says it came of or with; also one of the language's, such as an AggregateError. */
function heldBy(error: unknown): readonly unknown[] {
  if (typeof error !== "object" || error === null) return [];
  const holder = error as Readonly<Record<"cause" | "error" | "errors" | "suppressed", unknown>>;
  const held = [holder.cause, holder.error, holder.errors, holder.suppressed].flat();
  return held.filter((one) => one !== undefined && one !== null);
}
