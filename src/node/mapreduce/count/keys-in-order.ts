/**
 * Keys one after the other, each with its count: of a table, or of runs.
 */
import { FIELDS } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import { compareEntries, lengthOf, writeKey } from "../../../patterns/mapreduce/byte-counts/sort.ts";
import { type ByteTable, COUNT } from "../../../patterns/mapreduce/byte-counts/table.ts";

/** Where keys come from. It stands at one of them, and what it says of it is good until the next. */
export interface Keys {
  readonly key: Uint8Array;
  readonly count: number;
  /** Goes on to the next key, and says whether there is one. */
  next(): boolean;
  /** Lets go of files. */
  close(): void;
}

/** The keys of a table, of which each list has some, in its order: in the order of all, if each list is in order. */
export class TableKeys implements Keys {
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;
  /** Those of which something is left. */
  #lists: List[];
  /** The one that has the key at which this stands. */
  #at: List | undefined;
  #view = new DataView(new ArrayBuffer(1024));

  constructor({ memory }: ByteTable, lists: readonly Int32Array[]) {
    this.#ints = memory.ints;
    this.#floats = memory.floats;
    this.#lists = lists.map((entries) => ({ entries, index: -1 })).filter(goOn);
  }

  get key(): Uint8Array {
    const entry = entryOf(this.#at);
    const length = lengthOf(this.#ints, entry);
    if (this.#view.byteLength < length + 3) this.#view = new DataView(new ArrayBuffer(2 * length));
    writeKey(this.#ints, entry, this.#view, 0);
    return new Uint8Array(this.#view.buffer, 0, length);
  }

  get count(): number {
    return this.#floats[(entryOf(this.#at) * FIELDS + COUNT) >> 1] as number;
  }

  next(): boolean {
    const at = this.#at;
    if (at !== undefined && !goOn(at)) this.#lists = this.#lists.filter((list) => list !== at);
    let [first] = this.#lists;
    for (const list of this.#lists) {
      if (list !== first && compareEntries(this.#ints, entryOf(list), entryOf(first)) < 0) first = list;
    }
    this.#at = first;
    return first !== undefined;
  }

  close(): void {}
}

/** Entries, and which of them is next. */
interface List {
  readonly entries: Int32Array;
  index: number;
}

function goOn(list: List): boolean {
  return ++list.index < list.entries.length;
}

function entryOf(list: List | undefined): number {
  return list?.entries[list.index] as number;
}
