/**
 * What a count is told, checked, and how its memory is divided.
 */
import { availableParallelism, tmpdir, totalmem } from "node:os";
import * as host from "node:process";
import {
  refuseType,
  requireDuration,
  requireFunction,
  requireInteger,
  requirePositive,
} from "../../../core/arguments.ts";
import { type CancelOptions, requireSignal } from "../../../core/cancellation.ts";
import { PAGE_BYTES } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import type { NodeThreadOptions } from "../../threads/host.ts";
import { PARTS } from "./shared.ts";

/** How far a count has come. */
export interface CountProgress {
  /** Bytes of the files that were counted. */
  readonly bytes: number;
  /** All that there are. */
  readonly totalBytes: number;
  /** Bytes that were written to disk, as there was no room for all keys. */
  readonly spilledBytes: number;
}

/** How a count goes. */
export interface CountOptions extends CancelOptions {
  /** How many threads count: at least 1; default one a core. */
  readonly threads?: number | undefined;
  /**
   * How much memory all threads together may use for the counts and what is needed to make them, in millions of bytes: at
   * least 4 a thread; default 512, or a quarter of what the machine or its container has, if that is less. It is taken
   * when it is needed, and what does not fit goes to the disk. Node and its threads themselves come on top, and a line or
   * key that is longer than 256 KiB.
   */
  readonly memoryMb?: number | undefined;
  /** How much is counted at a time, in millions of bytes: above 0; default 4. After a crash as much is counted again. */
  readonly splitMb?: number | undefined;
  /** How often a split is counted again whose thread has died: at least 0; default 3. */
  readonly retries?: number | undefined;
  /** An existing folder on a disk with room for what does not fit in memory; default the one for temporary files. */
  readonly spillFolder?: string | undefined;
  /** How long a thread has that is told to stop, in milliseconds; default 1000. */
  readonly graceMs?: number | undefined;
  /** What `worker_threads` is told: limits of memory, environment, arguments. */
  readonly thread?: NodeThreadOptions | undefined;
  /** A short name for reports, and for the threads. */
  readonly name?: string | undefined;
  /** Called after each split. */
  readonly onProgress?: ((progress: CountProgress) => void) | undefined;
}

/** The options, checked. */
export interface CountSettings {
  readonly threads: number;
  readonly sharedPages: number;
  readonly ownBytes: number;
  readonly blockBytes: number;
  readonly splitBytes: number;
  readonly retries: number;
  readonly spillFolder: string;
}

const MB = 1_000_000;
const BLOCK_BYTES = 1 << 18;
/** A block, and what a run is written through. */
const BUFFERS_BYTES = BLOCK_BYTES + (1 << 17);
/** A page for each part, and as much again for what long keys and full parts need: a table is emptied when it has no more. */
const LEAST_OWN_BYTES = 2.5 * PARTS * PAGE_BYTES;
/** A table takes so much more while it is sorted: 16 bytes for an entry of 32, of which 3 in 4 are taken. */
const SORTED = 1 + (16 * 3) / (32 * 4);

/** How much memory the machine has, or its container. */
function memoryBytes(): number {
  return Math.min(totalmem(), host.constrainedMemory?.() || Number.POSITIVE_INFINITY);
}

/** What the words of 500 MB of text need; on a small machine, what leaves room for others. */
function defaultMemoryMb(leastMb: number, hostBytes: number): number {
  return Math.max(leastMb, Math.min(512, Math.floor(hostBytes / 4 / MB)));
}

/** Checks the options. */
export function countSettings(options: CountOptions, hostBytes: number = memoryBytes()): CountSettings {
  const { signal, onProgress, spillFolder = tmpdir(), graceMs = 1000 } = options;
  if (signal !== undefined) requireSignal(signal);
  if (onProgress !== undefined) requireFunction("onProgress", onProgress);
  if (typeof spillFolder !== "string") refuseType("spillFolder", "a path", spillFolder);
  requireDuration("graceMs", graceMs);
  const threads = requireInteger("threads", options.threads ?? availableParallelism(), 1, 1024);
  const least = 4 * threads;
  const memoryMb = requireInteger(
    "memoryMb",
    options.memoryMb ?? defaultMemoryMb(least, hostBytes),
    least,
    1 << 14,
  );
  const splitBytes = Math.ceil(requirePositive("splitMb", options.splitMb ?? 4) * MB);
  const retries = requireInteger("retries", options.retries ?? 3, 0);
  const memory = memoryMb * MB;
  const ownBytes = Math.max(LEAST_OWN_BYTES, Math.floor(memory / 8 / threads));
  const sharedBytes = (memory - threads * (SORTED * ownBytes + BUFFERS_BYTES)) / SORTED;
  return {
    threads,
    sharedPages: Math.floor(sharedBytes / PAGE_BYTES),
    ownBytes,
    blockBytes: BLOCK_BYTES,
    splitBytes,
    retries,
    spillFolder,
  };
}
