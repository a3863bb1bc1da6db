/**
 * A list that only grows, and is read once, when it is whole.
 *
 * Invariant
 *   I1  All chunks but the last are full, and the last is not.
 *
 * One array that grows is copied to a larger one whenever it is full, and memory for all of these has to be fetched:
 * for 100,000 values that took twice as long.
 */

/** So many values in a chunk; chunks of 1024 took as long. The last step passes each chunk as an argument. */
const CHUNK = 4096;

export class GrowingList<T> {
  readonly #chunks: T[][] = [[]];
  #last: T[] = this.#chunks[0] as T[];

  /** How many values it holds. */
  get size(): number {
    return (this.#chunks.length - 1) * CHUNK + this.#last.length;
  }

  /** Puts a value at the end. */
  push(value: T): void {
    if (this.#last.push(value) < CHUNK) return;
    this.#last = [];
    this.#chunks.push(this.#last);
  }

  /** Replaces a value. The caller has seen that there is one. */
  set(index: number, value: T): void {
    (this.#chunks[Math.floor(index / CHUNK)] as T[])[index % CHUNK] = value;
  }

  /** All values, in one array. */
  toArray(): T[] {
    return this.#chunks.length === 1 ? this.#last : ([] as T[]).concat(...this.#chunks);
  }
}
