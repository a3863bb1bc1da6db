/**
 * Counts of keys that are bytes: a hash table with open addressing, whose entries lie so that finding a short key touches
 * one place in memory. It grows page by page: one that is full is split by the next bit of its hashes, so nothing ever
 * moves at large. Entries lie in the order of their hashes, pages in the directory and, but for those that had to give way,
 * entries in a page: so pouring one table into another goes through both from the front to the end.
 *
 * Invariants
 *   I1  At most three quarters of a page are taken; a free entry has a length of 0.
 *   I2  Every place of the directory that a page's hashes lead to leads to it.
 */
import { HEAD_BYTES, restOf, SHORT_BYTES, tail } from "./keys.ts";
import { FIELDS, PAGE_BITS, PAGE_ENTRIES, PAGE_INTS, type TableMemory } from "./memory.ts";

/** The fields of an entry. A count is a number of 64 bits, in place of two. */
export const HASH = 0;
/** One more than the length, so that a key may be empty. */
export const LENGTH = 1;
export const COUNT = 2;
export const KEY = 4;
/** Of a long key: where in memory its bytes behind {@link HEAD_BYTES} are, as the number of an integer. */
export const REST = 7;

export const FULL: number = (PAGE_ENTRIES * 3) / 4;
const LAST = PAGE_ENTRIES - 1;
/** Of a hash whose bits for the directory are gone, the first ones say where in a page its entry is. */
const SLOT_SHIFT = 32 - PAGE_BITS;

export class ByteTable {
  readonly memory: TableMemory;
  /** What {@link TableMemory} has, closer at hand. */
  #ints!: Int32Array;
  #floats!: Float64Array;
  #directory!: Int32Array;
  #used!: Int32Array;
  #shift!: number;
  /** Where the rest of the next long key goes, and where there is no more room for one. */
  #restAt = 0;
  #restEnd = 0;
  readonly #split = new Int32Array(PAGE_INTS);

  constructor(memory: TableMemory) {
    this.memory = memory;
    this.#look();
  }

  /** Begins with 2^depth pages, and no entry. Whoever shares the memory looks at it only after that. */
  begin(depth: number): void {
    const { memory } = this;
    memory.clear();
    this.#restAt = 0;
    this.#restEnd = 0;
    const first = memory.take(1 << depth);
    while (memory.bits < depth && memory.deepen());
    this.#look();
    const span = this.#directory.length >> depth;
    this.#ints.fill(0, first * PAGE_INTS, (first + (1 << depth)) * PAGE_INTS);
    this.#used.fill(0, first, first + (1 << depth));
    for (let index = 0; index < 1 << depth; index++) {
      this.#directory.fill(((first + index) << 5) | depth, index * span, (index + 1) * span);
    }
  }

