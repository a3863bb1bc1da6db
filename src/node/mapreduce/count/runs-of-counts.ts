/**
 * Counts on disk: runs whose records are a key and how often it came.
 */
import { sortEntries, lengthOf, writeKey } from "../../../patterns/mapreduce/byte-counts/sort.ts";
import { COUNT, type ByteTable } from "../../../patterns/mapreduce/byte-counts/table.ts";
import { FIELDS } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import { RunMerge } from "../merge.ts";
import { compareKeys, type Run, type RunRecord, RunWriter } from "../runs.ts";

const COUNT_BYTES = 8;

/** Writes runs of counts to one file, which it makes for the first of them. */
export class CountWriter {
  readonly runs: Run[] = [];
  readonly #file: string;
  readonly #value = new Uint8Array(COUNT_BYTES);
  readonly #valueView = new DataView(this.#value.buffer);
  #key = new DataView(new ArrayBuffer(1024));
  #writer: RunWriter | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** A run of the entries of a table, which it sorts. */
  writeEntries(table: ByteTable, entries: Int32Array): void {
    const { ints, floats } = table.memory;
    sortEntries(ints, entries);
    this.#run((write) => {
      for (const entry of entries) {
        write(this.#keyOf(ints, entry), floats[(entry * FIELDS + COUNT) >> 1] as number);
      }
    });
  }

  /** A run of one key. */
  writeOne(key: Uint8Array, count: number): void {
    this.#run((write) => write(key, count));
  }

  /** A run of what is in several. */
  writeMerged(runs: readonly Run[]): void {
    const merged = new MergedCounts(runs);
    try {
      this.#run((write) => {
        while (merged.next()) write(merged.key, merged.count);
      });
    } finally {
      merged.close();
    }
  }

  /** Closes the file; its runs are whole if nothing was thrown. */
  close(): void {
    this.#writer?.end();
  }

  #run(fill: (write: (key: Uint8Array, count: number) => void) => void): void {
    this.#writer ??= new RunWriter(this.#file);
    const writer = this.#writer;
    const from = writer.at;
    fill((key, count) => {
      this.#valueView.setFloat64(0, count, true);
      writer.write(key, this.#value);
    });
    if (writer.at > from) this.runs.push({ file: this.#file, from, to: writer.at });
  }

  #keyOf(ints: Int32Array, entry: number): Uint8Array {
    const length = lengthOf(ints, entry);
    if (this.#key.byteLength < length + 3) this.#key = new DataView(new ArrayBuffer(2 * length));
    writeKey(ints, entry, this.#key, 0);
    return new Uint8Array(this.#key.buffer, 0, length);
  }
}

/** The keys of several runs in their order, each with its counts added up. */
export class MergedCounts {
  readonly #merge: RunMerge;
  #next: RunRecord | undefined;
  #state: "new" | "started" = "new";
  /** Good until the next key. */
  #record: RunRecord = { bytes: new Uint8Array(0), keyAt: 0, valueAt: 0, end: 0 };
  count = 0;

  constructor(runs: readonly Run[]) {
    this.#merge = new RunMerge(runs);
  }

  get key(): Uint8Array {
    return this.#record.bytes.subarray(this.#record.keyAt, this.#record.valueAt);
  }

  /** Goes on to the next key, and says whether there is one. */
  next(): boolean {
    if (this.#state === "new") this.#next = this.#merge.next();
    this.#state = "started";
    if (this.#next === undefined) return false;
    this.#keep(this.#next);
    this.count = 0;
    do {
      this.count += countOf(this.#next);
      this.#next = this.#merge.next();
    } while (this.#next !== undefined && compareKeys(this.#next, this.#record) === 0);
    return true;
  }

  close(): void {
    this.#merge.close();
  }

  /** What is read goes on to the next record, and the key is needed beyond that. */
  #keep({ bytes, keyAt, valueAt }: RunRecord): void {
    const size = valueAt - keyAt;
    const kept = this.#record.bytes.length < size ? new Uint8Array(2 * size) : this.#record.bytes;
    kept.set(bytes.subarray(keyAt, valueAt));
    this.#record = { bytes: kept, keyAt: 0, valueAt: size, end: size };
  }
}

function countOf({ bytes, valueAt }: RunRecord): number {
  return new DataView(bytes.buffer, bytes.byteOffset + valueAt, COUNT_BYTES).getFloat64(0, true);
}

/** How many bytes they have on disk. */
export function sizeOfRuns(runs: readonly Run[]): number {
  return runs.reduce((sum, { from, to }) => sum + to - from, 0);
}
