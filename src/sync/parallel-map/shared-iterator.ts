/**
 * A synchronous source that several workers take from: each takes what it works on, and no task reads ahead for them.
 */
import { outcomeOf, valueOf } from "../../core/task.ts";
import { withSuppressed } from "../../core/errors.ts";
import type { Received } from "../ports.ts";

/**
 * Invariant
 *   I1  The iterator is told to finish at most once, and never after it has ended by itself.
 */
export class SharedIterator<T> {
  readonly #iterator: Iterator<T>;
  #state: "open" | "ended" = "open";

  constructor(iterator: Iterator<T>) {
    this.#iterator = iterator;
  }

  /** The next value, or the end. */
  next(): Received<T> {
    if (this.#state === "ended") return { value: undefined, done: true };
    // Whatever goes wrong in it ends it.
    this.#state = "ended";
    const next = this.#iterator.next();
    if (next.done === true) return { value: undefined, done: true };
    this.#state = "open";
    return next;
  }

  /** Runs what reads it, then finishes it, however that has ended. */
  async readBy(reading: () => Promise<void>): Promise<void> {
    const read = await outcomeOf(reading);
    const finished = await outcomeOf(() => this.#finish());
    if (!read.ok) throw withSuppressed(read.error, finished.ok ? [] : [finished.error]);
    valueOf(finished);
  }

  #finish(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#iterator.return?.();
  }
}
