/**
 * The arithmetic of a token bucket. It has no clock: every call is told the instant, in milliseconds.
 *
 * Invariants
 *   I1  `#level` is what the bucket held at `#lastMs`: at most `burst`, below zero while claims are not yet due.
 *   I2  `#claimed` counts the tokens of all claims, also of those that were taken back.
 *   I3  Of the claims that stand, the last is due at `#lastDueMs`, unless later ones were put into gaps before it.
 */
import { fromNow, reached, SHORTEST_DELAY_MS } from "./instants.ts";

/** Tokens that were taken for an instant. */
export interface Claim {
  readonly tokens: number;
  readonly dueMs: number;
  /** The rate that the instant was reckoned with. */
  readonly perSecond: number;
  /** How many tokens had been claimed then, these included. */
  readonly claimed: number;
}

export class TokenBucket {
  #perSecond: number;
  #burst: number;
  #level: number;
  #lastMs = 0;
  #lastDueMs = 0;
  #claimed = 0;

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

  /** How many can be taken at `nowMs`, beside those that others want. */
  remainingAt(nowMs: number, wanted: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
    return Math.max(0, Math.floor(this.levelAt(nowMs + SHORTEST_DELAY_MS) - wanted));
  }

  /** How long until it holds so many, if nobody takes any; `Infinity` if it never will. */
  delayFor(nowMs: number, tokens: number): number {
    return this.#untilRefilled(tokens - this.levelAt(nowMs));
  }

  /** Takes tokens if they are there: a claim that nobody takes back. */
  tryTake(nowMs: number, tokens: number): boolean {
    const level = this.levelAt(nowMs);
    if (tokens > level && (!this.holds(tokens) || this.#untilRefilled(tokens - level) > 0)) return false;
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    this.#set(nowMs, level - tokens);
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs);
    this.#claimed += tokens;
    return true;
  }

  /** Takes tokens for the instant at which they are there. The caller has seen that there is one. */
  claim(nowMs: number, tokens: number): Claim {
    const dueMs = nowMs + this.delayFor(nowMs, tokens);
    const perSecond = this.#perSecond;
    if (perSecond === Number.POSITIVE_INFINITY)
      return { tokens: 0, dueMs, perSecond, claimed: this.#claimed };
    this.#set(nowMs, this.levelAt(nowMs) - tokens);
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    this.#claimed += tokens;
    return { tokens, dueMs, perSecond, claimed: this.#claimed };
  }

  /**
   * Takes a claim back, unless its time has passed. What was claimed behind it, later and for later, is not given back:
   * those claims keep their instants, and whoever came then would act at the same one. Go looks at the instants alone,
   * and can give back more than was held.
   */
  giveBack(nowMs: number, { tokens, dueMs, perSecond, claimed }: Claim): void {
    if (tokens === 0 || dueMs < nowMs || this.#perSecond === Number.POSITIVE_INFINITY) return;
    const later = this.#tokensIn(Math.max(0, this.#lastDueMs - dueMs), perSecond);
    const returned = tokens - Math.min(later, this.#claimed - claimed);
    if (returned <= 0) return;
    this.#set(nowMs, Math.min(this.#burst, this.levelAt(nowMs) + returned));
    if (reached(this.#lastDueMs, dueMs)) this.#lastDueMs = dueMs - (tokens / perSecond) * 1000;
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

  #untilRefilled(missing: number): number {
    if (missing <= 0 || this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    return fromNow(0, (missing / this.#perSecond) * 1000);
  }

  #set(nowMs: number, level: number): void {
    this.#lastMs = nowMs;
    this.#level = level;
  }

  #tokensIn(spanMs: number, perSecond: number): number {
    return (spanMs / 1000) * perSecond;
  }
}
