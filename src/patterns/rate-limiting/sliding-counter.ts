/**
 * About so many in any span of a given length, from the counts of two windows.
 */
import { fromNow, reached, SHORTEST_DELAY_MS } from "./instants.ts";
import { Line, type Rule } from "./line.ts";
import { LineLimiter } from "./line-limiter.ts";
import { perSecondOf, requireWindow, type RateWindowOptions } from "./window.ts";

export type { RateWindowOptions } from "./window.ts";

/**
 * Invariants
 *   I1  `#previous` was granted in the window before the one that began at `#startMs`, `#current` in this one.
 *   I2  Both are at most `limit`.
 */
class SlidingCounter implements Rule {
  readonly limit: number;
  readonly perSecond: number;
  readonly #windowMs: number;
  #startMs = 0;
  #previous = 0;
  #current = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.perSecond = perSecondOf(limit, windowMs);
    this.#windowMs = windowMs;
  }

  dueMs(nowMs: number, tokens: number): number {
    this.#turn(nowMs);
    const room = this.limit - tokens;
    if (this.#previous + this.#current <= room) return nowMs;
    if (this.#current <= room) return fromNow(nowMs, this.#fadedMs(this.#previous, room - this.#current));
    return fromNow(nowMs, this.#windowMs + this.#fadedMs(this.#current, room));
  }

  take(nowMs: number, tokens: number): void {
    this.#turn(nowMs);
    this.#current += tokens;
  }

  remaining(nowMs: number): number {
    this.#turn(nowMs);
    const share = 1 - (nowMs + SHORTEST_DELAY_MS - this.#startMs) / this.#windowMs;
    return Math.max(0, Math.floor(this.limit - this.#previous * share - this.#current));
  }

  resetMs(nowMs: number): number {
    this.#turn(nowMs);
    if (this.#current > 0) return this.#startMs + 2 * this.#windowMs;
    return this.#previous > 0 ? this.#startMs + this.#windowMs : nowMs;
  }

  /** When no more than `rest` of `count` is reckoned with, if it was granted in the window before this one. */
  #fadedMs(count: number, rest: number): number {
    return this.#startMs + this.#windowMs * (1 - rest / count);
  }

  /** Begins the window of `nowMs`: the next one, or, after a pause, one that begins now. */
  #turn(nowMs: number): void {
    if (!reached(this.#startMs + this.#windowMs, nowMs)) return;
    const next = !reached(this.#startMs + 2 * this.#windowMs, nowMs);
    this.#startMs = next ? this.#startMs + this.#windowMs : nowMs;
    this.#previous = next ? this.#current : 0;
    this.#current = 0;
  }
}

/**
 * A sliding window that keeps two counts: it takes what was granted in the last window as if spread evenly over it.
 *
 * **Guarantees** Approximate. As long as grants do come evenly, off by at most one token a window, which it refuses. At
 * worst, if all of a window came at its end, nearly `2 * limit` in a span as long as a window; if all came at its
 * beginning, it refuses for one window what would have been allowed. No window of its own has more than `limit`.
 * **Units and ranges** `limit`: a whole number of at least 1. `windowMs`: finite and at least 1.
 * **Cost** O(1), also in memory, however large the limit.
 * **Not for** a limit that must hold: see `SlidingLogLimiter`.
 *
 * @example
 * const api = new SlidingCounterLimiter({ limit: 1000, windowMs: 60_000 });
 * [api.allow(999), api.allow(2), api.allow()]; //=> [true, false, true]
 */
export class SlidingCounterLimiter extends LineLimiter {
  constructor(options: RateWindowOptions) {
    const { limit, windowMs } = requireWindow(options);
    super([new Line(new SlidingCounter(limit, windowMs), options.name)]);
  }
}
