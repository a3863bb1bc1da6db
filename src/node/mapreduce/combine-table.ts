/**
 * One value a key: what comes is merged with what is there, until the table takes too much memory. Then all go on.
 *
 * Invariant
 *   I1  `#bytes` is about what the table takes, or more: a merged value counts as what it was merged from, until all are
 *       measured anew.
 */
import { pack } from "./codec.ts";
import type { MapReduceKey } from "./job.ts";
import { sizeOf } from "./size.ts";
import type { SortBuffer } from "./sort-buffer.ts";

interface Entry {
  value: unknown;
}

/** A place in a `Map`, and the object with the value. */
const ENTRY_BYTES = 96;
/** A `Map` takes 2^24 keys. */
const MOST_KEYS = 1 << 23;

export class CombineTable {
  readonly #combine: (left: unknown, right: unknown) => unknown;
  readonly #next: SortBuffer;
  readonly #memoryBytes: number;
  readonly #entries = new Map<MapReduceKey, Entry>();
  #bytes = 0;

  constructor(combine: (left: unknown, right: unknown) => unknown, memoryBytes: number, next: SortBuffer) {
    this.#combine = combine;
    this.#memoryBytes = memoryBytes;
    this.#next = next;
  }

  add(key: MapReduceKey, value: unknown): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(own(key), { value: typeof value === "string" ? own(value) : value });
      this.#bytes += ENTRY_BYTES + sizeOf(key) + sizeOf(value);
    } else {
      entry.value = this.#combine(entry.value, value);
      if (typeof value === "number") return;
      this.#bytes += sizeOf(value);
    }
    if (this.#bytes > this.#memoryBytes || this.#entries.size >= MOST_KEYS) this.#full();
  }

  /** Hands all on. */
  end(): void {
    for (const [key, { value }] of this.#entries) this.#next.add(key, pack(value));
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Merging may have left little of what came: then there is room for more of it. */
  #full(): void {
    let bytes = 0;
    for (const [key, { value }] of this.#entries) bytes += ENTRY_BYTES + sizeOf(key) + sizeOf(value);
    this.#bytes = bytes;
    if (bytes > this.#memoryBytes / 2) this.end();
  }
}

/** A longer string that was cut out of another one keeps that in memory. */
const LONGEST_COPIED = 12;

/** A string that shares its memory with no longer one. Of two parts that were put together, an engine makes a new one. */
function own<T extends MapReduceKey>(text: T): T {
  if (typeof text !== "string" || text.length <= LONGEST_COPIED) return text;
  return JSON.parse(JSON.stringify(text)) as T;
}
