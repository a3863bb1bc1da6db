/**
 * A limiter by a rule that only looks back, or by several of them.
 */
import { requireInteger } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { completed } from "../../core/fairness.ts";
import { begin } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { LimitDecision, Limiter, RateWaitOptions } from "./limiter.ts";
import { Line, LineWaiter, serve } from "./line.ts";
import { deadlineFor, refusalOf } from "./rate-limit-error.ts";

/**
 * What the limiters by GCRA, by windows, and those made of several have in common; only these can be parts of a
 * `composite`.
 *
 * **Guarantees** Those who wait are served first come, first served, and nobody overtakes them. The clock is monotonic:
 * no change of the wall clock gives more.
 * **Cancellation** A wait that is given up takes nothing, and those behind it move up.
 * **Cost** No timer while nobody waits, and one for all who wait for a limit.
 *
 * @example
 * const perSecond: LineLimiter = new GcraLimiter({ perSecond: 10, burst: 2 });
 * [perSecond.allow(2), perSecond.check().ok]; //=> [true, false]
 */
export class LineLimiter implements Limiter {
  readonly #runtime: Runtime = currentRuntime();
  readonly #lines: readonly [Line, ...Line[]];

  /** Made by its kinds, and by `composite`. @internal */
  constructor(lines: readonly [Line, ...Line[]]) {
    this.#lines = lines;
  }

  /** The lines of several limiters, each once, in the order in which they are stood in. @internal */
  static linesOf(limiters: readonly [LineLimiter, ...LineLimiter[]]): [Line, ...Line[]] {
    const lines = new Set(limiters.flatMap((limiter) => limiter.#lines));
    return [...lines].toSorted((one, other) => Line.order(one, other)) as [Line, ...Line[]];
  }

  /** How many tokens can be had at one instant. */
  get limit(): number {
    return Math.min(...this.#lines.map(({ rule }) => rule.limit));
  }

  /** How many wait; also those who wait by way of another limiter of which this one is a part. */
  get waiting(): number {
    return Math.max(...this.#lines.map(({ waiting }) => waiting));
  }

  /** Takes `n` tokens if they are there, and says whether it did: for what is dropped rather than delayed. */
  allow(n = 1): boolean {
    const tokens = requireInteger("n", n, 0);
    const taken = this.#tryTake(tokens);
    if (!taken) this.#deny(tokens);
    return taken;
  }

  /** What would be said to one who asks for `n` now. Takes nothing. */
  check(n = 1): LimitDecision {
    const tokens = requireInteger("n", n, 0);
    return {
      ok: this.#free(tokens),
      remaining: Math.min(...this.#lines.map((line) => line.rule.remaining(line.now()))),
      retryAfterMs: this.#delayFor(tokens),
      resetAfterMs: Math.max(...this.#lines.map((line) => line.rule.resetMs(line.now()) - line.now())),
    };
  }

  /**
   * Waits until `n` tokens are there and all who came earlier have got theirs, then takes them.
   *
   * **Errors** `RateLimitError` at once, and nothing is taken, if `n` is above the limit, or if the tokens cannot be
   * there by the deadline of `options`. If it is others in the line who make it too late, the signal says so.
   */
  wait(n = 1, options?: RateWaitOptions): Promise<void> {
    const tokens = requireInteger("n", n, 0);
    const deadlineMs = deadlineFor(options);
    return begin(this.#runtime, () => this.#wait(tokens, deadlineMs, options));
  }

  #wait(tokens: number, deadlineMs: number, options: CancelOptions | undefined): Promise<void> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const dueMs = this.#runtime.clock.now() + this.#delayFor(tokens);
    const refusal = refusalOf(tokens, this.limit, dueMs, deadlineMs);
    if (refusal !== undefined) {
      this.#deny(tokens);
      return Promise.reject(refusal);
    }
    if (this.#tryTake(tokens)) return completed(this.#runtime, undefined);
    const [line] = this.#lines;
    const { promise } = new LineWaiter(this.#runtime, this.#lines, tokens, options);
    if (line.waiting === 1) serve([line]);
    return promise;
  }

  /** Whether so many are there, and nobody waits for them. */
  #free(tokens: number): boolean {
    return this.#lines.every((line) => line.waiting === 0 && line.delayFor(tokens) === 0);
  }

  #delayFor(tokens: number): number {
    return Math.max(...this.#lines.map((line) => line.delayFor(tokens)));
  }

  /** Of one line, it reads the clock once. */
  #tryTake(tokens: number): boolean {
    const [line] = this.#lines;
    if (this.#lines.length === 1) return line.tryTake(tokens);
    if (!this.#free(tokens)) return false;
    for (const each of this.#lines) each.take(tokens, each.now());
    return true;
  }

  #deny(tokens: number): void {
    for (const line of this.#lines)
      if (line.traced && (line.waiting > 0 || line.delayFor(tokens) > 0)) line.deny();
  }
}
