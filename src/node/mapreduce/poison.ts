/**
 * Records that end the thread they are mapped in. A thread says in shared memory at which record it is, and that is left
 * of it. Whoever was there twice is to blame; once may be chance.
 */
import type { SkippedRecord } from "./orders.ts";
import type { FileSplit } from "./splits.ts";

export class PoisonWatch {
  readonly #splits: readonly FileSplit[];
  readonly #most: number;
  /** Where the attempts at each split are. */
  readonly #places = new Map<string, Float64Array>();
  /** The record of each split at which a thread has died last. */
  readonly #suspects = new Map<number, number>();
  readonly #poisoned = new Map<number, SkippedRecord[]>();
  #count = 0;

  constructor(splits: readonly FileSplit[], most: number) {
    this.#splits = splits;
    this.#most = most;
  }

  /** Where an attempt is to say at which record it is; undefined if nothing may be skipped. */
  place(split: number, attempt: number): SharedArrayBuffer | undefined {
    if (this.#most === 0) return undefined;
    const place = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
    this.#places.set(`${split} ${attempt}`, new Float64Array(place).fill(Number.NaN));
    return place;
  }

  /** The records of a split that are not to be mapped any more. */
  of(split: number): readonly SkippedRecord[] {
    return this.#poisoned.get(split) ?? [];
  }

  /** A thread has died, or was too slow. Says whether a record was found that is to blame. */
  died(split: number, attempt: number, error: unknown): boolean {
    const [at = Number.NaN] = this.#places.get(`${split} ${attempt}`) ?? [];
    if (this.#suspects.get(split) !== at) {
      this.#suspects.set(split, at);
      return false;
    }
    if (this.#count === this.#most) return false;
    this.#count++;
    const { file } = this.#splits[split] as FileSplit;
    this.#poisoned.set(split, [...this.of(split), { file, at, error }]);
    return true;
  }
}
