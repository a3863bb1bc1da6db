/**
 * The function that the threads of `word-count.ts` call: finds the words of blocks of whole lines.
 */
import type { CountKey } from "concurrency-model-patterns/threads/mapreduce/count";
import { FOLDED, spaceWidth, wordOf } from "./words.ts";

/** Counts each word. Changes the block to lower case, as far as it is ASCII. */
export function tally(block: Uint8Array, count: CountKey): void {
  const end = block.length;
  for (let at = 0; at < end; ) {
    const start = at;
    let hash = 0;
    let all = 0;
    let space = 1;
    for (; at < end; at++) {
      const byte = FOLDED[block[at] as number] as number;
      if (byte === 0x20) break;
      if (byte >= 0xc2 && byte <= 0xe3) {
        const width = spaceWidth(block, at);
        if (width > 0) {
          space = width;
          break;
        }
      }
      block[at] = byte;
      all |= byte;
      hash = Math.imul(hash ^ byte, 0x0100_0193);
    }
    if (at > start) {
      const lower = all < 0x80 ? undefined : lowerOf(block.subarray(start, at), hash ^ (hash >>> 15));
      if (lower === undefined) count(start, at);
      else count.key(lower);
    }
    at += space;
  }
}

interface Remembered {
  readonly word: Uint8Array;
  /** Undefined if it is the word itself. */
  readonly lower: Uint8Array | undefined;
}

/** To write a word in lower case that is not ASCII takes far longer than to count it: the last word of each hash is kept. */
const remembered: (Remembered | undefined)[] = Array.from({ length: 1 << 12 });
const encoder = new TextEncoder();

function lowerOf(word: Uint8Array, hash: number): Uint8Array | undefined {
  const place = hash & (remembered.length - 1);
  const known = remembered[place];
  if (known !== undefined && areEqual(known.word, word)) return known.lower;
  const lower = encoder.encode(wordOf(word));
  const kept = { word: word.slice(), lower: areEqual(word, lower) ? undefined : lower };
  // A long one would not come again, and takes memory.
  if (word.length <= 64) remembered[place] = kept;
  return kept.lower;
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}
