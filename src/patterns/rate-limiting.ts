/**
 * Bounds how often something happens, with a bucket of tokens that refills at a steady rate.
 *
 * Invariants
 *   I1  Those who wait are served first come, first served: the placed ones, then the loose ones.
 *   I2  A loose one has taken nothing yet; `#wanted` is what they will take together. A placed one has its tokens.
 *   I3  Nobody is placed who has no reservation behind: its instant is fixed, so what comes before it must be.
 *   I4  A timer is set only while somebody waits.
 */
import { requireDuration, requireInteger, requireNumber } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { completed } from "../core/fairness.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { type Claim, TokenBucket } from "./rate-limiting/bucket.ts";
import type { LimitDecision, Limiter, RateWaitOptions } from "./rate-limiting/limiter.ts";
import type { RateLimiterOptions, RateReserveOptions } from "./rate-limiting/options.ts";
import { deadlineFor, refusalOf } from "./rate-limiting/rate-limit-error.ts";
import { Reservation } from "./rate-limiting/reservation.ts";
import { TokenWaiter, type Wanted } from "./rate-limiting/token-waiter.ts";

export type { LimitDecision, Limiter, RateWaitOptions } from "./rate-limiting/limiter.ts";
export type { RateLimiterOptions, RateReserveOptions } from "./rate-limiting/options.ts";
export { RateLimitError } from "./rate-limiting/rate-limit-error.ts";
export { Reservation } from "./rate-limiting/reservation.ts";

/**
 * The rate of one token every `intervalMs`; without an interval, no limit. Go's `rate.Every`.
 *
 * @example
 * every(2500); //=> 0.4
 */
export function every(intervalMs: number): number {
  return 1000 / requireDuration("intervalMs", intervalMs);
}

/**
 * A token bucket that starts full. Who finds too few tokens is refused ({@link RateLimiter.allow}), told how long to
 * wait ({@link RateLimiter.reserve}), or waits ({@link RateLimiter.wait}). Most callers want to wait.
 *
 * **Guarantees** In any `t` seconds at most `burst + t * perSecond` tokens are granted; with a burst of 1, grants are
 * evenly spaced. Nobody overtakes those who wait. The clock is monotonic: no change of the wall clock mints tokens.
 * **Units and ranges** `n`: a whole number of at least 0, in tokens; default 1. A method whose name ends in `At` takes
 * the instant, in milliseconds, instead of reading the clock; there, going back adds nothing.
 * **Cancellation** A wait that is given up takes nothing, and those behind it move up. If a reservation was made
 * behind it, which cannot move, it gives back what a reservation would.
 * **Cost** O(1), and no timer while nobody waits. A reservation made while others wait is O(waiting).
 * **Not for** how much runs at once: see `Semaphore`.
 * **Source** golang.org/x/time/rate. There, a wait that is given up still holds up those behind it.
 *
 * @example
 * const limiter = new RateLimiter({ perSecond: 1, burst: 2 });
 * await limiter.wait();
 * await limiter.wait();
 * limiter.allow(); //=> false
 */
export class RateLimiter implements Limiter {
  readonly #runtime: Runtime = currentRuntime();
  readonly #bucket: TokenBucket;
  readonly #resource: Resource | undefined;
  readonly #placed = new WaiterQueue<TokenWaiter>();
  readonly #loose = new WaiterQueue<TokenWaiter>();
  #wanted = 0;
  /** Set for the first of those who wait. */
  #timer: { readonly first: TokenWaiter; readonly timer: Timer } | undefined;
  #latestMs = 0;

  constructor(options: RateLimiterOptions) {
    const burst = requireInteger("burst", options.burst, 0);
    this.#bucket = new TokenBucket(requireRate(options.perSecond), burst);
    this.#resource = observe(this.#runtime, "limiter", options.name, burst);
  }

  /** Tokens a second. */
  get perSecond(): number {
    return this.#bucket.perSecond;
  }

  /** How many tokens the bucket holds. */
  get burst(): number {
    return this.#bucket.burst;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#placed.size + this.#loose.size;
  }

