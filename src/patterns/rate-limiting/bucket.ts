/**
 * The arithmetic of a token bucket. It has no clock: every call is told the instant, in milliseconds.
 *
 * Invariants
 *   I1  `#level` is what the bucket held at `#lastMs`: at most `burst`, below zero while claims are not yet due.
 *   I2  No claim that stands is due after `#lastDueMs`.
 */

/** Below this, a delay comes from the rounding of sums, and is none. */
const SHORTEST_DELAY_MS = 1e-6;

/** Tokens that were taken for an instant, and the rate that instant was reckoned with. */
export interface Claim {
  readonly tokens: number;
  readonly dueMs: number;
  readonly perSecond: number;
}

export class TokenBucket {
  #perSecond: number;
  #burst: number;
  #level: number;
  #lastMs = 0;
  #lastDueMs = 0;

  /** Starts full. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#level = burst;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  get burst(): number {
    return this.#burst;
  }

  /** What it holds at `nowMs`. An instant before the last one adds nothing. */
  levelAt(nowMs: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return this.#burst;
    const elapsedMs = Math.max(0, nowMs - this.#lastMs);
    return Math.min(this.#burst, this.#level + this.#tokensIn(elapsedMs, this.#perSecond));
  }

  /** Whether so many can ever be had at one instant. */
  holds(tokens: number): boolean {
    return tokens <= this.#burst || this.#perSecond === Number.POSITIVE_INFINITY;
  }

  /** How long until it holds so many, if nobody takes any; `Infinity` if it never will. */
  delayFor(nowMs: number, tokens: number): number {
    const missing = tokens - this.levelAt(nowMs);
    if (missing <= 0 || this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    const delayMs = (missing / this.#perSecond) * 1000;
    return delayMs < SHORTEST_DELAY_MS ? 0 : delayMs;
  }

  /** Takes tokens for the instant at which they are there. The caller has seen that there is one. */
  claim(nowMs: number, tokens: number): Claim {
    const dueMs = nowMs + this.delayFor(nowMs, tokens);
    const perSecond = this.#perSecond;
    if (perSecond === Number.POSITIVE_INFINITY) return { tokens: 0, dueMs, perSecond };
    this.#set(nowMs, this.levelAt(nowMs) - tokens);
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    return { tokens, dueMs, perSecond };
  }

  /**
   * Takes a claim back, unless its time has passed. What was claimed behind it is not given back: those claims keep
   * their instants, and whoever came then would act at the same one.
   */
  giveBack(nowMs: number, { tokens, dueMs, perSecond }: Claim): void {
    if (tokens === 0 || dueMs < nowMs || this.#perSecond === Number.POSITIVE_INFINITY) return;
    const returned = tokens - this.#tokensIn(Math.max(0, this.#lastDueMs - dueMs), perSecond);
    if (returned <= 0) return;
    this.#set(nowMs, Math.min(this.#burst, this.levelAt(nowMs) + returned));
    const previousMs = dueMs - (tokens / perSecond) * 1000;
    if (dueMs === this.#lastDueMs && previousMs >= nowMs) this.#lastDueMs = previousMs;
  }

  /** Changes the rate from `nowMs` on. */
  setPerSecond(nowMs: number, perSecond: number): void {
    this.#set(nowMs, this.levelAt(nowMs));
    this.#perSecond = perSecond;
  }

  /** Changes the size from `nowMs` on. */
  setBurst(nowMs: number, burst: number): void {
    this.#set(nowMs, Math.min(burst, this.levelAt(nowMs)));
    this.#burst = burst;
  }

  #set(nowMs: number, level: number): void {
    this.#lastMs = nowMs;
    this.#level = level;
  }

  #tokensIn(spanMs: number, perSecond: number): number {
    return (spanMs / 1000) * perSecond;
  }
}
