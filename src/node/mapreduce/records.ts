/**
 * The records of a split: its lines, or its file as a whole.
 */
import { readFileSync } from "node:fs";
import type { RecordKind } from "./job.ts";
import { ofFile } from "./open-file.ts";
import { type FileSplit, linesOf } from "./splits.ts";
import { decodeText } from "./text.ts";

/** A record, and where in its file it begins. */
export interface FileRecord {
  readonly at: number;
  readonly value: string | Uint8Array;
}

const NEWLINE = 10;
const RETURN = 13;

/** Reads as it goes. A record of bytes is good until the next is asked for. */
export function recordsOf(split: FileSplit, kind: RecordKind): Generator<FileRecord, void> {
  if (kind === "lines") return lines(split, (bytes, at) => decodeText(at === 0 ? withoutMark(bytes) : bytes));
  return kind === "line-bytes" ? lines(split, (bytes) => bytes) : whole(split, kind);
}

function* whole({ file }: FileSplit, kind: RecordKind): Generator<FileRecord, void> {
  const bytes = ofFile(file, () => readFileSync(file));
  yield { at: 0, value: kind === "files" ? decodeText(withoutMark(bytes)) : bytes };
}

function* lines(
  split: FileSplit,
  valueOf: (bytes: Uint8Array, at: number) => string | Uint8Array,
): Generator<FileRecord, void> {
  for (const chunk of linesOf(split)) {
    const { bytes } = chunk;
    for (let from = 0; from < bytes.length; ) {
      const found = bytes.indexOf(NEWLINE, from);
      const to = found === -1 ? bytes.length : found;
      const end = to > from && bytes[to - 1] === RETURN ? to - 1 : to;
      const at = chunk.at + from;
      yield { at, value: valueOf(bytes.subarray(from, end), at) };
      from = to + 1;
    }
  }
}

/** Without the mark that some programs put before a text in UTF-8. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return marked ? bytes.subarray(3) : bytes;
}
