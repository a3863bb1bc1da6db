/**
 * So many in any span of a given length, because every grant is remembered that long.
 */
import { reached } from "./instants.ts";
import { Line, type Rule } from "./line.ts";
import { LineLimiter } from "./line-limiter.ts";
import { perSecondOf, requireWindow, type RateWindowOptions } from "./window.ts";

export type { RateWindowOptions } from "./window.ts";

interface Entry {
  readonly untilMs: number;
  tokens: number;
}

/**
 * Invariants
 *   I1  The entries from `#head` on are in the order of `untilMs`, no two with the same, each of at least 1 token.
 *   I2  `#used` is their sum, and at most `limit`.
 */
class SlidingLog implements Rule {
  readonly limit: number;
  readonly perSecond: number;
  readonly #windowMs: number;
  #entries: Entry[] = [];
  #head = 0;
  #used = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.perSecond = perSecondOf(limit, windowMs);
    this.#windowMs = windowMs;
  }

  dueMs(nowMs: number, tokens: number): number {
    let missing = tokens - this.remaining(nowMs);
    let dueMs = nowMs;
    for (let at = this.#head; missing > 0; at++) {
      const entry = this.#entries[at] as Entry;
      missing -= entry.tokens;
      dueMs = entry.untilMs;
    }
    return dueMs;
  }

  take(nowMs: number, tokens: number): void {
    this.#forget(nowMs);
    if (tokens === 0) return;
    const untilMs = nowMs + this.#windowMs;
    const last = this.#entries.at(-1);
    if (last?.untilMs === untilMs) last.tokens += tokens;
    else this.#entries.push({ untilMs, tokens });
    this.#used += tokens;
  }

  remaining(nowMs: number): number {
    this.#forget(nowMs);
    return this.limit - this.#used;
  }

  resetMs(nowMs: number): number {
    this.#forget(nowMs);
    return this.#entries.at(-1)?.untilMs ?? nowMs;
  }

  /** Drops what has left the window. The array is cut when half of it is dropped, which is O(1) for each on average. */
  #forget(nowMs: number): void {
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      if (!reached(entry.untilMs, nowMs)) break;
      this.#used -= entry.tokens;
      this.#head++;
    }
    if (this.#head * 2 < this.#entries.length || this.#head === 0) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

/**
 * At most `limit` in any span of `windowMs`, wherever it begins.
 *
 * **Guarantees** Exact: two grants that are `windowMs` apart are not in the same span. It uses the limit up: what was
 * granted is free again `windowMs` later and not before.
 * **Units and ranges** `limit`: a whole number of at least 1. `windowMs`: finite and at least 1.
 * **Cost** Remembers each instant of the last window at which there was a grant, so at most `limit`. O(1) on average for
 * a grant, O(n) for a refusal.
 * **Not for** large limits: see `SlidingCounterLimiter`, or `GcraLimiter`.
 *
 * @example
 * const login = new SlidingLogLimiter({ limit: 3, windowMs: 60_000 });
 * const verdicts = [1, 2, 3, 4].map(() => login.allow());
 * verdicts; //=> [true, true, true, false]
 */
export class SlidingLogLimiter extends LineLimiter {
  constructor(options: RateWindowOptions) {
    const { limit, windowMs } = requireWindow(options);
    super([new Line(new SlidingLog(limit, windowMs), options.name)]);
  }
}
