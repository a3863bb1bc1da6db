/**
 * A context as others see it, the way to end it, and the keys of its values.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { CanceledError, TimeoutError } from "../../core/errors.ts";

/**
 * Carries a deadline, a cancellation and values down a tree of calls. The root is {@link background}; every other one
 * is made by a function of this module whose name begins with `with`.
 *
 * A Context fits wherever `{ signal }` is asked for. Its signal alone carries end and deadline on, but no values: a
 * child of `{ signal: ctx.signal }` has the deadline of `ctx`.
 */
export interface Context extends CancelOptions {
  /** The same as an AbortSignal, with {@link Context.cause} as its reason. Made when first asked for. */
  readonly signal: AbortSignal;
  /** Why it ended, as Go's `Err`: a `CanceledError` or a `TimeoutError`; undefined before that. */
  readonly error: CanceledError | TimeoutError | undefined;
  /** What the end was blamed on: the cause given to `cancel`, else `error`. Waiting calls reject with it. */
  readonly cause: unknown;
  /** The instant at which it ends by itself, in milliseconds of `now()`; undefined if there is none. */
  readonly deadlineMs: number | undefined;
  /** What the nearest ancestor holds under `key`; undefined if none does. */
  value<T>(key: ContextKey<T>): T | undefined;
}

/** A context together with the way to end it. */
export interface CancelableContext {
  /** The new context. */
  readonly ctx: Context;
  /**
   * Ends the context and all below it, synchronously. The first end wins; later calls do nothing. Call it in any case,
   * in a `finally` or with `using`: until then the parent remembers the child.
   */
  readonly cancel: (cause?: unknown) => void;
  /** Cancels, so that `using` leaves nothing behind. */
  [Symbol.dispose](): void;
}

/** Blames a deadline on something of your own. */
export interface DeadlineOptions {
  /** Becomes the context's `cause` if the deadline is what ends it. */
  readonly cause?: unknown;
}

/**
 * A key for a value of type `T`. Compared by identity, so two packages cannot collide.
 *
 * @example
 * const requestId = new ContextKey<string>("request id");
 * const ctx = withValue(background, requestId, "r-1");
 * ctx.value(requestId); //=> "r-1"
 */
export class ContextKey<T> {
  /** For people; never compared. */
  readonly name: string;
  /** Never there: ties the key to the type of its value. */
  declare readonly type?: T;

  constructor(name: string) {
    this.name = name;
  }
}
