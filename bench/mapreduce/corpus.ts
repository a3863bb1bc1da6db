/**
 * Real text to count the words of: what the machine has of documentation, manual pages and sources, made once.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** Left alone by git. The built files of the benchmarks are in `build/bench/mapreduce`. */
const folder = fileURLToPath(new URL("../../../bench/.corpus/", import.meta.url));

/** Where Debian keeps its texts, and what else a machine with Node and Go has to read. */
const ROOTS = [
  "/usr/share/man",
  "/usr/share/doc",
  "/usr/share/info",
  "/usr/share/go-1.19",
  "/usr/lib/go-1.19",
  "/usr/lib",
];
/** Manual pages and documentation whatever they are called; elsewhere what has the name of a text. */
const TEXT = /^\/usr\/share\/(man|doc|info)\/|\.(md|txt|rst|html|go|js|ts|py|pm|h)(\.gz)?$/;
/** No text: pictures, archives and the like. */
const OTHER = /\.(png|gif|jpe?g|ico|svgz|pdf|ps|zip|bz2|xz|woff2?|ttf|so|jar|min\.js)(\.gz)?$/;

/** The path of a file of so many bytes. If the machine has less text, it is repeated, each time with other words in it. */
export function corpus(bytes: number): string {
  const file = `${folder}${bytes / 1e6}-mb.txt`;
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  const out = openSync(unfinished, "w");
  let left = bytes;
  for (let pass = 0; left > 0; pass++) {
    const before = left;
    for (const text of texts()) {
      const part = (pass === 0 ? text : varied(text, pass)).subarray(0, left);
      writeSync(out, part);
      left -= part.length;
      if (left === 0) break;
    }
    if (left === before) throw new Error("this machine has no text");
    if (left > 0) process.stderr.write(`the corpus is repeated after ${(bytes - left) / 1e6} MB\n`);
  }
  closeSync(out);
  renameSync(unfinished, file);
  return file;
}

/** Another text of the same kind: a letter of every other word, more or less, is another one. */
function varied(text: Uint8Array, pass: number): Uint8Array {
  const copy = Uint8Array.from(text);
  for (let at = pass; at < copy.length; at += 11) {
    const byte = copy[at] as number;
    if (byte >= 0x61 && byte < 0x7a) copy[at] = byte + 1;
  }
  return copy;
}

function* texts(): Generator<Uint8Array> {
  for (const root of ROOTS) {
    if (!existsSync(root)) continue;
    const entries = readdirSync(root, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    for (const path of files.toSorted()) {
      const text = TEXT.test(path) && !OTHER.test(path) ? textOf(path) : undefined;
      if (text !== undefined) yield text;
    }
  }
}

/** Undefined if it cannot be read. */
function textOf(path: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(path);
    return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  } catch {
    return undefined;
  }
}
