/**
 * What a count is told, checked, and how its memory is divided.
 */
import { availableParallelism } from "node:os";
import { requireInteger } from "../../../core/arguments.ts";
import type { CancelOptions } from "../../../core/cancellation.ts";
import { PAGE_BYTES } from "../../../patterns/mapreduce/byte-counts/memory.ts";
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
   * What the counts and all that is needed to make them may take, in MiB: at least 4 a thread; default 256. What Node and
   * its threads need for themselves comes on top, and a line that is longer than 256 KiB. What does not fit goes to disk.
   */
  readonly memoryMb?: number | undefined;
  /** How much of the files is counted at a time, in MiB: at least 1; default 4. As much is counted again after a crash. */
  readonly splitMb?: number | undefined;
  /** How often a split is counted again that has failed, as its thread has died or `tally` threw: at least 0; default 1. */
  readonly retries?: number | undefined;
  /** The folder in which a private one is made for what goes to disk; default the system's for temporary files. */
  readonly spillFolder?: string | undefined;
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
}

const MIB = 1 << 20;
const BLOCK_BYTES = 1 << 18;
/** A block, and what a run is written through. */
const BUFFERS_BYTES = BLOCK_BYTES + (1 << 17);
/** A table of a thread takes so much more while it grows, or is sorted. */
const OWN_FACTOR = 1.5;
/** The shared table takes so much more while it is sorted: 16 bytes for an entry of 32, of which 3 in 4 are taken. */
const SHARED_FACTOR = 1 + (16 * 3) / (32 * 4);

/** Checks the options. */
export function countSettings(options: CountOptions): CountSettings {
  const threads = requireInteger("threads", options.threads ?? availableParallelism(), 1, 1024);
  const memoryMb = requireInteger("memoryMb", options.memoryMb ?? Math.max(256, 4 * threads), 4 * threads, 1 << 14);
  const splitBytes = requireInteger("splitMb", options.splitMb ?? 4, 1) * MIB;
  const retries = requireInteger("retries", options.retries ?? 1, 0);
  const memory = memoryMb * MIB;
  const ownBytes = Math.max(PARTS * PAGE_BYTES, Math.floor(memory / 8 / threads));
  const sharedBytes = (memory - threads * (OWN_FACTOR * ownBytes + BUFFERS_BYTES)) / SHARED_FACTOR;
  return {
    threads,
    sharedPages: Math.floor(sharedBytes / PAGE_BYTES),
    ownBytes,
    blockBytes: BLOCK_BYTES,
    splitBytes,
    retries,
  };
}
