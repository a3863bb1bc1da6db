/**
 * Keeps retries from multiplying the load on a server that cannot carry what it has.
 *
 * Invariant
 *   I1  0 <= balance <= capacity. Of `n` calls, at most `capacity + share * n` are followed by a retry.
 */
import { requireNumber } from "../../core/arguments.ts";

/** Sums of shares such as 0.1 are not exact: ten of them must still make a token. */
const ROUNDING = 1e-9;

/** How many retries a budget allows. */
export interface RetryBudgetOptions {
  /** How many retries each call pays for: at least 0; default 0.1, so one in ten. */
  readonly share?: number | undefined;
  /** How many retries can be saved up, and how many there are to begin with: at least 1; default 10. */
  readonly capacity?: number | undefined;
}

/**
 * Allows retries up to a share of the calls. Make one for each server, and share it among all who call that server.
 *
 * When everything fails, three attempts a call are three times the load, at the worst moment, and with three layers of
 * callers it is 27 times. A budget of a tenth makes it 1.1 times.
 *
 * **Guarantees** Among any `n` calls in a row there are at most `capacity + share * n` retries. A `hedge` inside a `retry`
 * is a call of its own with each attempt.
 * **Cost** Two numbers, no clock and no timer.
 * **Source** Finagle's `RetryBudget`; gRPC's retry throttling (proposal A6).
 *
 * @example
 * const budget = new RetryBudget({ share: 0.5, capacity: 1 });
 * budget.tryWithdraw(); //=> true
 * budget.tryWithdraw(); //=> false
 * budget.deposit();
 * budget.deposit();
 * budget.tryWithdraw(); //=> true
 */
export class RetryBudget {
  readonly #share: number;
  readonly #capacity: number;
  #balance: number;

  constructor(options: RetryBudgetOptions = {}) {
    this.#share = requireNumber("share", options.share ?? 0.1, 0);
    this.#capacity = requireNumber("capacity", options.capacity ?? 10, 1);
    this.#balance = this.#capacity;
  }

  /** How many retries it would allow now. */
  get balance(): number {
    return this.#balance;
  }

  /** A call has begun: it pays its share. */
  deposit(): void {
    this.#balance = Math.min(this.#capacity, this.#balance + this.#share);
  }

  /** Takes a retry out; false if there is none left. */
  tryWithdraw(): boolean {
    if (this.#balance < 1 - ROUNDING) return false;
    this.#balance = Math.max(0, this.#balance - 1);
    return true;
  }
}
