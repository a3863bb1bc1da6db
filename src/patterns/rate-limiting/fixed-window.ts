/**
 * So many in each window of time, one window after the other.
 */
import { fromNow, reached } from "./instants.ts";
import { Line, type Rule } from "./line.ts";
import { LineLimiter } from "./line-limiter.ts";
import { perSecondOf, requireWindow, type RateWindowOptions } from "./window.ts";

export type { RateWindowOptions } from "./window.ts";

class FixedWindow implements Rule {
  readonly limit: number;
  readonly perSecond: number;
  readonly #windowMs: number;
  #endMs = 0;
  #used = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.perSecond = perSecondOf(limit, windowMs);
    this.#windowMs = windowMs;
  }

  dueMs(nowMs: number, tokens: number): number {
    return tokens <= this.remaining(nowMs) ? nowMs : this.#endMs;
  }

  take(nowMs: number, tokens: number): void {
    if (tokens === 0) return;
    if (reached(this.#endMs, nowMs)) {
      this.#endMs = nowMs + this.#windowMs;
      this.#used = 0;
    }
    this.#used += tokens;
  }

  remaining(nowMs: number): number {
    return reached(this.#endMs, nowMs) ? this.limit : this.limit - this.#used;
  }

  resetMs(nowMs: number): number {
    return fromNow(nowMs, this.#endMs);
  }
}

/**
 * At most `limit` in a window; the next window begins with the first grant after it. The limit that is the easiest to
 * explain: "60 a minute, and `resetAfterMs` says when you get new ones".
 *
 * **Guarantees** No window has more than `limit`. Around the boundary of two windows there can be nearly twice as many:
 * up to `2 * limit - 1` in a span as long as a window. See `SlidingLogLimiter` for one where that cannot be.
 * **Units and ranges** `limit`: a whole number of at least 1. `windowMs`: finite and at least 1.
 * **Cost** O(1).
 *
 * @example
 * const perMinute = new FixedWindowLimiter({ limit: 2, windowMs: 60_000 });
 * const verdicts = [1, 2, 3].map(() => perMinute.allow());
 * [...verdicts, perMinute.check().remaining]; //=> [true, true, false, 0]
 */
export class FixedWindowLimiter extends LineLimiter {
  constructor(options: RateWindowOptions) {
    const { limit, windowMs } = requireWindow(options);
    super([new Line(new FixedWindow(limit, windowMs), options.name)]);
  }
}
