/**
 * Does now and then what would be too much every time: a line in the log, a sample.
 */
import { requireDuration, requireInteger } from "../../core/arguments.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";

/** When it is time. Each is a reason of its own, and 0 is none; without any, only the first time. */
export interface SometimesOptions {
  /** The first so many times. */
  readonly first?: number | undefined;
  /** Every so many times, beginning with the first. */
  readonly every?: number | undefined;
  /** When so long has passed since the last time that it was time. */
  readonly intervalMs?: number | undefined;
}

/**
 * Says whether it is time to do something that is asked for more often than it is to be done.
 *
 * **Guarantees** The first time, it is.
 * **Cost** O(1), no timer.
 * **Source** `Sometimes` of golang.org/x/time/rate.
 *
 * @example
 * const sampled = new Sometimes({ first: 2, every: 4 });
 * const due = [1, 2, 3, 4, 5].filter(() => sampled.due());
 * due; //=> [1, 2, 5]
 */
export class Sometimes {
  readonly #runtime: Runtime = currentRuntime();
  readonly #first: number;
  readonly #every: number;
  readonly #intervalMs: number;
  #asked = 0;
  #lastMs = 0;

  constructor({ first = 0, every = 0, intervalMs = Number.POSITIVE_INFINITY }: SometimesOptions = {}) {
    this.#first = requireInteger("first", first, 0);
    this.#every = requireInteger("every", every, 0);
    this.#intervalMs = requireDuration("intervalMs", intervalMs);
  }

  /** Whether it is time. Counts as a time that it was asked. */
  due(): boolean {
    const asked = this.#asked++;
    const nowMs = this.#runtime.clock.now();
    const counted = asked === 0 || asked < this.#first || (this.#every > 0 && asked % this.#every === 0);
    const due = counted || (this.#intervalMs > 0 && nowMs - this.#lastMs >= this.#intervalMs);
    if (due) this.#lastMs = nowMs;
    return due;
  }
}
