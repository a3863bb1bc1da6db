/**
 * A first-in-first-out queue of values in one array that is used as a ring.
 *
 * Invariants
 *   I1  The array's length is a power of two, so `& mask` wraps an index.
 *   I2  The `size` values start at `head` and lie in order; every other slot is undefined,
 *       so a value that was taken is not kept alive.
 *
 * It grows by doubling and never shrinks. `Array.shift` is no substitute: it is linear in the length.
 */
export class RingBuffer<T> {
  #slots: (T | undefined)[] = emptySlots(8);
  #head = 0;
  #size = 0;

  /** How many values it holds. */
  get size(): number {
    return this.#size;
  }

  /** The oldest value, left where it is. */
  get first(): T | undefined {
    return this.#slots[this.#head];
  }

  /** The value at a place, counted from the oldest. The caller has seen that there is one. */
  at(index: number): T {
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)] as T;
  }

  /** Puts another value in the place of one. */
  set(index: number, value: T): void {
    this.#slots[(this.#head + index) & (this.#slots.length - 1)] = value;
  }

  /** Adds a value at the end. Amortised O(1). */
  push(value: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.set(this.#size++, value);
  }

  /** Takes the oldest value. The caller has seen that there is one: an empty ring is not told from `undefined`. */
  shift(): T {
    const value = this.#slots[this.#head] as T;
    this.#slots[this.#head] = undefined;
    if (this.#size > 0) {
      this.#head = (this.#head + 1) & (this.#slots.length - 1);
      this.#size--;
    }
    return value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots = emptySlots(8);
    this.#head = 0;
    this.#size = 0;
  }

  #grow(): void {
    const wider = emptySlots<T>(this.#slots.length * 2);
    for (let i = 0; i < this.#size; i++) wider[i] = this.at(i);
    this.#slots = wider;
    this.#head = 0;
  }
}

function emptySlots<T>(length: number): (T | undefined)[] {
  return Array.from({ length });
}
