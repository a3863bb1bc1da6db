/**
 * How files are mapped and reduced, and how far that has come.
 */
import { availableParallelism, tmpdir } from "node:os";
import {
  refuseType,
  requireDuration,
  requireFunction,
  requireInteger,
  requirePositive,
} from "../../core/arguments.ts";
import { type CancelOptions, requireSignal } from "../../core/cancellation.ts";
import type { NodeThreadOptions } from "../threads/host.ts";
import type { SkippedRecord } from "./orders.ts";
import { MOST_PARTITIONS } from "./sort-buffer.ts";

/** How far a run has come, and what it took. What attempts do that come to nothing does not count. */
export interface MapReduceCounters {
  /** What the run is about: splits, or the partitions that were made of them; or it has its results. */
  readonly phase: "map" | "reduce" | "done";
  /** How many splits there are; 0 until they are planned. */
  readonly splits: number;
  /** Splits that were mapped. */
  readonly splitsDone: number;
  /** How many partitions there are. */
  readonly partitions: number;
  /** Partitions that were reduced. */
  readonly partitionsDone: number;
  /** Records that were mapped. */
  readonly mapped: number;
  /** Records that were skipped. */
  readonly skipped: number;
  /** Values that were emitted. */
  readonly emitted: number;
  /** Keys that were reduced. */
  readonly reduced: number;
  /** How often a split or a partition was tried again. */
  readonly retried: number;
  /** How often a straggler got a copy. */
  readonly copied: number;
  /** Bytes that were written to the disk on the way from `map` to `reduce`. */
  readonly spilledBytes: number;
}

/** How files are mapped and reduced. What a callback throws fails the run. */
export interface MapReduceFilesOptions extends CancelOptions {
  /** How many threads there are: at least 1; default as many as can run at once. */
  readonly threads?: number | undefined;
  /** Into how many parts keys are divided, of which each is reduced by one thread: from 1 to 1000; default one a thread. */
  readonly partitions?: number | undefined;
  /**
   * How much memory all threads together use for what they hold, in millions of bytes: at least 1 a thread; default 256.
   * What does not fit goes to the disk. The engine itself, and what the functions of the job keep, come on top.
   */
  readonly memoryMb?: number | undefined;
  /**
   * How large a split is at most, in millions of bytes: above 0. By default a quarter of what each thread has to do, but
   * between 1 and 64.
   */
  readonly splitMb?: number | undefined;
  /** How often a split or a partition is tried again whose thread has died, or was too slow: at least 0; default 3. */
  readonly retries?: number | undefined;
  /** How long one attempt at a split or partition may take, in milliseconds; then its thread is ended. Default Infinity. */
  readonly timeoutMs?: number | undefined;
  /**
   * When nothing else is to do, a split or partition that has taken so long, in milliseconds, and twice as long as others, is
   * given to another thread too, and the first to be done counts; default 1000. `Infinity` makes no copies.
   */
  readonly speculateAfterMs?: number | undefined;
  /**
   * How many records may fail and be left out: at least 0; default 0. One that makes `map` throw is left out at once; one at
   * which its thread has died, when that has happened twice.
   */
  readonly skipRecords?: number | undefined;
  /** Called for each record that was left out, when its split has been mapped. */
  readonly onSkipped?: ((record: SkippedRecord) => void) | undefined;
  /** Called after each split and each partition. */
  readonly onProgress?: ((counters: MapReduceCounters) => void) | undefined;
  /** An existing folder on a disk with room for what does not fit in memory; default the one for temporary files. */
  readonly spillFolder?: string | undefined;
  /** How long a thread has that is told to stop, in milliseconds; default 1000. */
  readonly graceMs?: number | undefined;
  /** What `worker_threads` is told: limits of memory, environment, arguments. */
  readonly thread?: NodeThreadOptions | undefined;
  /** A short name for reports, and for the threads. */
  readonly name?: string | undefined;
}

/** The options, checked, and with their defaults. */
export interface Settings {
  readonly threads: number;
  readonly partitions: number;
  /** For each thread. */
  readonly memoryBytes: number;
  /** Undefined if it follows from the size of the input. */
  readonly splitBytes: number | undefined;
  readonly retries: number;
  readonly timeoutMs: number;
  readonly speculateAfterMs: number;
  readonly skipRecords: number;
  readonly graceMs: number;
  readonly spillFolder: string;
  readonly name: string;
}

const MB = 1_000_000;

/** Checks the options. */
export function settingsOf(options: MapReduceFilesOptions): Settings {
  const { signal, onSkipped, onProgress, splitMb, spillFolder = tmpdir(), name = "mapreduce" } = options;
  if (signal !== undefined) requireSignal(signal);
  if (onSkipped !== undefined) requireFunction("onSkipped", onSkipped);
  if (onProgress !== undefined) requireFunction("onProgress", onProgress);
  if (typeof spillFolder !== "string") refuseType("spillFolder", "a path", spillFolder);
  const threads = requireInteger("threads", options.threads ?? availableParallelism(), 1);
  const memoryMb = requireInteger("memoryMb", options.memoryMb ?? Math.max(256, threads), threads);
  return {
    threads,
    partitions: requireInteger(
      "partitions",
      options.partitions ?? Math.min(threads, MOST_PARTITIONS),
      1,
      MOST_PARTITIONS,
    ),
    memoryBytes: (memoryMb * MB) / threads,
    splitBytes: splitMb === undefined ? undefined : Math.ceil(requirePositive("splitMb", splitMb) * MB),
    retries: requireInteger("retries", options.retries ?? 3, 0),
    timeoutMs: requirePositive("timeoutMs", options.timeoutMs ?? Number.POSITIVE_INFINITY),
    speculateAfterMs: requireDuration("speculateAfterMs", options.speculateAfterMs ?? 1000),
    skipRecords: requireInteger("skipRecords", options.skipRecords ?? 0, 0),
    graceMs: requireDuration("graceMs", options.graceMs ?? 1000),
    spillFolder,
    name,
  };
}

/** How large splits are that nobody has said anything about: each thread gets several, and none is very small or large. */
export function usualSplitBytes(inputBytes: number, threads: number): number {
  return Math.min(64 * MB, Math.max(MB, Math.ceil(inputBytes / (4 * threads))));
}
