/**
 * What a count has come to: in memory, or in runs on disk.
 *
 * Invariant
 *   I1  Once disposed of, it has no file and no folder, and gives nothing more.
 */
import { requireInteger } from "../../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../../core/cancellation.ts";
import { ClosedError } from "../../../core/errors.ts";
import { giveTurn } from "../../../core/fairness.ts";
import { currentRuntime, type Runtime } from "../../../core/runtime.ts";
import { sortEntries } from "../../../patterns/mapreduce/byte-counts/sort.ts";
import type { ByteTable } from "../../../patterns/mapreduce/byte-counts/table.ts";
import type { Run } from "../runs.ts";
import { Highest } from "./highest.ts";
import { type Keys, TableKeys } from "./keys-in-order.ts";
import { MergedCounts, sizeOfRuns } from "./runs-of-counts.ts";

/** A key with how often it came. */
export type KeyCount<K = string> = readonly [key: K, count: number];

/** What counts are made of. */
export interface CountsParts {
  readonly table: ByteTable;
  readonly runs: readonly Run[];
  readonly total: number;
  /** Sorts the entries of the table. */
  readonly sort: (options: CancelOptions) => Promise<readonly Int32Array[]>;
  /** Removes what is on disk. */
  readonly remove: () => Promise<void>;
}

/** So many keys go by between two looks at whether the host should have its turn. */
const KEYS_A_LOOK = 256;

/**
 * The keys that were counted, in the order of their bytes; made by `countBytes`.
 *
 * **Guarantees** It can be read as often as wanted, also by several at once, until it is disposed of. As text, the order is
 * that of code points; bytes that are no UTF-8 read as U+FFFD, so two keys may read alike: `bytes` tells them apart.
 * **Errors** `ClosedError` once it is disposed of.
 * **Cost** The first reader has the keys sorted, on as many threads as have counted.
 */
export class Counts implements AsyncIterable<KeyCount>, AsyncDisposable {
  /** The sum of all counts. */
  readonly total: number;
  /** How much is on disk, in bytes: 0 if all was counted in memory. */
  readonly spilledBytes: number;
  readonly #runtime: Runtime = currentRuntime();
  /** Undefined once it is disposed of. */
  #parts: CountsParts | undefined;
  #sorted: readonly Int32Array[] | undefined;

  /** @internal */
  constructor(parts: CountsParts) {
    this.#parts = parts;
    this.total = parts.total;
    this.spilledBytes = sizeOfRuns(parts.runs);
  }

  /** Every key as text, with its count. */
  [Symbol.asyncIterator](): AsyncGenerator<KeyCount, void, void> {
    return this.entries();
  }

  /** Every key as text, with its count. **Cancellation** The loop throws the reason of `signal`. */
  entries(options: CancelOptions = {}): AsyncGenerator<KeyCount, void, void> {
    return this.#read((key) => decoder.decode(key), options);
  }

  /** Every key as bytes, in an array of its own, with its count. **Cancellation** As of `entries`. */
  bytes(options: CancelOptions = {}): AsyncGenerator<KeyCount<Uint8Array>, void, void> {
    return this.#read((key) => key.slice(), options);
  }

  /** The `most` keys with the highest counts, the highest first; of equal counts, in the order of the keys. */
  async top(most: number, options: CancelOptions = {}): Promise<KeyCount[]> {
    requireInteger("most", most, 0);
    await rejectIfCancelled(options);
    const { table, runs } = this.#requireOpen();
    const highest = new Highest(most);
    if (runs.length > 0) await this.#forEach(runs, options, (keys) => highest.add(keys));
    else {
      for (const page of table.pages()) {
        highest.addPage(table, page);
        await this.#pause(options);
      }
    }
    return highest.all().map(([key, count]) => [decoder.decode(key), count]);
  }

  /** How many different keys there are. What is on disk is read for that. */
  async distinct(options: CancelOptions = {}): Promise<number> {
    await rejectIfCancelled(options);
    const { table, runs } = this.#requireOpen();
    if (runs.length === 0) return table.size;
    let distinct = 0;
    await this.#forEach(runs, options, () => void distinct++);
    return distinct;
  }

  /** Removes what is on disk, and lets go of the memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    this.#sorted = undefined;
    await parts?.remove();
  }

  async *#read<K>(
    make: (key: Uint8Array) => K,
    options: CancelOptions,
  ): AsyncGenerator<KeyCount<K>, void, void> {
    const keys = await this.#open(options);
    try {
      for (let left = KEYS_A_LOOK; keys.next(); left--) {
        if (left === 0) await this.#pause(options);
        if (left === 0) left = KEYS_A_LOOK;
        yield [make(keys.key), keys.count];
      }
    } finally {
      keys.close();
    }
  }

  /** Visits the keys of runs. */
  async #forEach(runs: readonly Run[], options: CancelOptions, visit: (keys: Keys) => void): Promise<void> {
    const keys = new MergedCounts(runs);
    try {
      for (let left = KEYS_A_LOOK; keys.next(); left--) {
        if (left === 0) await this.#pause(options);
        if (left === 0) left = KEYS_A_LOOK;
        visit(keys);
      }
    } finally {
      keys.close();
    }
  }

  /** Lets the host have its turn, and sees whether to go on. */
  async #pause(options: CancelOptions): Promise<void> {
    await giveTurn(this.#runtime);
    await rejectIfCancelled(options);
    this.#requireOpen();
  }

  /** All keys in their order. */
  async #open(options: CancelOptions): Promise<Keys> {
    await rejectIfCancelled(options);
    const { table, runs, sort } = this.#requireOpen();
    if (runs.length > 0) return new MergedCounts(runs);
    this.#sorted ??= table.size < FEW ? [inOrder(table)] : await sort(options);
    this.#requireOpen();
    return new TableKeys(table, this.#sorted);
  }

  #requireOpen(): CountsParts {
    if (this.#parts === undefined) throw new ClosedError("the counts have been disposed of");
    return this.#parts;
  }
}

/** So many are sorted here sooner than threads would have started. */
const FEW = 20_000;

function inOrder(table: ByteTable): Int32Array {
  const entries = table.entries();
  sortEntries(table.memory.ints, entries);
  return entries;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
