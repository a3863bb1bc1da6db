/**
 * The keys of runs, each with its values, one key after the other.
 */
import { ConcurrencyError } from "../../core/errors.ts";
import { bytesOfValue, readKey, readValue } from "./codec.ts";
import type { AnyJob, MapReduceKey } from "./job.ts";
import { RunMerge } from "./merge.ts";
import { compareBytes, type Run, type RunReader, type RunWriter } from "./runs.ts";

/** What a value in an array takes, beside its bytes, which may take twice as much as an object or a string. */
const VALUE_BYTES = 16;

export class KeyGroups {
  readonly #merge: RunMerge;
  /** The record at which the runs are, and whether it has been given to anybody. */
  #record: RunReader | undefined;
  #state: "seen" | "taken" = "taken";
  /** The bytes of the key that it is about. */
  #key: Uint8Array = new Uint8Array(0);

  constructor(runs: readonly Run[], bufferBytes: number) {
    this.#merge = new RunMerge(runs, bufferBytes);
  }

  /** The bytes of the key that it is at. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** Goes on to the next key, and gives it; undefined at the end. Values of the one before that were not taken are left out. */
  next(): MapReduceKey | undefined {
    while (this.#next() !== undefined);
    if (this.#record === undefined) return undefined;
    this.#key = this.#record.key.slice();
    return readKey(this.#key);
  }

  /** The values of the key, each once. */
  *values(): Generator<unknown, void> {
    for (let record = this.#next(); record !== undefined; record = this.#next())
      yield readValue(record.value);
  }

  /** The values of the key in an array. */
  array(memoryBytes: number): unknown[] {
    const values: unknown[] = [];
    let size = 0;
    for (let record = this.#next(); record !== undefined; record = this.#next()) {
      size += VALUE_BYTES + 2 * (record.end - record.valueAt);
      if (size > memoryBytes) throw tooMany(readKey(this.#key), memoryBytes);
      values.push(readValue(record.value));
    }
    return values;
  }

  /** The values of the key, merged into one. */
  merged(combine: (left: unknown, right: unknown) => unknown): unknown {
    let merged: unknown;
    let count = 0;
    for (let record = this.#next(); record !== undefined; record = this.#next()) {
      const value = readValue(record.value);
      merged = count++ === 0 ? value : combine(merged, value);
    }
    return merged;
  }

  /** Writes the key with its values; if they can be merged, with one. */
  copyTo(writer: RunWriter, combine: AnyJob["combine"]): void {
    if (combine !== undefined) writer.write(this.#key, bytesOfValue(this.merged(combine)));
    else for (let record = this.#next(); record !== undefined; record = this.#next()) writer.copy(record);
  }

  close(): void {
    this.#merge.close();
  }

  /** The next record of the key. It is good until the one after it is asked for. */
  #next(): RunReader | undefined {
    if (this.#state === "taken") this.#record = this.#merge.next();
    this.#state = "seen";
    const record = this.#record;
    const key = this.#key;
    if (record === undefined) return undefined;
    if (compareBytes(key, 0, key.length, record.bytes, record.keyAt, record.valueAt) !== 0) return undefined;
    this.#state = "taken";
    return record;
  }
}

function tooMany(key: MapReduceKey, memoryBytes: number): ConcurrencyError {
  const text =
    `the values of key ${JSON.stringify(key)} do not fit in the ${memoryBytes} bytes of a thread: ` +
    'export a `combine`, or `values = "iterable"`';
  return new ConcurrencyError("LIMIT", text);
}
