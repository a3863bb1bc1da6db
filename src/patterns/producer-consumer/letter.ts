/**
 * A value between its attempts.
 */

/** A value that was tried as often as is allowed, or is not to be tried again. */
export interface DeadLetter<T> {
  /** What was put. */
  readonly value: T;
  /** How many times it was taken. */
  readonly attempts: number;
  /** What went wrong the last time: what `nak` was given, or a `TimeoutError` if nothing was heard. */
  readonly error: unknown;
}

/** A value that may be tried again. */
export interface Letter<T> {
  readonly value: T;
  attempts: number;
  /** For how long it was kept back before the last of them. */
  delayMs: number;
  error: unknown;
}
