/**
 * How a token bucket is made and used.
 */

/** How fast a limiter refills, and how much it holds. */
export interface RateLimiterOptions {
  /** Tokens a second: at least 0. With 0 there is the first burst and no more, with `Infinity` no limit at all. */
  readonly perSecond: number;
  /** How many tokens the bucket holds, so how many can be taken at one instant: a whole number of at least 0. */
  readonly burst: number;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** What a reservation may look like. */
export interface RateReserveOptions {
  /** Refuse rather than promise an instant further off than this; default Infinity. */
  readonly maxDelayMs?: number | undefined;
}
