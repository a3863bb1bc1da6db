/**
 * Files cut into splits that can be read by themselves, on the boundaries of lines.
 *
 * A split owns the lines that begin in it. So every line of a file is in exactly one of its splits, wherever those are
 * cut, and nobody has to look for the ends of lines to plan them. A line begins at the start of a file and behind each
 * "\n".
 */
import { open } from "node:fs/promises";
import { MisuseError } from "../../core/errors.ts";
import { outcomeOf } from "../../core/task.ts";
import { named, OpenFile } from "./open-file.ts";

/** The lines of a file that begin at `from` or later, and before `to`: offsets in bytes. */
export interface FileSplit {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Some whole lines that follow one another. */
export interface LineChunk {
  /** Where in the file they begin. */
  readonly at: number;
  /** With the ends of the lines; the last line of a file may have none. Good until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

const LINE_END = 10;
const CHUNK_BYTES = 1 << 18;

/**
 * Cuts files into splits of about the same size, at most `splitBytes`, in the order of the files and of their bytes;
 * how large that is may follow from how much there is. An empty file is one empty split. Rejects if a file cannot be
 * opened, or is no regular one: a pipe has no second half.
 */
export async function planSplits(
  files: readonly string[],
  splitBytes: number | ((inputBytes: number) => number),
): Promise<FileSplit[]> {
  const sizes: number[] = [];
  for (const file of files) sizes.push(await sizeOf(file));
  const inputBytes = sizes.reduce((sum, size) => sum + size, 0);
  const most = typeof splitBytes === "number" ? splitBytes : splitBytes(inputBytes);
  return files.flatMap((file, index) => splitsOf(file, sizes[index] as number, most));
}

function splitsOf(file: string, size: number, most: number): FileSplit[] {
  const count = Math.max(1, Math.ceil(size / most));
  const cut = (index: number): number => (index === count ? size : Math.floor((size / count) * index));
  return Array.from({ length: count }, (_, index) => ({ file, from: cut(index), to: cut(index + 1) }));
}

/** Opened and not only looked at, so that what cannot be read fails before anything is done. */
async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, "r");
  const stats = await outcomeOf(() => handle.stat());
  await handle.close();
  if (!stats.ok) throw named(stats.error, file);
  if (!stats.value.isFile()) throw new MisuseError(`${file} is not a regular file`);
  return stats.value.size;
}

/**
 * The lines of a split, in chunks of at most what `buffer` holds, which they are read into; a line that is longer is a chunk
 * by itself. Memory: the buffer, and the longest line if that is longer.
 */
export function* linesOf(
  split: FileSplit,
  buffer: Uint8Array = new Uint8Array(CHUNK_BYTES),
): Generator<LineChunk, void> {
  const { from, to } = split;
  const file = OpenFile.toRead(split.file);
  try {
    let at = from === 0 ? 0 : endOfLine(file, from - 1, buffer);
    while (at < to) {
      let bytes: Uint8Array = buffer.subarray(0, file.read(buffer, at));
      const whole = endOfLines(bytes, to - at);
      if (whole > 0) bytes = bytes.subarray(0, whole);
      else if (bytes.length === buffer.length) bytes = longLine(file, at, buffer);
      if (bytes.length === 0) return;
      yield { at, bytes };
      at += bytes.length;
    }
  } finally {
    file.close();
  }
}

/** Where the lines of these bytes end that begin before `limit` and are whole; 0 if there is none. */
function endOfLines(bytes: Uint8Array, limit: number): number {
  const last = bytes.length < limit ? -1 : bytes.indexOf(LINE_END, limit - 1);
  return (last === -1 ? bytes.lastIndexOf(LINE_END) : last) + 1;
}

/** A line that is longer than the buffer. It is read twice, as that takes less memory than to let a buffer grow. */
function longLine(file: OpenFile, at: number, buffer: Uint8Array): Uint8Array {
  const line = new Uint8Array(endOfLine(file, at + buffer.length, buffer) - at);
  return line.subarray(0, file.read(line, at));
}

/** Where the line ends, behind its "\n", of which there is a byte at `at`; or the file. */
function endOfLine(file: OpenFile, at: number, buffer: Uint8Array): number {
  for (let from = at; ; ) {
    const size = file.read(buffer, from);
    const end = buffer.subarray(0, size).indexOf(LINE_END);
    if (end !== -1) return from + end + 1;
    from += size;
    if (size < buffer.length) return from;
  }
}
