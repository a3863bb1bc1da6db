/**
 * Tokens for a later instant, as the one who holds them sees them.
 */

/**
 * What `RateLimiter.reserve` gives: a promise that the holder may act from some instant on.
 *
 * **Units and ranges** Instants and delays are milliseconds of `now()`. Each method has a form that takes the instant.
 * **Source** golang.org/x/time/rate.
 *
 * @example
 * const limiter = new RateLimiter({ perSecond: 10, burst: 1 });
 * limiter.reserveAt(0).delayFrom(0); //=> 0
 * const second = limiter.reserveAt(0);
 * second.cancelAt(50);
 * [second.ok, second.delayFrom(0), limiter.reserveAt(50).delayFrom(50)]; //=> [true, 100, 50]
 */
export class Reservation {
  /** Whether there will be tokens. If not, nothing was taken, and the delay is infinite. */
  readonly ok: boolean;
  /** The instant from which on the holder may act. */
  readonly timeToActMs: number;
  readonly #now: () => number;
  #giveBack: ((nowMs: number) => void) | undefined;

  /** Made by a `RateLimiter`. Without an instant it was refused. @internal */
  constructor(timeToActMs: number | undefined, now: () => number, giveBack?: (nowMs: number) => void) {
    this.ok = timeToActMs !== undefined;
    this.timeToActMs = timeToActMs ?? Number.POSITIVE_INFINITY;
    this.#now = now;
    this.#giveBack = giveBack;
  }

  /** How long the holder must wait before it may act. */
  get delayMs(): number {
    return this.delayFrom(this.#now());
  }

  /** The same, counted from `nowMs`. */
  delayFrom(nowMs: number): number {
    return Math.max(0, this.timeToActMs - nowMs);
  }

  /**
   * The holder will not act: its tokens go back, but for those reserved behind it, whose instants are fixed. Does
   * nothing if its time has passed or it was refused, and nothing the second time: in Go that gives back twice.
   */
  cancel(): void {
    this.cancelAt(this.#now());
  }

  /** The same at `nowMs`. */
  cancelAt(nowMs: number): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.(nowMs);
  }
}
