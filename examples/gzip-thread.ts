/**
 * The function that the threads of `gzip.ts` call. It may use Node.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { constants, deflateRawSync } from "node:zlib";
import { transfer, type Transferred } from "concurrency-model-patterns/threads";
import { crc32 } from "./crc32.ts";

/** A block of a file. */
export interface Block {
  readonly path: string;
  readonly at: number;
  readonly bytes: number;
  /** Whether no block comes after it. */
  readonly last: boolean;
  readonly level: number;
}

/** What has become of a block. */
export interface Piece {
  readonly deflated: Uint8Array;
  readonly crc: number;
  readonly bytes: number;
}

/** Deflate looks back so far. */
const WINDOW_BYTES = 1 << 15;

/**
 * Compresses a block, so that the pieces of a file in a row are what one call for the whole file would give: each may
 * refer to the end of the block before, and ends at a whole byte.
 */
export function deflate({ path, at, bytes, last, level }: Block): Transferred<Piece> {
  const before = Math.min(at, WINDOW_BYTES);
  const read = readAt(path, at - before, before + bytes);
  const block = read.subarray(before);
  const deflated = new Uint8Array(
    deflateRawSync(block, {
      level,
      ...(before > 0 && { dictionary: read.subarray(0, before) }),
      finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    }),
  );
  return transfer({ deflated, crc: crc32(block), bytes }, [deflated.buffer]);
}

/** Less, if the file has become shorter; whoever finishes the new file finds that out. */
function readAt(path: string, from: number, bytes: number): Uint8Array {
  const buffer = new Uint8Array(bytes);
  const file = openSync(path, "r");
  try {
    let size = 0;
    for (let more = -1; more !== 0 && size < bytes; size += more) {
      more = readSync(file, buffer, size, bytes - size, from + size);
    }
    return buffer.subarray(0, size);
  } finally {
    closeSync(file);
  }
}
