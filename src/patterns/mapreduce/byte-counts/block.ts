/**
 * The block whose keys are counted: reads them where they lie, and hands them to a table as numbers.
 */
import { requireInteger } from "../../../core/arguments.ts";
import { HEAD_BYTES, hashOf, hashOfRest, part, SHORT_BYTES } from "./keys.ts";
import type { ByteTable } from "./table.ts";

/** A short key at the end of its block is copied to where sixteen bytes can be read. */
const scratch = new Uint8Array(2 * SHORT_BYTES);
const scratchView = new DataView(scratch.buffer);

export class Block {
  readonly #table: ByteTable;
  readonly #seed: number;
  readonly #full: (key: Uint8Array, times: number) => void;
  #bytes: Uint8Array = scratch;
  #view: DataView = scratchView;
  #size = 0;

  /** `full` is told of a key for which there is no room. */
  constructor(table: ByteTable, seed: number, full: (key: Uint8Array, times: number) => void) {
    this.#table = table;
    this.#seed = seed;
    this.#full = full;
  }

  /** From now on keys lie in these bytes. */
  set(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#size = bytes.length;
  }

  count(from: number, to: number, times: number): void {
    const length = to - from;
    if (!(from >= 0 && length >= 0 && to <= this.#size)) this.#refuse(from, to);
    if (times !== 1) requireInteger("times", times, 1);
    if (length > SHORT_BYTES) this.#countLong(this.#view, from, length, times);
    else if (from + SHORT_BYTES <= this.#size) this.#countShort(this.#view, from, length, times);
    else {
      scratch.set(this.#bytes.subarray(from, to));
      this.#countShort(scratchView, 0, length, times);
    }
  }

  #countShort(view: DataView, from: number, length: number, times: number): void {
    const k0 = part(view, from, length, 0);
    const k1 = part(view, from, length, 1);
    const k2 = part(view, from, length, 2);
    const k3 = part(view, from, length, 3);
    const hash = hashOf(this.#seed, k0, k1, k2, k3);
    if (!this.#table.addShort(hash, length, k0, k1, k2, k3, times)) this.#tellFull(view, from, length, times);
  }

  #countLong(view: DataView, from: number, length: number, times: number): void {
    const k0 = view.getInt32(from, true);
    const k1 = view.getInt32(from + 4, true);
    const k2 = view.getInt32(from + 8, true);
    const rest = from + HEAD_BYTES;
    const hash = hashOf(this.#seed, k0, k1, k2, hashOfRest(view, rest, from + length));
    if (!this.#table.addLong(hash, length, k0, k1, k2, view, rest, times))
      this.#tellFull(view, from, length, times);
  }

  #tellFull(view: DataView, from: number, length: number, times: number): void {
    this.#full(new Uint8Array(view.buffer, view.byteOffset + from, length), times);
  }

  #refuse(from: number, to: number): never {
    throw new RangeError(`a key must lie in its block of ${this.#size} bytes, got ${from} to ${to}`);
  }
}
