/**
 * The functions that the threads of `checksum.ts` call. They may use Node.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import * as timers from "node:timers/promises";
import type { ThreadJobContext } from "concurrency-model-patterns/threads";

/** A file to be read. */
export interface FileJob {
  readonly path: string;
  /** Shared by all threads: how many bytes have been read. */
  readonly read: BigInt64Array;
}

/** Kept from job to job: files are read through it. */
const buffer = new Uint8Array(1 << 20);

/** The SHA-256 of a file, in hexadecimal digits. */
export function checksum({ path, read }: FileJob, context: ThreadJobContext): Promise<string> {
  return checksumOf(chunksOf(path, context), read);
}

/** The SHA-256 of bytes that come in chunks. */
export async function checksumOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  read: BigInt64Array,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) {
    hash.update(chunk);
    Atomics.add(read, 0, BigInt(chunk.length));
  }
  return hash.digest("hex");
}

/** A thread may wait for the disk. After each full buffer it hears whether it is told to stop. */
async function* chunksOf(path: string, context: ThreadJobContext): AsyncGenerator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    for (;;) {
      const size = readSync(file, buffer);
      if (size === 0) return;
      yield buffer.subarray(0, size);
      if (size < buffer.length) continue;
      await timers.setImmediate();
      if (context.ctx.error !== undefined) throw context.ctx.error;
    }
  } finally {
    closeSync(file);
  }
}
