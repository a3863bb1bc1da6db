/**
 * The memory of a table of counts: pages of one size, and a directory that says which page has which hashes. It belongs to
 * one thread, or is shared by several; it grows, or has the size that it has, and takes room when it is written to.
 *
 * Invariants
 *   I1  Pages below `top` were taken; those from `top` on are nobody's.
 *   I2  The directory has 2^bits places, one for each way in which the first bits of a hash can be. It changes under the
 *       eyes of whoever has the right to these hashes only.
 */

/** An entry has so many numbers of 32 bits. */
export const FIELDS = 8;
/** A page has 2^8 entries. */
export const PAGE_BITS = 8;
export const PAGE_ENTRIES: number = 1 << PAGE_BITS;
export const PAGE_INTS: number = PAGE_ENTRIES * FIELDS;
export const PAGE_BYTES: number = PAGE_INTS * 4;

/** What threads are given, so that each can make a {@link TableMemory} of it. */
export interface SharedPages {
  readonly data: SharedArrayBuffer;
  readonly index: SharedArrayBuffer;
  /** How many bits of a hash the directory looks at. */
  readonly bits: number;
}

/** Memory for so many pages, which takes room when it is written to. */
export function sharePages(pages: number): SharedPages {
  // One bit more than all pages would need if they were as full as each other, and two for those that are not.
  const bits = Math.min(Math.ceil(Math.log2(pages)) + 3, 22);
  return {
    data: new SharedArrayBuffer(pages * PAGE_BYTES),
    index: new SharedArrayBuffer((1 + (1 << bits) + pages) * 4),
    bits,
  };
}

export class TableMemory {
  readonly #mostPages: number;
  readonly #shared: boolean;
  #top: Int32Array;
  /** The same memory, as what lies in it. */
  ints: Int32Array;
  floats: Float64Array;
  bits: number;
  /** A page and how many bits its hashes have in common: `page << 5 | depth`. */
  directory: Int32Array;
  /** How many entries of a page are taken. */
  used: Int32Array;

  private constructor(shared: SharedPages | undefined, mostPages: number, pages: number) {
    this.#shared = shared !== undefined;
    this.#mostPages = mostPages;
    const data = shared?.data ?? new ArrayBuffer(pages * PAGE_BYTES);
    this.ints = new Int32Array(data);
    this.floats = new Float64Array(data);
    this.bits = shared?.bits ?? 1;
    const index = shared?.index ?? new ArrayBuffer((1 + (1 << this.bits) + pages) * 4);
    this.#top = new Int32Array(index, 0, 1);
    this.directory = new Int32Array(index, 4, 1 << this.bits);
    this.used = new Int32Array(index, 4 + (4 << this.bits));
  }

  /** Memory of its own, of at most so many bytes: grows, which copies what is there. */
  static growing(mostBytes: number): TableMemory {
    return new TableMemory(undefined, pagesOf(mostBytes), 1);
  }

  /** Memory of its own, of so many bytes: takes room when it is written to, if the system gives memory so. */
  static whole(bytes: number): TableMemory {
    return new TableMemory(undefined, pagesOf(bytes), pagesOf(bytes));
  }

  /** Memory that was made by {@link sharePages}. */
  static of(shared: SharedPages): TableMemory {
    const pages = shared.data.byteLength / PAGE_BYTES;
    return new TableMemory(shared, pages, pages);
  }

  /** How many pages there may be. */
  get most(): number {
    return this.#mostPages;
  }

  /** How many pages were taken. */
  get taken(): number {
    return Atomics.load(this.#top, 0);
  }

  /** Takes pages that lie one after the other; the first of them, or -1 if there are not so many left. */
  take(count: number): number {
    const first = Atomics.add(this.#top, 0, count);
    if (first + count > this.#mostPages) {
      Atomics.sub(this.#top, 0, count);
      return -1;
    }
    if (!this.#shared) this.#widen(first + count);
    return first;
  }

  /** Gives all pages back. */
  clear(): void {
    Atomics.store(this.#top, 0, 0);
  }

  /** Lets the directory look at one bit more, and says whether it could. */
  deepen(): boolean {
    if (this.#shared || this.bits === 22) return false;
    const directory = new Int32Array(this.directory.length * 2);
    for (const [at, place] of this.directory.entries()) directory.fill(place, 2 * at, 2 * at + 2);
    this.directory = directory;
    this.bits++;
    return true;
  }

  /** Room for so many pages at least, and the content as it was. */
  #widen(pages: number): void {
    if (pages <= this.used.length) return;
    const room = Math.min(this.#mostPages, Math.max(pages, this.used.length * 2));
    const data = new ArrayBuffer(room * PAGE_BYTES);
    const ints = new Int32Array(data);
    ints.set(this.ints);
    this.ints = ints;
    this.floats = new Float64Array(data);
    const used = new Int32Array(room);
    used.set(this.used);
    this.used = used;
  }
}

function pagesOf(bytes: number): number {
  return Math.max(1, Math.floor(bytes / PAGE_BYTES));
}
