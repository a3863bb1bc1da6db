/**
 * What threads that count share: the table that has the counts of all splits that are done, locks for its parts, and cells
 * in which they tell each other.
 *
 * Invariants
 *   I1  Whoever reads or writes what a part's hashes lead to holds that part's lock.
 *   I2  A call is marked while its thread pours its counts in: if that dies then, nobody can tell which of them are in, so that all
 *       of the table is worth nothing.
 */
import { TableMemory, type SharedPages } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import { ByteTable } from "../../../patterns/mapreduce/byte-counts/table.ts";

/** The first bits of a hash that say which lock it has. */
export const PART_BITS = 6;
export const PARTS = 1 << PART_BITS;

/** What a thread is sent of it. */
export interface SharedCounts {
  readonly pages: SharedPages;
  readonly cells: Int32Array;
}

const STOPPED = 0;
const LOCKS = 1;
const POURING = LOCKS + PARTS;

const lockState = { free: 0, held: 1, wanted: 2 } as const;

/** Cells for so many calls at once. */
export function makeCells(lanes: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((POURING + lanes) * 4));
}

/** The table that is shared; each thread makes one for itself, on the same memory. */
export function sharedTable({ pages }: SharedCounts): ByteTable {
  return new ByteTable(TableMemory.of(pages));
}

/** Tells all threads to give up, also those that wait for a lock. */
export function stop(cells: Int32Array): void {
  Atomics.store(cells, STOPPED, 1);
  for (let part = 0; part < PARTS; part++) Atomics.notify(cells, LOCKS + part);
}

/** Throws if all are to give up: nobody will use what this thread makes. */
export function goOn(cells: Int32Array): void {
  if (Atomics.load(cells, STOPPED) === 1) throw new Error("the count has been given up");
}

/** Whether a call was pouring when last heard of. */
export function wasPouring(cells: Int32Array, lane: number): boolean {
  return Atomics.load(cells, POURING + lane) === 1;
}

/** Marks a call as pouring, or as not. */
export function markPouring(cells: Int32Array, lane: number, pours: boolean): void {
  Atomics.store(cells, POURING + lane, pours ? 1 : 0);
}

/** Waits until a part is this thread's. Throws if all are to give up, as its holder may be dead. */
export function lock(cells: Int32Array, part: number): void {
  const cell = LOCKS + part;
  const { free, held, wanted } = lockState;
  if (Atomics.compareExchange(cells, cell, free, held) === free) return;
  while (Atomics.exchange(cells, cell, wanted) !== free) {
    goOn(cells);
    Atomics.wait(cells, cell, wanted, LONGEST_WAIT_MS);
  }
}

/** Lets go of a part. */
export function unlock(cells: Int32Array, part: number): void {
  const cell = LOCKS + part;
  if (Atomics.exchange(cells, cell, lockState.free) === lockState.wanted) Atomics.notify(cells, cell, 1);
}

/** A look at whether all are to give up may come just before it is told: so that is looked at again. */
const LONGEST_WAIT_MS = 100;
