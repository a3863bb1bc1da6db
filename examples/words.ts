/**
 * What a word is: what Go's `strings.Fields(strings.ToLower(text))` gives. On bytes, so that a text need not be decoded
 * as a whole, and blocks of it can be worked on by themselves.
 *
 * UTF-8 synchronises itself: a byte that begins a character is never part of another one, also in invalid text. So a
 * space is a space whatever stands before it, and a text can be cut behind any of them.
 */
import type { CountKey } from "concurrency-model-patterns/mapreduce/byte-counts";

/** How large the first block of a text is; each is twice the one before. */
const FIRST_BLOCK_BYTES = 1 << 16;
/** How large blocks become, unless a word is longer. */
const BLOCK_BYTES = 8 << 20;

/**
 * How many bytes the space at `at` has, if there is one; 0 if not. Spaces are those of Go's `unicode.IsSpace`, which
 * are not those of JavaScript: U+0085 is one, U+FEFF is none.
 */
export function spaceWidth(bytes: Uint8Array, at: number): 0 | 1 | 2 | 3 {
  const first = bytes[at] as number;
  if (first <= 0x20) return first === 0x20 || (first >= 0x09 && first <= 0x0d) ? 1 : 0;
  if (first < 0xc2 || first > 0xe3) return 0;
  const second = bytes[at + 1];
  if (first === 0xc2) return second === 0x85 || second === 0xa0 ? 2 : 0;
  const rest = ((second ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (first === 0xe1) return rest === 0x9a80 ? 3 : 0;
  if (first === 0xe3) return rest === 0x8080 ? 3 : 0;
  return first === 0xe2 && isGeneralSpace(rest) ? 3 : 0;
}

/** U+2000 to U+200A, U+2028, U+2029, U+202F and U+205F, without the first of their bytes. */
function isGeneralSpace(rest: number): boolean {
  if (rest >= 0x8080 && rest <= 0x808a) return true;
  return rest === 0x80a8 || rest === 0x80a9 || rest === 0x80af || rest === 0x819f;
}

/** ASCII in lower case, with one space for all; other bytes as they are. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  return byte >= 0x09 && byte <= 0x0d ? 0x20 : byte;
});

/**
 * Counts the words of a text, which it changes to lower case as far as that is ASCII: {@link wordOf} does the rest, once a
 * different word.
 */
export function tally(text: Uint8Array, count: CountKey): void {
  const end = text.length;
  for (let at = 0; at < end; ) {
    const start = at;
    let space = 1;
    for (; at < end; at++) {
      const byte = FOLDED[text[at] as number] as number;
      if (byte === 0x20) break;
      if (byte >= 0xc2 && byte <= 0xe3) {
        const width = spaceWidth(text, at);
        if (width > 0) {
          space = width;
          break;
        }
      }
      text[at] = byte;
    }
    if (at > start) count(start, at);
    at += space;
  }
}

/** The word that these bytes are, which hold no space. The string shares no memory with a longer one. */
export function wordOf(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  // Then each byte is ASCII, or is no part of a character and became a U+FFFD of its own.
  if (text.length === bytes.length) return text.toLowerCase();
  return lowerCase(text.includes("\u{FFFD}") ? decoder.decode(repaired(bytes)) : text);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Each character by itself, as in Go. JavaScript looks at the neighbours of a sigma, and makes two of a dotted I. Letters
 * newer than Go's Unicode are those of the machine's.
 */
function lowerCase(text: string): string {
  return text.replaceAll("\u0130", "i").replaceAll("\u03A3", "\u03C3").toLowerCase();
}

/** Every byte that is not part of a character becomes a U+FFFD. A TextDecoder makes one for several bytes. */
function repaired(bytes: Uint8Array): Uint8Array {
  const valid = new Uint8Array(bytes.length * 3);
  let size = 0;
  for (let at = 0; at < bytes.length; ) {
    const width = characterWidth(bytes, at);
    valid.set(width === 0 ? [0xef, 0xbf, 0xbd] : bytes.subarray(at, at + width), size);
    size += width === 0 ? 3 : width;
    at += Math.max(width, 1);
  }
  return valid.subarray(0, size);
}

/** How many bytes the character at `at` has; 0 if there is none. */
function characterWidth(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const width = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  let codePoint = first & (0x7f >> width);
  for (let index = 1; index < width; index++) {
    const next = bytes[at + index] ?? 0;
    if ((next & 0xc0) !== 0x80) return 0;
    codePoint = (codePoint << 6) | (next & 0x3f);
  }
  if (width === 3) return codePoint >= 0x800 && (codePoint < 0xd800 || codePoint > 0xdfff) ? 3 : 0;
  return width === 4 && (codePoint < 0x1_0000 || codePoint > 0x10_ffff) ? 0 : width;
}

/**
 * Cuts a text into blocks of whole words, wherever its chunks end. The bytes are copies, in arrays that nobody else has.
 * Memory: one block, or twice the longest word.
 */
export async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
  blockBytes = BLOCK_BYTES,
): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(Math.min(blockBytes, FIRST_BLOCK_BYTES));
  let size = 0;
  /** No space begins before this. */
  let searched = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + block.length - size);
      block.set(part, size);
      size += part.length;
      taken += part.length;
      if (size < block.length) continue;
      const cut = lastSpaceEnd(block, searched);
      if (cut > 0) yield block.subarray(0, cut);
      const rest = block.subarray(cut);
      block = new Uint8Array(Math.max(Math.min(blockBytes, 2 * block.length), 2 * rest.length));
      block.set(rest);
      size = rest.length;
      searched = Math.max(0, size - 2);
    }
  }
  if (size > 0) yield block.subarray(0, size);
}

/** Where the last space ends that begins at `from` or later; 0 if there is none. */
function lastSpaceEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.length - 1; at >= from; at--) {
    const width = spaceWidth(bytes, at);
    if (width > 0) return at + width;
  }
  return 0;
}

/** The order of code points, which is that of the bytes. JavaScript's own is that of UTF-16. */
export function compareWords(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
