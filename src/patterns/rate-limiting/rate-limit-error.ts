/**
 * How a limiter refuses.
 */
import { requireDuration } from "../../core/arguments.ts";
import { deadlineOf } from "../../core/cancellation.ts";
import { ConcurrencyError } from "../../core/errors.ts";
import type { RateWaitOptions } from "./limiter.ts";

/**
 * A wait that could not have ended well, and so did not begin. Code `LIMIT`.
 *
 * @example
 * const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
 * const failure: unknown = await limiter.wait(2).catch((error: unknown) => error);
 * (failure as RateLimitError).reason; //=> "burst"
 */
export class RateLimitError extends ConcurrencyError {
  /** `burst`: more was asked for than can be had at one instant. `deadline`: that would have passed first. */
  readonly reason: "burst" | "deadline";

  constructor(reason: "burst" | "deadline", message: string) {
    super("LIMIT", message);
    this.name = "RateLimitError";
    this.reason = reason;
  }
}

/** The instant by which a wait must have ended well; `Infinity` if there is none. */
export function deadlineFor(options: RateWaitOptions | undefined): number {
  const own = requireDuration("deadlineMs", options?.deadlineMs ?? Number.POSITIVE_INFINITY);
  return Math.min(own, deadlineOf(options) ?? own);
}

/** Why a wait would end badly; undefined if it need not. At best it ends well at `dueMs`. */
export function refusalOf(
  tokens: number,
  burst: number,
  dueMs: number,
  deadlineMs: number,
): RateLimitError | undefined {
  if (tokens > burst) {
    return new RateLimitError("burst", `wait for ${tokens} tokens exceeds limiter's burst ${burst}`);
  }
  if (dueMs <= deadlineMs) return undefined;
  return new RateLimitError("deadline", `wait for ${tokens} tokens would exceed context deadline`);
}
