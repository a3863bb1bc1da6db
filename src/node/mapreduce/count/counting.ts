/**
 * Counts in a thread: the keys of some splits in a table of its own, which is then poured into the one that all share. What
 * there is no room for goes to disk.
 *
 * Invariants
 *   I1  Nothing of a call is in the shared table before all its splits are counted; then all of it is, or in its runs.
 *   I2  The table of its own has the parts of the shared one: none of its pages has hashes of two.
 */
import { isPending } from "../../../core/task.ts";
import { beginLike } from "../../../patterns/mapreduce/byte-counts/begin-like.ts";
import { Block, type BlockOwner } from "../../../patterns/mapreduce/byte-counts/block.ts";
import { counterOf, type Tally } from "../../../patterns/mapreduce/byte-counts/counter.ts";
import { FIELDS, PAGE_INTS, TableMemory } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import { COUNT, ByteTable, LENGTH } from "../../../patterns/mapreduce/byte-counts/table.ts";
import type { Run } from "../runs.ts";
import { type FileSplit, linesOf } from "../splits.ts";
import { CountWriter } from "./runs-of-counts.ts";
import {
  goOn,
  lock,
  markPouring,
  PART_BITS,
  PARTS,
  type SharedCounts,
  sharedTable,
  unlock,
} from "./shared.ts";

/** Some splits to count. */
export interface CountJob {
  /** The address of the module, and the name of its function. */
  readonly module: string;
  readonly tally: string;
  readonly splits: readonly FileSplit[];
  readonly shared: SharedCounts;
  /** Its number among the calls of one time. */
  readonly lane: number;
  /** So much the table of the thread may take, and a block of lines, in bytes. */
  readonly ownBytes: number;
  readonly blockBytes: number;
  /** Where runs go; there is no such file. */
  readonly file: string;
  readonly seed: number;
}

/** What came of them. */
export interface Counted {
  /** What the counts come to, all together. */
  readonly counted: number;
  /** What had to go to disk. */
  readonly runs: readonly Run[];
  /** Whether the shared table is full. */
  readonly full: boolean;
}

/** What this thread counts with: its memory is used again. */
interface Desk {
  readonly ownBytes: number;
  readonly table: ByteTable;
  /** What blocks of lines are read into. */
  readonly buffer: Uint8Array;
}

let desk: Desk | undefined;

function deskOf({ ownBytes, blockBytes }: CountJob): Desk {
  if (desk?.ownBytes === ownBytes && desk.buffer.length === blockBytes) return desk;
  desk = {
    ownBytes,
    table: new ByteTable(TableMemory.whole(ownBytes)),
    buffer: new Uint8Array(blockBytes),
  };
  return desk;
}

export class Counting implements BlockOwner {
  readonly #job: CountJob;
  readonly #table: ByteTable;
  readonly #buffer: Uint8Array;
  readonly #block: Block;
  readonly #writer: CountWriter;
  #counted = 0;

  constructor(job: CountJob) {
    this.#job = job;
    const { table, buffer } = deskOf(job);
    this.#table = table;
    this.#buffer = buffer;
    beginLike(this.#table, PART_BITS);
    this.#block = new Block(this.#table, job.seed, this);
    this.#writer = new CountWriter(job.file);
  }

  run(tally: Tally): Counted {
    const { runs } = this.#writer;
    try {
      this.#tallyAll(tally);
      this.#block.end();
      const full = this.#pour();
      return { counted: this.#counted, runs, full };
    } finally {
      this.#block.end();
      this.#writer.close();
    }
  }

  makeRoom(): void {
    this.#writeOut();
    beginLike(this.#table, PART_BITS);
  }

  tooLong(key: Uint8Array, times: number): void {
    this.#counted += times;
    this.#writer.writeOne(key, times);
  }

  #tallyAll(tally: Tally): void {
    const { splits, shared } = this.#job;
    const count = counterOf(this.#block);
    for (const split of splits) {
      for (const { bytes } of linesOf(split, this.#buffer)) {
        goOn(shared.cells);
        this.#block.set(bytes);
        const given: unknown = tally(bytes, count);
        if (isPending(given)) throw new TypeError("tally must not wait, got a promise");
      }
    }
  }

  /** Pours what was counted into the shared table, and says whether that is full: then the rest goes to disk. */
  #pour(): boolean {
    const { shared, lane } = this.#job;
    const { cells } = shared;
    const into = sharedTable(shared);
    let full = false;
    markPouring(cells, lane, true);
    for (let turn = 0; turn < PARTS; turn++) {
      // Each begins elsewhere, so that they do not wait for each other.
      const part = (turn + lane * LANE_STEP) % PARTS;
      lock(cells, part);
      if (!this.#pourPart(part, into)) full = true;
      unlock(cells, part);
    }
    if (full) this.#writeOut();
    markPouring(cells, lane, false);
    return full;
  }

  /** What is in the shared table has a count of 0 then. False if there was no room for all. */
  #pourPart(part: number, into: ByteTable): boolean {
    const { ints, floats } = this.#table.memory;
    let hasRoom = true;
    for (const page of this.#table.pages(part, PARTS)) {
      for (let at = page; at < page + PAGE_INTS; at += FIELDS) {
        if (ints[at + LENGTH] === 0) continue;
        const index = (at + COUNT) >> 1;
        const times = floats[index] as number;
        if (into.addFrom(ints, at, times)) {
          this.#counted += times;
          floats[index] = 0;
        } else hasRoom = false;
      }
    }
    return hasRoom;
  }

  /** Writes a run of what is in the table. */
  #writeOut(): void {
    const entries = this.#table.entries();
    const { floats } = this.#table.memory;
    for (const entry of entries) this.#counted += floats[(entry * FIELDS + COUNT) >> 1] as number;
    this.#writer.writeEntries(this.#table, entries);
  }
}

/** How far one call's first part is from the next one's: no divisor of their number. */
const LANE_STEP = 23;
