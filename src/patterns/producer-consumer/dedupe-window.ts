/**
 * Remembers for a while what has been seen, so that the same thing is not done twice.
 *
 * Invariants
 *   I1  Ids stand in the order in which they were added, and so in that in which they are forgotten.
 *   I2  There are never more than `capacity` of them.
 */
import { requireInteger, requirePositive } from "../../core/arguments.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";

/** What a window remembers. */
export interface DedupeWindowOptions {
  /** For how long an id is remembered, in milliseconds: above 0, `Infinity` allowed. */
  readonly windowMs: number;
  /** How many ids are remembered at most: at least 1; default 100,000. Beyond that, the oldest is forgotten. */
  readonly capacity?: number | undefined;
}

/**
 * A window of ids that were seen: idempotency keys of requests, ids of messages.
 *
 * **Guarantees** Of all who add an id within the window, one is told that it was first. An id is forgotten `windowMs`
 * after it was added; seeing it again does not keep it.
 * **Cost** O(1) amortised, and no timer: what is too old goes with the next call.
 * **Not for** exactly-once across processes or restarts: it forgets with the process.
 *
 * @example
 * const seen = new DedupeWindow<string>({ windowMs: 60_000 });
 * ["a", "b", "a"].map((id) => seen.add(id)); //=> [true, true, false]
 */
export class DedupeWindow<K> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #windowMs: number;
  readonly #capacity: number;
  /** When each was added. */
  readonly #seen = new Map<K, number>();

  constructor(options: DedupeWindowOptions) {
    this.#windowMs = requirePositive("windowMs", options.windowMs);
    this.#capacity = requireInteger("capacity", options.capacity ?? 100_000, 1);
  }

  /** How many ids it remembers. */
  get size(): number {
    this.#forget();
    return this.#seen.size;
  }

  /** Whether an id was added within the window. */
  has(id: K): boolean {
    this.#forget();
    return this.#seen.has(id);
  }

  /** Adds an id, and says whether it is the first of its kind within the window. */
  add(id: K): boolean {
    if (this.has(id)) return false;
    if (this.#seen.size === this.#capacity) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    this.#seen.set(id, this.#runtime.clock.now());
    return true;
  }

  /** Forgets an id, because what it stood for was not done after all. Says whether it was there. */
  delete(id: K): boolean {
    return this.#seen.delete(id);
  }

  #forget(): void {
    const oldestMs = this.#runtime.clock.now() - this.#windowMs;
    for (const [id, addedMs] of this.#seen) {
      if (addedMs > oldestMs) return;
      this.#seen.delete(id);
    }
  }
}
