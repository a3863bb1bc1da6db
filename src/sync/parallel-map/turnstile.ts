/**
 * Lets tasks through one at a time, in the order of their numbers.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import { Waiter } from "../../core/waiter.ts";

/**
 * Invariant
 *   I1  Who has the number `#now` is through, or has yet to come: it does not wait.
 */
export class Turnstile {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #waiting = new Map<number, Waiter<void>>();
  #now = 0;

  /** Waits until all lower numbers have left; undefined if they have. */
  enter(number: number, options: CancelOptions): Promise<void> | undefined {
    if (number === this.#now) return undefined;
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const waiter = new Waiter<void>(this.#runtime, "turn", undefined, options);
    this.#waiting.set(number, waiter);
    return waiter.promise;
  }

  /** Who is through leaves: it is the next one's turn. */
  leave(): void {
    const next = this.#waiting.get(++this.#now);
    if (next === undefined) return;
    this.#waiting.delete(this.#now);
    next.grant();
  }
}
