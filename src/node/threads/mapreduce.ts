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
