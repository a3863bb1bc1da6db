/**
 * Counts keys that are slices of bytes: a string is made of none of them.
 */
import { requireFunction } from "../../core/arguments.ts";
import { pick } from "../../core/random.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { isPending } from "../../core/task.ts";
import { Block, type BlockOwner } from "./byte-counts/block.ts";
import { type CountKey, counterOf, type Tally } from "./byte-counts/counter.ts";
import { FIELDS, TableMemory } from "./byte-counts/memory.ts";
import { keyOf, sortEntries } from "./byte-counts/sort.ts";
import { ByteTable, COUNT } from "./byte-counts/table.ts";

export type { CountKey, Tally } from "./byte-counts/counter.ts";

/** More than that no array of bytes can have everywhere. */
const MOST_BYTES = 2 ** 31 - 2 ** 16;

/**
 * How often keys came that are slices of bytes: words of a text, say.
 *
 * **Guarantees** Keys are compared by their bytes. Counts are exact up to 2^53.
 * **Errors** `RangeError` if the keys take more than some 2 GB.
 * **Cost** Some 10 ns a key of up to 16 bytes, more for longer ones; 32 bytes of memory for a different key, of which some
 * room is free, and what it has beyond 16 bytes.
 * **Not for** files that fill more than one core with work: see `countBytes` of `threads/mapreduce/count`.
 * **Source** Extendible hashing of R. Fagin and others (1979).
 *
 * @example
 * const counts = new ByteCounts();
 * const digits = (block: Uint8Array, count: CountKey): void => {
 *   for (let at = 0; at < block.length; at++) count(at, at + 1);
 * };
 * counts.add(new TextEncoder().encode("31337"), digits);
 * const found = Array.from(counts.sorted(), ([key, times]) => `${String.fromCharCode(...key)}: ${times}`);
 * found; //=> ["1: 1", "3: 3", "7: 1"]
 */
export class ByteCounts {
  readonly #table = new ByteTable(TableMemory.growing(MOST_BYTES));
  readonly #block: Block;
  readonly #counter: CountKey;

  constructor() {
    const owner: BlockOwner = { makeRoom: refuse, tooLong: refuse };
    this.#block = new Block(this.#table, pick(currentRuntime().random, 2 ** 32) | 0, owner);
    this.#counter = counterOf(this.#block);
    this.clear();
  }

  /** How many different keys there are. */
  get size(): number {
    return this.#table.size;
  }

  /** Counts the keys of a block: those for which `tally` calls `count`. It may change the block, and must not wait. */
  add(block: Uint8Array, tally: Tally): void {
    requireFunction("tally", tally);
    this.#block.set(block);
    try {
      const given: unknown = tally(block, this.#counter);
      if (isPending(given)) throw new TypeError("tally must not wait, got a promise");
    } finally {
      this.#block.end();
    }
  }

  /** All keys in the order of their bytes, each in an array of its own, with their counts. */
  *sorted(): Generator<readonly [key: Uint8Array, count: number], void> {
    const { ints, floats } = this.#table.memory;
    const entries = this.#table.entries();
    sortEntries(ints, entries);
    for (const entry of entries) {
      yield [keyOf(ints, entry), floats[(entry * FIELDS + COUNT) >> 1] as number];
    }
  }

  /** Forgets all keys. Their memory is kept. */
  clear(): void {
    this.#table.begin(0);
  }
}

function refuse(): never {
  throw new RangeError("the keys take more memory than there may be");
}