  /** How many tokens there are. Below zero, so many are owed to reservations and to those who wait. */
  get tokens(): number {
    return this.tokensAt(this.#now());
  }

  /** The same at `nowMs`. */
  tokensAt(nowMs: number): number {
    return this.#bucket.levelAt(requireInstant(nowMs)) - this.#wanted;
  }

  /** Takes `n` tokens if they are there, and says whether it did: for what is dropped rather than delayed. */
  allow(n = 1): boolean {
    return this.#allow(this.#now(), requireTokens(n));
  }

  /** The same at `nowMs`. */
  allowAt(nowMs: number, n = 1): boolean {
    return this.#allow(requireInstant(nowMs), requireTokens(n));
  }

  /** What would be said to one who asks for `n` now. Takes nothing. Exact as to those who wait. */
  check(n = 1): LimitDecision {
    const nowMs = this.#now();
    const retryAfterMs = this.#delayFor(nowMs, requireTokens(n));
    const remaining = this.#bucket.remainingAt(nowMs, this.#wanted);
    const resetAfterMs = this.#bucket.delayFor(nowMs, this.#wanted + this.burst);
    return { ok: retryAfterMs === 0, remaining, retryAfterMs, resetAfterMs };
  }

  /**
   * Takes `n` tokens now for the instant at which they are there, so that the caller can do something else until then.
   * Refused if `n` is above the burst, if it would have to wait for ever, or longer than `maxDelayMs`.
   */
  reserve(n = 1, options?: RateReserveOptions): Reservation {
    return this.reserveAt(this.#now(), n, options);
  }

  /** The same at `nowMs`. */
  reserveAt(nowMs: number, n = 1, options: RateReserveOptions = {}): Reservation {
    const maxDelayMs = requireDuration("maxDelayMs", options.maxDelayMs ?? Number.POSITIVE_INFINITY);
    return this.#reservation(this.#take(requireInstant(nowMs), requireTokens(n), maxDelayMs));
  }

  /**
   * Waits until `n` tokens are there and all who came earlier have got theirs, then takes them.
   *
   * **Errors** `RateLimitError` at once, and nothing is taken, if `n` is above the burst, or if the deadline of
   * `options` would pass first.
   */
  wait(n = 1, options?: RateWaitOptions): Promise<void> {
    const tokens = requireTokens(n);
    const deadlineMs = deadlineFor(options);
    return begin(this.#runtime, () => this.#wait(tokens, deadlineMs, options));
  }

  /** Changes the rate. Those who wait follow it; what is reserved keeps its instant. */
  setLimit(perSecond: number): void {
    this.setLimitAt(this.#now(), perSecond);
  }

  /** The same at `nowMs`. */
  setLimitAt(nowMs: number, perSecond: number): void {
    this.#bucket.setPerSecond(requireInstant(nowMs), requireRate(perSecond));
    this.#serve();
  }

  /** Changes the burst. Tokens above it are lost; who waits for more than it takes them from a full bucket. */
  setBurst(burst: number): void {
    this.setBurstAt(this.#now(), burst);
  }

  /** The same at `nowMs`. */
  setBurstAt(nowMs: number, burst: number): void {
    this.#bucket.setBurst(requireInstant(nowMs), requireInteger("burst", burst, 0));
    this.#serve();
  }

  /** The clock's time. A clock that went back would have tokens refilled twice for the same time. */
  #now(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#runtime.clock.now());
    return this.#latestMs;
  }

  /** Where nobody is to be placed, there is no need for a claim. */
  #allow(nowMs: number, tokens: number): boolean {
    if (this.#loose.size > 0) return this.#take(nowMs, tokens, 0) !== undefined;
    const taken = this.#bucket.tryTake(nowMs, tokens);
    this.#trace(nowMs, taken ? 0 : undefined);
    return taken;
  }

  /** Takes tokens behind everybody who waits; nothing if that is not possible soon enough. */
  #take(nowMs: number, tokens: number, maxDelayMs: number): Claim | undefined {
    const delayMs = this.#delayFor(nowMs, tokens);
    if (delayMs === Number.POSITIVE_INFINITY || delayMs > maxDelayMs) {
      this.#trace(nowMs);
      return undefined;
    }
    this.#placeAll(nowMs);
    const claim = this.#bucket.claim(nowMs, tokens);
    this.#trace(nowMs, delayMs);
    return claim;
  }

  /** Gives everybody who waits an instant: what comes behind them is about to get one. */
  #placeAll(nowMs: number): void {
    for (let waiter = this.#loose.shift(); waiter !== undefined; waiter = this.#loose.shift()) {
      waiter.place = this.#reservation(this.#bucket.claim(nowMs, waiter.tokens));
      this.#placed.push(waiter);
    }
    this.#wanted = 0;
  }

  #reservation(claim: Claim | undefined): Reservation {
    const giveBack = (nowMs: number): void => {
      if (claim !== undefined) this.#bucket.giveBack(nowMs, claim);
      this.#serve();
    };
    return new Reservation(claim?.dueMs, () => this.#now(), giveBack);
  }

  #wait(tokens: number, deadlineMs: number, options: CancelOptions | undefined): Promise<void> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const sinceMs = this.#now();
    const delayMs = this.#delayFor(sinceMs, tokens);
    const most = this.#bucket.holds(tokens) ? tokens : this.burst;
    const refusal = refusalOf(tokens, most, sinceMs + delayMs, deadlineMs);
    if (refusal !== undefined) {
      this.#trace(sinceMs);
      return Promise.reject(refusal);
    }
    if (delayMs === 0 && this.waiting === 0) {
      this.#take(sinceMs, tokens, 0);
      return completed(this.#runtime, undefined);
    }
    return this.#enqueue({ tokens, sinceMs }, options);
  }

  #enqueue(wanted: Wanted, options: CancelOptions | undefined): Promise<void> {
    const waiter = new TokenWaiter(this.#runtime, this.#resource, options, wanted, (it) => this.#left(it));
    this.#loose.push(waiter);
    this.#wanted += wanted.tokens;
    if (this.#timer === undefined) this.#serve();
    return waiter.promise;
  }

  /** How long one who comes now must wait, behind all others; `Infinity` if for ever. */
  #delayFor(nowMs: number, tokens: number): number {
    if (!this.#bucket.holds(tokens)) return Number.POSITIVE_INFINITY;
    return this.#bucket.delayFor(nowMs, this.#wanted + tokens);
  }

  #left(waiter: TokenWaiter): void {
    waiter.place?.cancel();
    if (waiter.place === undefined) this.#wanted -= waiter.tokens;
    if (this.#timer === undefined || this.#timer.first === waiter) this.#serve();
  }

  /** Lets in from the front as many as possible. One who is being cancelled will leave, and then this is asked again. */
  #serve(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    const nowMs = this.#now();
    for (;;) {
      const first = this.#placed.first ?? this.#loose.first;
      if (first === undefined || first.givenUp) return;
      const delayMs = this.#delayOf(first, nowMs);
      if (delayMs > 0) {
        this.#timer = { first, timer: this.#runtime.clock.after(delayMs, () => this.#serve()) };
        return;
      }
      if (first.place === undefined) {
        this.#bucket.claim(nowMs, first.tokens);
        this.#wanted -= first.tokens;
      }
      this.#trace(nowMs, nowMs - first.sinceMs, first.task);
      first.grant();
    }
  }

  /** How long the first of those who wait must wait. If it wants more than the burst has become, a full bucket will do. */
  #delayOf({ place, tokens }: TokenWaiter, nowMs: number): number {
    return place?.delayFrom(nowMs) ?? this.#bucket.delayFor(nowMs, Math.min(tokens, this.burst));
  }

  /** Records a grant after so long a wait; a refusal if there is none. */
  #trace(nowMs: number, waitMs?: number, task?: TaskRecord): void {
    if (this.#resource?.traced !== true) return;
    const level = { r: this.#resource.id, tokens: this.tokensAt(nowMs) };
    if (waitMs === undefined) this.#resource.emit({ k: "limit.deny", ...level });
    else this.#resource.emit({ k: "limit.grant", ...level, wait: Math.round(waitMs * 1000) }, task?.id);
  }
}

function requireRate(perSecond: number): number {
  return perSecond === Number.POSITIVE_INFINITY ? perSecond : requireNumber("perSecond", perSecond, 0);
}

function requireInstant(nowMs: number): number {
  return requireNumber("nowMs", nowMs, 0);
}

function requireTokens(n: number): number {
  return requireInteger("n", n, 0);
}
