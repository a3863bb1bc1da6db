/**
 * Runs: records of bytes on disk, sorted by key. A record is a key and a value; before them stand their lengths. Several
 * runs may follow each other in one file.
 *
 * All of it is synchronous, as it is for threads, and what a disk cannot do comes out as the system's error.
 */
import { MisuseError } from "../../core/errors.ts";
import { OpenFile } from "./open-file.ts";

/** A run: what stands in a file from `from` up to, but not including, `to`. */
export interface Run {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** A record, in an array that has others too: its key up to `valueAt`, and then its value. */
export interface RunRecord {
  readonly bytes: Uint8Array;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly end: number;
}

const BUFFER_BYTES = 1 << 16;
/** Two lengths of up to 2^35, 7 bits a byte. */
const LENGTHS_BYTES = 10;

/** The order of keys: that of their bytes, and what begins another comes before it. */
export function compareKeys(left: RunRecord, right: RunRecord): number {
  return compareBytes(left.bytes, left.keyAt, left.valueAt, right.bytes, right.keyAt, right.valueAt);
}

/** The order of bytes, of which each stand in an array from an index up to another. */
export function compareBytes(
  left: Uint8Array,
  leftFrom: number,
  leftTo: number,
  right: Uint8Array,
  rightFrom: number,
  rightTo: number,
): number {
  const stop = leftFrom + Math.min(leftTo - leftFrom, rightTo - rightFrom);
  for (let leftAt = leftFrom, rightAt = rightFrom; leftAt < stop; leftAt++, rightAt++) {
    const difference = (left[leftAt] as number) - (right[rightAt] as number);
    if (difference !== 0) return difference;
  }
  return leftTo - leftFrom - (rightTo - rightFrom);
}

/** Writes a file that nobody else can read, and that must not be there yet. Whoever writes keeps to the order of keys. */
export class RunWriter {
  readonly #file: OpenFile;
  readonly #buffer: Uint8Array;
  #size = 0;
  #flushed = 0;

  constructor(file: string, bufferBytes: number = BUFFER_BYTES) {
    this.#buffer = new Uint8Array(Math.max(bufferBytes, LENGTHS_BYTES));
    this.#file = OpenFile.toWrite(file, 0o600);
  }

  /** Its path. */
  get file(): string {
    return this.#file.path;
  }

  /** How many bytes have been written: where the next record, or run, begins. */
  get at(): number {
    return this.#flushed + this.#size;
  }

  /** Writes a record as it stands. */
  copy({ bytes, keyAt, valueAt, end }: RunRecord): void {
    this.#lengths(valueAt - keyAt, end - valueAt);
    this.#put(bytes, keyAt, end);
  }

  /** Writes a record of a key and a value that stand apart. */
  write(key: Uint8Array, value: Uint8Array): void {
    this.#lengths(key.length, value.length);
    this.#put(key, 0, key.length);
    this.#put(value, 0, value.length);
  }

  /** Writes what is left, and closes the file. */
  end(): void {
    this.#flush();
    this.close();
  }

  /** Closes the file, whatever of it is written; does nothing the second time. */
  close(): void {
    this.#file.close();
  }

  #lengths(key: number, value: number): void {
    if (this.#buffer.length - this.#size < LENGTHS_BYTES) this.#flush();
    this.#length(key);
    this.#length(value);
  }

  #length(length: number): void {
    let left = length;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#buffer[this.#size++] = (left % 0x80) | 0x80;
    this.#buffer[this.#size++] = left;
  }

  #put(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (size > this.#buffer.length - this.#size) this.#flush();
    if (size > this.#buffer.length) this.#writeOut(bytes, from, to);
    else if (size > 32) {
      this.#buffer.set(bytes.subarray(from, to), this.#size);
      this.#size += size;
    } else for (let at = from; at < to; at++) this.#buffer[this.#size++] = bytes[at] as number;
  }

  #flush(): void {
    const size = this.#size;
    this.#size = 0;
    this.#writeOut(this.#buffer, 0, size);
  }

  #writeOut(bytes: Uint8Array, from: number, to: number): void {
    this.#file.write(bytes, from, to);
    this.#flushed += to - from;
  }
}

/**
 * Reads a run, one record after the other; it is the record that it stands at. Memory: a buffer, and the longest record
 * if that is longer. The file is opened with the first record.
 */
export class RunReader implements RunRecord {
  readonly #run: Run;
  readonly #bufferBytes: number;
  #file: OpenFile | undefined;
  #fileAt: number;
  #size = 0;
  #at = 0;
  bytes: Uint8Array = nothing;
  keyAt = 0;
  valueAt = 0;
  end = 0;

  constructor(run: Run, bufferBytes: number = BUFFER_BYTES) {
    this.#run = run;
    this.#bufferBytes = Math.max(bufferBytes, LENGTHS_BYTES);
    this.#fileAt = run.from;
  }

  /** The key, good until the next record. */
  get key(): Uint8Array {
    return this.bytes.subarray(this.keyAt, this.valueAt);
  }

  /** The value, good until the next record. */
  get value(): Uint8Array {
    return this.bytes.subarray(this.valueAt, this.end);
  }

  /** Goes on to the next record, and says whether there is one. At the end the file is closed. */
  next(): boolean {
    this.#at = this.end;
    if (this.#size - this.#at < LENGTHS_BYTES) this.#refill(LENGTHS_BYTES);
    if (this.#at === this.#size) {
      this.close();
      return false;
    }
    const keySize = this.#length();
    const size = keySize + this.#length();
    if (size > this.#size - this.#at) {
      this.#refill(size);
      if (size > this.#size) throw new MisuseError(`${this.#run.file} ends in the midst of a record`);
    }
    this.keyAt = this.#at;
    this.valueAt = this.#at + keySize;
    this.end = this.#at + size;
    return true;
  }

  /** Closes the file; does nothing the second time. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #length(): number {
    let length = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.bytes[this.#at++] as number;
      if (byte < 0x80) return length + byte * factor;
      length += (byte & 0x7f) * factor;
    }
  }

  /** Reads on, so that `wanted` bytes are there, or all that are left. What was read before is moved to the front. */
  #refill(wanted: number): void {
    const left = this.bytes.subarray(this.#at, this.#size);
    const missing = this.#run.to - this.#fileAt;
    if (missing === 0) return;
    const capacity = Math.max(this.#bufferBytes, wanted);
    if (this.bytes.length < capacity) {
      this.bytes = new Uint8Array(capacity);
      this.bytes.set(left);
    } else this.bytes.copyWithin(0, this.#at, this.#size);
    this.#file ??= OpenFile.toRead(this.#run.file);
    const room = this.bytes.subarray(left.length, Math.min(this.bytes.length, left.length + missing));
    const read = this.#file.read(room, this.#fileAt);
    if (read < room.length) throw new MisuseError(`${this.#run.file} is shorter than it was written`);
    this.#fileAt += read;
    this.#at = 0;
    this.end = 0;
    this.#size = left.length + read;
  }
}

const nothing = new Uint8Array(0);
