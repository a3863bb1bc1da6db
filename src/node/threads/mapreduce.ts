/**
 * MapReduce over files, on all cores and in bounded memory.
 */
import { refuseType } from "../../core/arguments.ts";
import { MapReduceRun } from "../mapreduce/file-run.ts";
import type { FileJob, KeyOf, ReducedOf } from "../mapreduce/job.ts";
import { type MapReduceFilesOptions, settingsOf } from "../mapreduce/options.ts";

export type {
  FileJob,
  KeyOf,
  MapReduceKey,
  RecordContext,
  RecordKind,
  RecordOf,
  ReducedOf,
  ValueOf,
  ValuesOf,
} from "../mapreduce/job.ts";
export { type LineJob, resultLine } from "../mapreduce/lines.ts";
export type { MapReduceCounters, MapReduceFilesOptions } from "../mapreduce/options.ts";
export type { SkippedRecord } from "../mapreduce/orders.ts";
export type { MapReduceRun } from "../mapreduce/file-run.ts";

/**
 * Maps the records of files in threads, groups what that emits by key, and reduces each group to a result. What is to be
 * done is what a module exports: `map`, `reduce`, and whatever else a {@link FileJob} may have. Give the type of the
 * module, and everything is checked.
 *
 * **Guarantees** The same results for any number of threads, splits and partitions, sorted by key; values of a key in the
 * order of the files and their lines. Each split and each partition counts once, whatever becomes of the threads and
 * however many attempts were made. Reduces begin when all maps have ended. What is held takes `memoryMb`; what does not
 * fit is on the disk, for this user alone, and is gone when the run has been disposed of. What a process has left that
 * was killed, a later run removes.
 * **Units and ranges** `files`: paths of regular files. `module`: the address of a module. Keys: strings and numbers.
 * Values and results: whatever the structured clone copies.
 * **Cancellation** When `signal` aborts, or the run is disposed of, threads are told, and ended after `graceMs`.
 * **Errors** What a function of the job throws; what the system says of a file, with its `code` and `path`; `ThreadCrashError` or
 * `TimeoutError` if a thread dies, or is too slow, more than `retries` times; `ConcurrencyError` with code "LIMIT" if the
 * values of a key do not fit. Nothing is left of a run that has failed.
 * **Cost** A thread starts in some 30 ms. What is emitted is written to the disk at least once, and read again; only with
 * `combine` is that less than all.
 * **Not for** what fits in memory and is fast on one core: `mapReduce`. A `map` with effects of its own is repeated with
 * every attempt.
 * **Source** J. Dean and S. Ghemawat, MapReduce (OSDI 2004): its splits, spills, backup tasks, skipped records and
 * commits by name.
 *
 * @example
 * interface Job {
 *   map(line: string, emit: (key: string, value: number) => void): void;
 *   reduce(key: string, values: readonly number[]): number;
 * }
 * const job = new URL(`data:text/javascript,
 *   export const map = (line, emit) => line.includes('"name":') && emit("names", 1);
 *   export const reduce = (key, ones) => ones.length;`);
 * await using run = mapReduceFiles<Job>(["package.json"], job, { threads: 1 });
 * [...(await run.toMap())]; //=> [["names", 1]]
 */
export function mapReduceFiles<M extends FileJob<M>>(
  files: readonly string[],
  module: URL,
  options: MapReduceFilesOptions = {},
): MapReduceRun<KeyOf<M>, ReducedOf<M>> {
  if (!Array.isArray(files) || files.some((file) => typeof file !== "string"))
    refuseType("files", "a list of paths", files);
  if (!(module instanceof URL)) refuseType("module", "a URL", module);
  const parts = { files: [...files], module: module.href, settings: settingsOf(options), options };
  return new MapReduceRun<KeyOf<M>, ReducedOf<M>>(parts);
}
