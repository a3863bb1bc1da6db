/**
 * Sorts entries by the bytes of their keys: four bytes at a time, as numbers, which the machine sorts by itself. A number
 * of 64 bits has room for four bytes and for which entry they are of; those that are equal are sorted by the next four.
 */
import { HEAD_BYTES, SHORT_BYTES } from "./keys.ts";
import { FIELDS } from "./memory.ts";
import { KEY, LENGTH, REST } from "./table.ts";

/** So many entries can be told apart beside four bytes of a key. */
const INDEX_BITS = 21;
const INDEXES = 2 ** INDEX_BITS;
/** Fewer are sorted by looking at whole keys. */
const FEW = 12;

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** How many times four bytes are equal. */
  readonly depth: number;
}

/** Which entries of a memory, by their numbers: `ints` has each at {@link FIELDS} times that. Sorts them in place. */
export function sortEntries(ints: Int32Array, entries: Int32Array, mostAtOnce: number = INDEXES): void {
  new Sorter(ints, entries, Math.min(mostAtOnce, INDEXES)).sort();
}

class Sorter {
  readonly #ints: Int32Array;
  readonly #entries: Int32Array;
  readonly #numbers: Float64Array;
  readonly #moved: Int32Array;
  readonly #mostAtOnce: number;
  readonly #open: Stretch[];

  constructor(ints: Int32Array, entries: Int32Array, mostAtOnce: number) {
    this.#ints = ints;
    this.#entries = entries;
    this.#mostAtOnce = mostAtOnce;
    const room = Math.min(entries.length, mostAtOnce);
    this.#numbers = new Float64Array(room);
    this.#moved = new Int32Array(room);
    this.#open = [{ from: 0, to: entries.length, depth: 0 }];
  }

  /** No recursion: keys may begin alike for as long as they like. */
  sort(): void {
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      const size = next.to - next.from;
      if (size <= FEW) this.#insert(next);
      else if (size > this.#mostAtOnce) this.#halve(next);
      else this.#sortNumbers(next);
    }
  }

  #sortNumbers({ from, to, depth }: Stretch): void {
    const entries = this.#entries;
    const numbers = this.#numbers.subarray(0, to - from);
    for (let index = 0; index < numbers.length; index++)
      numbers[index] = fourBytes(this.#ints, entries[from + index] as number, depth) * INDEXES + index;
    numbers.sort();
    this.#moved.set(entries.subarray(from, to));
    let equalFrom = from;
    let last = -1;
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index] as number;
      const bytes = Math.floor(number / INDEXES);
      entries[from + index] = this.#moved[number - bytes * INDEXES] as number;
      if (bytes === last) continue;
      this.#go({ from: equalFrom, to: from + index, depth });
      equalFrom = from + index;
      last = bytes;
    }
    this.#go({ from: equalFrom, to, depth });
  }

  /** Too many at once: those that are less than one of them, that are equal to it, and that are more. */
  #halve({ from, to, depth }: Stretch): void {
    const entries = this.#entries;
    const ints = this.#ints;
    const pivot = fourBytes(ints, entries[(from + to) >> 1] as number, depth);
    let below = from;
    let above = to;
    for (let at = from; at < above; ) {
      const entry = entries[at] as number;
      const bytes = fourBytes(ints, entry, depth);
      if (bytes === pivot) at++;
      else if (bytes < pivot) {
        entries[at++] = entries[below] as number;
        entries[below++] = entry;
      } else {
        entries[at] = entries[--above] as number;
        entries[above] = entry;
      }
    }
    this.#open.push({ from, to: below, depth }, { from: above, to, depth });
    this.#go({ from: below, to: above, depth });
  }

  /** Of these, four more bytes are equal. Keys that have ended come first, the shorter before the longer. */
  #go({ from, to, depth }: Stretch): void {
    if (to - from < 2) return;
    const entries = this.#entries;
    const end = 4 * (depth + 1);
    let ended = from;
    for (let at = from; at < to; at++) {
      const entry = entries[at] as number;
      if (lengthOf(this.#ints, entry) > end) continue;
      entries[at] = entries[ended] as number;
      entries[ended++] = entry;
    }
    if (ended > from + 1) this.#insert({ from, to: ended, depth });
    if (to > ended + 1) this.#open.push({ from: ended, to, depth: depth + 1 });
  }

  #insert({ from, to, depth }: Stretch): void {
    const entries = this.#entries;
    for (let next = from + 1; next < to; next++) {
      const entry = entries[next] as number;
      let at = next;
      for (; at > from; at--) {
        const before = entries[at - 1] as number;
        if (compareFrom(this.#ints, before, entry, depth) <= 0) break;
        entries[at] = before;
      }
      entries[at] = entry;
    }
  }
}

/** The order of two keys of a memory: that of their bytes; what begins another comes before it. */
export function compareEntries(ints: Int32Array, left: number, right: number): number {
  return compareFrom(ints, left, right, 0);
}

function compareFrom(ints: Int32Array, left: number, right: number, depth: number): number {
  const leftLength = lengthOf(ints, left);
  const rightLength = lengthOf(ints, right);
  const shared = Math.min(leftLength, rightLength);
  for (let at = depth; 4 * at < shared; at++) {
    const difference = fourBytes(ints, left, at) - fourBytes(ints, right, at);
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** How many bytes the key of an entry has. */
export function lengthOf(ints: Int32Array, entry: number): number {
  return (ints[entry * FIELDS + LENGTH] as number) - 1;
}

/** Four bytes of a key as a number that is greater if they are; zeros behind its end. */
function fourBytes(ints: Int32Array, entry: number, depth: number): number {
  const number = numberOf(ints, entry, depth);
  return ((number << 24) | ((number & 0xff00) << 8) | ((number >>> 8) & 0xff00) | (number >>> 24)) >>> 0;
}

/** Four bytes of a key as they are held: the first of them is the lowest of the number. */
function numberOf(ints: Int32Array, entry: number, depth: number): number {
  const at = entry * FIELDS;
  const length = lengthOf(ints, entry);
  if (4 * depth >= length) return 0;
  const inEntry = length <= SHORT_BYTES || 4 * depth < HEAD_BYTES;
  const index = inEntry ? at + KEY + depth : (ints[at + REST] as number) + depth - HEAD_BYTES / 4;
  return ints[index] as number;
}

/** The key of an entry, in an array of its own. */
export function keyOf(ints: Int32Array, entry: number): Uint8Array {
  const key = new DataView(new ArrayBuffer(lengthOf(ints, entry) + 3));
  return new Uint8Array(key.buffer, 0, writeKey(ints, entry, key, 0));
}

/** Writes the key of an entry where there is room for it, and up to three bytes more; says where it ends. */
export function writeKey(ints: Int32Array, entry: number, bytes: DataView, from: number): number {
  const length = lengthOf(ints, entry);
  for (let at = 0; at < length; at += 4) bytes.setInt32(from + at, numberOf(ints, entry, at >> 2), true);
  return from + length;
}
