/**
 * The block whose keys are counted: reads them where they lie, and hands them to a table as numbers.
 */
import { requireInteger } from "../../../core/arguments.ts";
import { MisuseError } from "../../../core/errors.ts";
import { HEAD_BYTES, hashOf, hashOfRest, MASKS, SHORT_BYTES } from "./keys.ts";
import type { ByteTable } from "./table.ts";

/** A short key at the end of its block is copied to where sixteen bytes can be read. */
const scratch = new Uint8Array(2 * SHORT_BYTES);
const scratchView = new DataView(scratch.buffer);

/** Whose block it is. */
export interface BlockOwner {
  /** The table is full: empties it, or throws. */
  makeRoom(): void;
  /** There is no room for this key in an empty table either. */
  tooLong(key: Uint8Array, times: number): void;
}

export class Block {
  readonly #table: ByteTable;
  readonly #seed: number;
  readonly #owner: BlockOwner;
  #bytes: Uint8Array = scratch;
  #view: DataView = scratchView;
  /** -1 if there is no block. */
  #size = -1;

  constructor(table: ByteTable, seed: number, owner: BlockOwner) {
    this.#table = table;
    this.#seed = seed;
    this.#owner = owner;
  }

  /** There are no more keys to count. */
  end(): void {
    this.#bytes = scratch;
    this.#view = scratchView;
    this.#size = -1;
  }

  /** From now on keys lie in these bytes. */
  set(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#size = bytes.length;
  }

  /** Counts a key that lies in another array. */
  countKey(key: Uint8Array, times: number): void {
    if (this.#size < 0) this.#refuse(0, key.length);
    if (times !== 1) requireInteger("times", times, 1);
    if (key.length <= SHORT_BYTES) {
      scratch.set(key);
      this.#countShort(scratchView, 0, key.length, times);
    } else this.#countLong(new DataView(key.buffer, key.byteOffset, key.byteLength), 0, key.length, times);
  }

  /** Counts a key of the block. */
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
    const mask = 4 * length;
    const k0 = view.getInt32(from, true) & (MASKS[mask] as number);
    const k1 = view.getInt32(from + 4, true) & (MASKS[mask + 1] as number);
    const k2 = view.getInt32(from + 8, true) & (MASKS[mask + 2] as number);
    const k3 = view.getInt32(from + 12, true) & (MASKS[mask + 3] as number);
    const hash = hashOf(this.#seed, k0, k1, k2, k3);
    if (this.#table.addShort(hash, length, k0, k1, k2, k3, times)) return;
    this.#owner.makeRoom();
    this.#table.addShort(hash, length, k0, k1, k2, k3, times);
  }

  #countLong(view: DataView, from: number, length: number, times: number): void {
    const k0 = view.getInt32(from, true);
    const k1 = view.getInt32(from + 4, true);
    const k2 = view.getInt32(from + 8, true);
    const rest = from + HEAD_BYTES;
    const hash = hashOf(this.#seed, k0, k1, k2, hashOfRest(view, rest, from + length));
    if (this.#table.addLong(hash, length, k0, k1, k2, view, rest, times)) return;
    this.#owner.makeRoom();
    if (!this.#table.addLong(hash, length, k0, k1, k2, view, rest, times))
      this.#owner.tooLong(new Uint8Array(view.buffer, view.byteOffset + from, length), times);
  }

  #refuse(from: number, to: number): never {
    if (this.#size < 0) throw new MisuseError("a key is counted after its tally has ended");
    throw new RangeError(`a key must lie in its block of ${this.#size} bytes, got ${from} to ${to}`);
  }
}