  /** Adds to the count of a key that is as a whole in these four numbers. False if there is no room for it. */
  addShort(
    hash: number,
    length: number,
    k0: number,
    k1: number,
    k2: number,
    k3: number,
    times: number,
  ): boolean {
    for (;;) {
      const ints = this.#ints;
      const place = this.#directory[hash >>> this.#shift] as number;
      const base = (place >>> 5) * PAGE_INTS;
      let slot = (hash << (place & 31)) >>> SLOT_SHIFT;
      let at = base + slot * FIELDS;
      for (let held = ints[at + LENGTH]; held !== 0; held = ints[at + LENGTH]) {
        if (
          ints[at] === hash &&
          held === length + 1 &&
          ints[at + KEY] === k0 &&
          ints[at + KEY + 1] === k1 &&
          ints[at + KEY + 2] === k2 &&
          ints[at + KEY + 3] === k3
        ) {
          this.#addTo(at, times);
          return true;
        }
        slot = (slot + 1) & LAST;
        at = base + slot * FIELDS;
      }
      if (this.#fill(at, place, hash, length, times)) {
        ints[at + KEY] = k0;
        ints[at + KEY + 1] = k1;
        ints[at + KEY + 2] = k2;
        ints[at + KEY + 3] = k3;
        return true;
      }
      if (!this.#splitPage(place, hash)) return false;
    }
  }

  /** Adds to the count of a key of which twelve bytes are in these numbers, and the rest is in `view` from `from` on. */
  addLong(
    hash: number,
    length: number,
    k0: number,
    k1: number,
    k2: number,
    view: DataView,
    from: number,
    times: number,
  ): boolean {
    for (;;) {
      const place = this.#directory[hash >>> this.#shift] as number;
      const base = (place >>> 5) * PAGE_INTS;
      let slot = (hash << (place & 31)) >>> SLOT_SHIFT;
      let at = base + slot * FIELDS;
      let ints = this.#ints;
      for (let held = ints[at + LENGTH]; held !== 0; held = ints[at + LENGTH]) {
        if (
          ints[at] === hash &&
          held === length + 1 &&
          ints[at + KEY] === k0 &&
          ints[at + KEY + 1] === k1 &&
          ints[at + KEY + 2] === k2 &&
          this.#holds(ints[at + REST] as number, view, from, length - HEAD_BYTES)
        ) {
          this.#addTo(at, times);
          return true;
        }
        slot = (slot + 1) & LAST;
        at = base + slot * FIELDS;
      }
      if ((this.#used[place >>> 5] as number) < FULL) {
        const rest = this.#keep(view, from, length - HEAD_BYTES);
        if (rest === -1) return false;
        ints = this.#ints;
        this.#fill(at, place, hash, length, times);
        ints[at + KEY] = k0;
        ints[at + KEY + 1] = k1;
        ints[at + KEY + 2] = k2;
        ints[at + REST] = rest;
        return true;
      }
      if (!this.#splitPage(place, hash)) return false;
    }
  }

  /** The first integer of each page in use, in the order of their hashes: of those from `from` of `of` equal parts on. */
  *pages(part = 0, of = 1): Generator<number, void> {
    const { directory, bits } = this.memory;
    const end = Math.floor((directory.length * (part + 1)) / of);
    for (let index = Math.floor((directory.length * part) / of); index < end; ) {
      const place = directory[index] as number;
      yield (place >>> 5) * PAGE_INTS;
      index += 1 << (bits - (place & 31));
    }
  }

  /** Adds an entry of another table. False if there is no room for it. */
  addFrom(ints: Int32Array, at: number, times: number): boolean {
    const hash = ints[at + HASH] as number;
    const length = (ints[at + LENGTH] as number) - 1;
    const k0 = ints[at + KEY] as number;
    const k1 = ints[at + KEY + 1] as number;
    const k2 = ints[at + KEY + 2] as number;
    if (length <= SHORT_BYTES)
      return this.addShort(hash, length, k0, k1, k2, ints[at + KEY + 3] as number, times);
    return this.addLong(hash, length, k0, k1, k2, restOf(ints, ints[at + REST] as number, length), 0, times);
  }

  /** The numbers of all entries that have a count, of one of `of` equal parts of the hashes. */
  entries(part = 0, of = 1): Int32Array<ArrayBuffer> {
    const { ints, floats, used } = this.memory;
    let most = 0;
    for (const page of this.pages(part, of)) most += used[page / PAGE_INTS] as number;
    const entries = new Int32Array(most);
    let size = 0;
    for (const page of this.pages(part, of)) {
      for (let at = page; at < page + PAGE_INTS; at += FIELDS) {
        if (ints[at + LENGTH] !== 0 && floats[(at + COUNT) >> 1] !== 0) entries[size++] = at / FIELDS;
      }
    }
    return entries.subarray(0, size);
  }

  /** How many keys there are. */
  get size(): number {
    let size = 0;
    for (const page of this.pages()) size += this.memory.used[page / PAGE_INTS] as number;
    return size;
  }

  #look(): void {
    const { ints, floats, directory, used, bits } = this.memory;
    this.#ints = ints;
    this.#floats = floats;
    this.#directory = directory;
    this.#used = used;
    this.#shift = 32 - bits;
  }

  #addTo(at: number, times: number): void {
    const index = (at + COUNT) >> 1;
    this.#floats[index] = (this.#floats[index] as number) + times;
  }

  /** Fills a free entry, but for its key, if its page may have one more. */
  #fill(at: number, place: number, hash: number, length: number, times: number): boolean {
    const page = place >>> 5;
    const used = this.#used[page] as number;
    if (used >= FULL) return false;
    this.#used[page] = used + 1;
    this.#ints[at + HASH] = hash;
    this.#ints[at + LENGTH] = length + 1;
    this.#floats[(at + COUNT) >> 1] = times;
    return true;
  }

