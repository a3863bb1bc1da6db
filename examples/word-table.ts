/**
 * Counts words on the bytes of a text: a string is made once a different word, not once a word.
 *
 * A hash table with open addressing, whose entries are laid out so that looking up a short word touches one place in
 * memory: eight numbers of 32 bits, the last three of which are the first twelve bytes of the word.
 */
import { FOLDED, spaceWidth, wordOf } from "./words.ts";

/** The fields of an entry. */
const HASH = 0;
const LENGTH = 1;
const COUNT = 2;
const WORD = 3;
const REST = 4;
const NEAR = 5;
const FIELDS = 8;
const NEAR_BYTES = (FIELDS - NEAR) * 4;

export class WordTable {
  /** At most half of the entries are taken; a free one has a length of 0. */
  #entries = new Int32Array(FIELDS << 13);
  /** The same memory, for the bytes that lie in it. */
  #near = new Uint8Array(this.#entries.buffer);
  /** What long words have beyond {@link NEAR_BYTES}, one after the other. */
  #rests = new Uint8Array(1 << 16);
  #restsUsed = 0;
  readonly #words: string[] = [];
  #addedBytes = 0;

  /** How many bytes were added since the last {@link takeAll}. Counts have 31 bits: take before there are that many. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  /** Counts the words of a text. Changes the text to lower case, as far as it is ASCII. */
  add(text: Uint8Array): void {
    const end = text.length;
    this.#addedBytes += end;
    for (let at = 0; at < end; ) {
      const start = at;
      let hash = 0;
      let space = 1;
      for (; at < end; at++) {
        const byte = FOLDED[text[at] as number] as number;
        if (byte === 0x20) break;
        if (byte >= 0xc2 && byte <= 0xe3) {
          const width = spaceWidth(text, at);
          if (width > 0) {
            space = width;
            break;
          }
        }
        text[at] = byte;
        hash = Math.imul(hash ^ byte, 0x0100_0193);
      }
      if (at > start) this.#addWord(text, start, at, hash ^ (hash >>> 15));
      at += space;
    }
  }

  /**
   * Calls `visit` with every word since the last time, and how often it came, then begins to count anew. In the order in
   * which the words first came. A word may be visited several times: once for each way to write it.
   */
  takeAll(visit: (word: string, count: number) => void): void {
    const entries = this.#entries;
    const counts = new Int32Array(this.#words.length);
    for (let entry = 0; entry < entries.length; entry += FIELDS) {
      if (entries[entry + LENGTH] === 0) continue;
      counts[entries[entry + WORD] as number] = entries[entry + COUNT] as number;
      entries[entry + COUNT] = 0;
    }
    for (const [index, word] of this.#words.entries()) {
      const count = counts[index] as number;
      if (count > 0) visit(word, count);
    }
    this.#addedBytes = 0;
  }

  #addWord(text: Uint8Array, start: number, end: number, hash: number): void {
    const entries = this.#entries;
    const length = end - start;
    let entry = (hash * FIELDS) & (entries.length - 1);
    while (entries[entry + LENGTH] !== 0) {
      if (
        entries[entry + HASH] === hash &&
        entries[entry + LENGTH] === length &&
        this.#holds(entry, text, start, end)
      ) {
        entries[entry + COUNT] = (entries[entry + COUNT] as number) + 1;
        return;
      }
      entry = (entry + FIELDS) & (entries.length - 1);
    }
    entries[entry + HASH] = hash;
    this.#insert(entry, text.subarray(start, end));
  }

  /** Whether an entry holds the word that lies at `start` in `text`, given that both are as long. */
  #holds(entry: number, text: Uint8Array, start: number, end: number): boolean {
    const near = this.#near;
    const nearEnd = Math.min(end, start + NEAR_BYTES);
    let at = start;
    for (let index = (entry + NEAR) * 4; at < nearEnd; at++, index++) {
      if (near[index] !== text[at]) return false;
    }
    const rests = this.#rests;
    for (let index = (this.#entries[entry + REST] as number) >>> 0; at < end; at++, index++) {
      if (rests[index] !== text[at]) return false;
    }
    return true;
  }

  #insert(entry: number, word: Uint8Array): void {
    const entries = this.#entries;
    entries[entry + LENGTH] = word.length;
    entries[entry + COUNT] = 1;
    entries[entry + WORD] = this.#words.push(wordOf(word)) - 1;
    entries[entry + REST] = this.#restsUsed;
    this.#near.set(word.subarray(0, NEAR_BYTES), (entry + NEAR) * 4);
    if (word.length > NEAR_BYTES) this.#keepRest(word.subarray(NEAR_BYTES));
    if (this.#words.length * 2 * FIELDS > entries.length) this.#widen();
  }

  #keepRest(rest: Uint8Array): void {
    const needed = this.#restsUsed + rest.length;
    if (needed > this.#rests.length) {
      const wider = new Uint8Array(needed * 2);
      wider.set(this.#rests);
      this.#rests = wider;
    }
    this.#rests.set(rest, this.#restsUsed);
    this.#restsUsed = needed;
  }

  /** Twice as many entries: every one gets a new place. */
  #widen(): void {
    const old = this.#entries;
    const entries = new Int32Array(old.length * 2);
    for (let from = 0; from < old.length; from += FIELDS) {
      if (old[from + LENGTH] === 0) continue;
      let entry = ((old[from + HASH] as number) * FIELDS) & (entries.length - 1);
      while (entries[entry + LENGTH] !== 0) entry = (entry + FIELDS) & (entries.length - 1);
      for (let field = 0; field < FIELDS; field++) entries[entry + field] = old[from + field] as number;
    }
    this.#entries = entries;
    this.#near = new Uint8Array(entries.buffer);
  }
}
