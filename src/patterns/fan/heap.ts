/**
 * A binary heap: gives the least item first.
 *
 * Invariant
 *   I1  No item comes before the one above it: that at `(index - 1) >> 1`.
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (left: T, right: T) => number;

  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare;
  }

  /** Adds an item. O(log size). */
  push(item: T): void {
    let index = this.#items.push(item) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, above)) return;
      index = above;
    }
  }

  /** Takes the least item; undefined if there is none. O(log size). */
  shift(): T | undefined {
    const least = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length === 0) return least;
    this.#items[0] = last as T;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const lesser = left + 1 < this.#items.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (lesser >= this.#items.length || !this.#swapIfBefore(lesser, index)) break;
      index = lesser;
    }
    return least;
  }

  #isBefore(index: number, other: number): boolean {
    return this.#compare(this.#items[index] as T, this.#items[other] as T) < 0;
  }

  #swapIfBefore(index: number, above: number): boolean {
    if (!this.#isBefore(index, above)) return false;
    const item = this.#items[index] as T;
    this.#items[index] = this.#items[above] as T;
    this.#items[above] = item;
    return true;
  }
}
