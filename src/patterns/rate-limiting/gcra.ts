/**
 * The token bucket as one number: the instant at which it is full again.
 */
import { requireInteger, requirePositive } from "../../core/arguments.ts";
import { fromNow, SHORTEST_DELAY_MS } from "./instants.ts";
import { Line, type Rule } from "./line.ts";
import { LineLimiter } from "./line-limiter.ts";

/** How fast tokens come back, and how many there are. */
export interface GcraOptions {
  /** Tokens a second: above 0; `Infinity` for no limit at all. */
  readonly perSecond: number;
  /** How many can be taken at one instant: a whole number of at least 1. */
  readonly burst: number;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** Longer than any clock runs, and small enough to be multiplied. */
const LONGEST_INTERVAL_MS = 1e200;

/**
 * Invariants
 *   I1  `#fullMs` never goes back. It is at most `limit` intervals after the latest instant at which some were taken.
 */
class Gcra implements Rule {
  readonly limit: number;
  readonly perSecond: number;
  readonly #intervalMs: number;
  #fullMs = 0;

  constructor(perSecond: number, burst: number) {
    this.limit = perSecond === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : burst;
    this.perSecond = perSecond;
    this.#intervalMs = Math.min(1000 / perSecond, LONGEST_INTERVAL_MS);
  }

  dueMs(nowMs: number, tokens: number): number {
    return fromNow(nowMs, this.#fullMs - (this.limit - tokens) * this.#intervalMs);
  }

  take(nowMs: number, tokens: number): void {
    this.#fullMs = Math.max(nowMs, this.#fullMs) + tokens * this.#intervalMs;
  }

  remaining(nowMs: number): number {
    const missingMs = this.resetMs(nowMs) - nowMs;
    if (missingMs === 0) return this.limit;
    return Math.floor(this.limit - (missingMs - SHORTEST_DELAY_MS) / this.#intervalMs);
  }

  resetMs(nowMs: number): number {
    return fromNow(nowMs, this.#fullMs);
  }
}

/**
 * The generic cell rate algorithm: grants exactly what a token bucket grants, and keeps one number for it. For limits
 * that there are many of, and for those that are parts of a `composite`.
 *
 * **Guarantees** Exact: in any `t` seconds at most `burst + t * perSecond` tokens are granted. With a burst of 1, grants
 * are evenly spaced.
 * **Cost** O(1).
 * **Not for** reservations, nor for a rate that changes: see `RateLimiter`.
 * **Source** ITU-T I.371, where it polices the cells of ATM.
 *
 * @example
 * const perClient = new GcraLimiter({ perSecond: 10, burst: 2 });
 * const verdicts = [1, 2, 3].map(() => perClient.allow());
 * await perClient.wait();
 * verdicts; //=> [true, true, false]
 */
export class GcraLimiter extends LineLimiter {
  constructor({ perSecond, burst, name }: GcraOptions) {
    const rule = new Gcra(requirePositive("perSecond", perSecond), requireInteger("burst", burst, 1));
    super([new Line(rule, name)]);
  }
}
