/**
 * What every limiter can do, whatever it counts.
 */
import type { CancelOptions } from "../../core/cancellation.ts";

/** What a limiter would say to one who asked now: enough for a `429` with its headers. */
export interface LimitDecision {
  /** Whether the tokens are to be had now. */
  readonly ok: boolean;
  /** How many tokens could be taken now, if nobody waited; `Number.MAX_SAFE_INTEGER` if there is no limit. */
  readonly remaining: number;
  /**
   * To ask again sooner than this is in vain; later is needed if others come in between. 0 if `ok`, `Infinity` if there
   * will never be so many.
   */
  readonly retryAfterMs: number;
  /** How long until the limiter is as if it had never been used, if nobody takes any more. */
  readonly resetAfterMs: number;
}

/** What ends a wait. A `Context` fits. */
export interface RateWaitOptions extends CancelOptions {
  /** Fail at once if the tokens are not to be had by this instant of `now()`, or by the deadline of the context. */
  readonly deadlineMs?: number | undefined;
}

/** A bound on how often something happens. `n` counts tokens: a whole number of at least 0; default 1. */
export interface Limiter {
  /** How many wait. */
  readonly waiting: number;
  /** Takes `n` tokens if they are there, and says whether it did. */
  allow(n?: number): boolean;
  /** What would be said to one who asks for `n` now. Takes nothing. */
  check(n?: number): LimitDecision;
  /** Waits until `n` tokens are there and all who came earlier have got theirs, then takes them. */
  wait(n?: number, options?: RateWaitOptions): Promise<void>;
}
