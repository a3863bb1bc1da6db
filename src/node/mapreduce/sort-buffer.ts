/**
 * Keys and values as bytes, in the order in which they came, until there are too many: then they are sorted by partition
 * and key, and written out.
 *
 * Invariants
 *   I1  Record `i` stands from `#starts[i]` to `#starts[i + 1]`; its value begins at `#values[i]`.
 *   I2  `#ranks[i]` is its partition and the first bytes of its key: records of different rank are in the order of ranks.
 */
import { join } from "node:path";
import { type Packed, roomForKey, roomForValue, writeKey, writeValue } from "./codec.ts";
import type { MapReduceKey } from "./job.ts";
import type { Spill } from "./orders.ts";
import { compareBytes, type RunRecord, RunWriter } from "./runs.ts";

/** A rank has 53 bits: 40 of the key, and so many partitions at most. */
export const MOST_PARTITIONS = 1000;
const PREFIX_BYTES = 5;
const PREFIXES = 2 ** (8 * PREFIX_BYTES);

/** What a record takes beside its bytes: starts, values, ranks; and an order, its copy and what a sort takes. */
const RECORD_BYTES = 4 + 4 + 8 + 4 + 4 + 16;
/** So many bytes has a record about, when it is guessed how many there will be. */
const USUAL_BYTES = 24;

export type Partitioner = (key: MapReduceKey, bytes: Uint8Array, from: number, to: number) => number;

export class SortBuffer {
  readonly #folder: string;
  readonly #partitions: number;
  readonly #partitionOf: Partitioner;
  readonly #capacity: number;
  readonly #starts: Uint32Array;
  readonly #values: Uint32Array;
  readonly #ranks: Float64Array;
  readonly #spills: Spill[] = [];
  #bytes: Uint8Array;
  #count = 0;

  constructor(folder: string, memoryBytes: number, partitions: number, partitionOf: Partitioner) {
    const records = Math.max(16, Math.floor(memoryBytes / (RECORD_BYTES + USUAL_BYTES)));
    this.#folder = folder;
    this.#partitions = partitions;
    this.#partitionOf = partitionOf;
    this.#capacity = records * USUAL_BYTES;
    this.#bytes = new Uint8Array(this.#capacity);
    this.#starts = new Uint32Array(records + 1);
    this.#values = new Uint32Array(records);
    this.#ranks = new Float64Array(records);
  }

  add(key: MapReduceKey, value: Packed): void {
    const room = roomForKey(key) + roomForValue(value);
    if (!this.#has(room)) this.#makeRoom(room);
    const at = this.#count;
    const bytes = this.#bytes;
    const start = this.#starts[at] as number;
    const valueAt = writeKey(key, bytes, start);
    this.#values[at] = valueAt;
    this.#starts[at + 1] = writeValue(value, bytes, valueAt);
    this.#ranks[at] =
      this.#partitionOf(key, bytes, start, valueAt) * PREFIXES + prefixOf(bytes, start, valueAt);
    this.#count++;
  }

  /** Writes what is left, and gives all that was written. */
  end(): readonly Spill[] {
    this.#spill();
    return this.#spills;
  }

  #has(room: number): boolean {
    const used = this.#starts[this.#count] as number;
    return this.#count < this.#values.length && used + room <= this.#bytes.length;
  }

  /** What is larger than all there is gets an array of its size, until that has been written. */
  #makeRoom(room: number): void {
    this.#spill();
    if (room > this.#bytes.length) this.#bytes = new Uint8Array(room);
    else if (this.#bytes.length > this.#capacity) this.#bytes = new Uint8Array(this.#capacity);
  }

  #spill(): void {
    if (this.#count === 0) return;
    const name = `${this.#spills.length}`;
    const writer = new RunWriter(join(this.#folder, name));
    try {
      const ends = this.#write(writer, this.#sorted());
      writer.end();
      this.#spills.push({ name, ends });
    } finally {
      writer.close();
    }
    this.#count = 0;
  }

  /** Writes the records in their order, and says where each partition ends. */
  #write(writer: RunWriter, order: Uint32Array): number[] {
    const ends: number[] = [];
    for (const index of order) {
      const partition = Math.floor((this.#ranks[index] as number) / PREFIXES);
      while (ends.length < partition) ends.push(writer.at);
      writer.copy(this.#record(index));
    }
    while (ends.length < this.#partitions) ends.push(writer.at);
    return ends;
  }

  #record(index: number): RunRecord {
    return {
      bytes: this.#bytes,
      keyAt: this.#starts[index] as number,
      valueAt: this.#values[index] as number,
      end: this.#starts[index + 1] as number,
    };
  }

  /** Those of one key stay in the order in which they came. */
  #sorted(): Uint32Array {
    const order = Uint32Array.from({ length: this.#count }, (_, index) => index);
    return order.toSorted((left, right) => this.#compare(left, right) || left - right);
  }

  #compare(left: number, right: number): number {
    const difference = (this.#ranks[left] as number) - (this.#ranks[right] as number);
    if (difference !== 0) return difference;
    const bytes = this.#bytes;
    const [starts, values] = [this.#starts, this.#values];
    return compareBytes(
      bytes,
      starts[left] as number,
      values[left] as number,
      bytes,
      starts[right] as number,
      values[right] as number,
    );
  }
}

/** The first bytes of a key as a number; a key that has less of them comes first. */
function prefixOf(bytes: Uint8Array, from: number, to: number): number {
  let prefix = 0;
  for (let at = from; at < from + PREFIX_BYTES; at++)
    prefix = prefix * 0x100 + (at < to ? (bytes[at] as number) : 0);
  return prefix;
}
