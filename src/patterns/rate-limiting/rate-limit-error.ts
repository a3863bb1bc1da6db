/**
 * How a limiter refuses.
 */
import { ConcurrencyError } from "../../core/errors.ts";

/**
 * A wait that could not have ended well, and so did not begin. Code `LIMIT`.
 *
 * @example
 * const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
 * const failure: unknown = await limiter.wait(2).catch((error: unknown) => error);
 * (failure as RateLimitError).reason; //=> "burst"
 */
export class RateLimitError extends ConcurrencyError {
  /** `burst`: more was asked for than the bucket holds. `deadline`: that would have passed first. */
  readonly reason: "burst" | "deadline";

  constructor(reason: "burst" | "deadline", message: string) {
    super("LIMIT", message);
    this.name = "RateLimitError";
    this.reason = reason;
  }
}
