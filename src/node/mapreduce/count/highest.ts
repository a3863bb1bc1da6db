/**
 * The keys with the highest counts, of however many: keeps some more than are wanted, so that all are never sorted.
 */
import { FIELDS, PAGE_INTS } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import { keyOf } from "../../../patterns/mapreduce/byte-counts/sort.ts";
import { type ByteTable, COUNT, LENGTH } from "../../../patterns/mapreduce/byte-counts/table.ts";
import { compareBytes } from "../runs.ts";
import type { Keys } from "./keys-in-order.ts";

export class Highest {
  readonly #most: number;
  #kept: (readonly [key: Uint8Array, count: number])[] = [];
  /** A count that is lower is not among the highest. */
  #least = 1;

  constructor(most: number) {
    this.#most = most;
  }

  /** A key is made of those only that may be among the highest. */
  add(keys: Keys): void {
    const { count } = keys;
    if (count >= this.#least) this.#keep(keys.key.slice(), count);
  }

  /** Adds those of a page of a table. */
  addPage({ memory }: ByteTable, page: number): void {
    const { ints, floats } = memory;
    for (let at = page; at < page + PAGE_INTS; at += FIELDS) {
      if (ints[at + LENGTH] === 0) continue;
      const count = floats[(at + COUNT) >> 1] as number;
      if (count >= this.#least) this.#keep(keyOf(ints, at / FIELDS), count);
    }
  }

  /** The highest first; of equal counts, in the order of the keys. */
  all(): readonly (readonly [key: Uint8Array, count: number])[] {
    this.#cut();
    return this.#kept;
  }

  #keep(key: Uint8Array, count: number): void {
    this.#kept.push([key, count]);
    if (this.#kept.length >= 2 * this.#most + 1024) this.#cut();
  }

  #cut(): void {
    this.#kept.sort((left, right) => right[1] - left[1] || compareKeyBytes(left[0], right[0]));
    this.#kept.length = Math.min(this.#kept.length, this.#most);
    if (this.#kept.length === this.#most) this.#least = this.#kept.at(-1)?.[1] ?? Number.POSITIVE_INFINITY;
  }
}

function compareKeyBytes(left: Uint8Array, right: Uint8Array): number {
  return compareBytes(left, 0, left.length, right, 0, right.length);
}
