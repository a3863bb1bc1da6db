/**
 * What the threads of a count do.
 */
import type { Tally } from "../../../patterns/mapreduce/byte-counts/counter.ts";
import { sortEntries } from "../../../patterns/mapreduce/byte-counts/sort.ts";
import { transfer, type Transferred } from "../../../threads/transfer.ts";
import type { Run } from "../runs.ts";
import { type CountJob, type Counted, Counting } from "./counting.ts";
import { CountWriter } from "./runs-of-counts.ts";
import { type SharedCounts, sharedTable } from "./shared.ts";

/** A share of the shared table: part `part` of `of`. */
export interface Share {
  readonly shared: SharedCounts;
  readonly part: number;
  readonly of: number;
}

/** Counts the keys of some splits. */
export async function count(job: CountJob): Promise<Counted> {
  // The one module that is not known here: whose keys are counted.
  const functions = (await import(job.module)) as Readonly<Record<string, unknown>>;
  const tally = Object.hasOwn(functions, job.tally) ? functions[job.tally] : undefined;
  if (typeof tally !== "function") throw new TypeError(`the module exports no function "${job.tally}"`);
  return new Counting(job).run(tally as Tally);
}

/** Writes a share of the shared table to a file. Nobody else uses the table meanwhile. */
export function writeShare({ shared, part, of, file }: Share & { readonly file: string }): readonly Run[] {
  const table = sharedTable(shared);
  const writer = new CountWriter(file);
  try {
    writer.writeEntries(table, table.entries(part, of));
  } finally {
    writer.close();
  }
  return writer.runs;
}

/** The entries of a share of the shared table, in the order of their keys. */
export function sortShare({ shared, part, of }: Share): Transferred<Int32Array<ArrayBuffer>> {
  const table = sharedTable(shared);
  const entries = table.entries(part, of);
  sortEntries(table.memory.ints, entries);
  return transfer(entries, [entries.buffer]);
}

/** Writes several runs as one. */
export function mergeRuns({
  runs,
  file,
}: {
  readonly runs: readonly Run[];
  readonly file: string;
}): readonly Run[] {
  const writer = new CountWriter(file);
  try {
    writer.writeMerged(runs);
  } finally {
    writer.close();
  }
  return writer.runs;
}