  /** Whether the rest of a key that is held is the one in `view`, given that both are as long. */
  #holds(rest: number, view: DataView, from: number, length: number): boolean {
    const ints = this.#ints;
    const end = from + length;
    let at = from;
    let held = rest;
    for (; at + 4 <= end; at += 4, held++) if (ints[held] !== view.getInt32(at, true)) return false;
    return at === end || ints[held] === tail(view, at, end);
  }

  /** Keeps the rest of a key; where, or -1 if there is no room. */
  #keep(view: DataView, from: number, length: number): number {
    const size = (length + 3) >> 2;
    if (size > this.#restEnd - this.#restAt) {
      const pages = Math.ceil(size / PAGE_INTS);
      const first = this.memory.take(pages);
      if (first === -1) return -1;
      this.#look();
      this.#restAt = first * PAGE_INTS;
      this.#restEnd = (first + pages) * PAGE_INTS;
    }
    const rest = this.#restAt;
    const end = from + length;
    let at = from;
    for (; at + 4 <= end; at += 4) this.#ints[this.#restAt++] = view.getInt32(at, true);
    if (at < end) this.#ints[this.#restAt++] = tail(view, at, end);
    return rest;
  }

  /** What is free has no length, whatever else is there: a loop that writes those takes less than to fill all. */
  #clear(page: number): void {
    const ints = this.#ints;
    const end = (page + 1) * PAGE_INTS;
    for (let at = page * PAGE_INTS + LENGTH; at < end; at += FIELDS) ints[at] = 0;
    this.#used[page] = 0;
  }

  /** Moves those entries of a page whose next bit is set to a new one. False if there is no room, or no next bit. */
  #splitPage(place: number, hash: number): boolean {
    const { memory } = this;
    const depth = place & 31;
    if (depth === memory.bits && !memory.deepen()) return false;
    const page = place >>> 5;
    const other = memory.take(1);
    this.#look();
    if (other === -1) return false;
    this.#split.set(this.#ints.subarray(page * PAGE_INTS, (page + 1) * PAGE_INTS));
    this.#clear(page);
    this.#clear(other);
    const span = 1 << (memory.bits - depth);
    const first = depth === 0 ? 0 : (hash >>> (32 - depth)) * span;
    this.#directory.fill((page << 5) | (depth + 1), first, first + span / 2);
    this.#directory.fill((other << 5) | (depth + 1), first + span / 2, first + span);
    this.#spread(depth, page, other);
    return true;
  }

  /** Puts the entries of the page that is split where they belong now. */
  #spread(depth: number, page: number, other: number): void {
    const ints = this.#ints;
    const entries = this.#split;
    for (let from = 0; from < PAGE_INTS; from += FIELDS) {
      if (entries[from + LENGTH] === 0) continue;
      const hash = entries[from + HASH] as number;
      const to = (hash << depth) >>> 31 === 0 ? page : other;
      let slot = (hash << (depth + 1)) >>> SLOT_SHIFT;
      while (ints[to * PAGE_INTS + slot * FIELDS + LENGTH] !== 0) slot = (slot + 1) & LAST;
      const at = to * PAGE_INTS + slot * FIELDS;
      for (let field = 0; field < FIELDS; field++) ints[at + field] = entries[from + field] as number;
      this.#used[to] = (this.#used[to] as number) + 1;
    }
  }
}
