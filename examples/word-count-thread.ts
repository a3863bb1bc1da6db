/**
 * The function that the threads of `word-count.ts` call: counts the words of blocks of whole lines as they are to be shown.
 */
import type { CountKey } from "concurrency-model-patterns/mapreduce/byte-counts";
import { tally as tallyWords, wordOf } from "./words.ts";

/** Counts each word of a block, which it changes. All ways to write a word are one key. */
export function tally(block: Uint8Array, count: CountKey): void {
  const countWord = (from: number, to: number): void => {
    let all = 0;
    for (let at = from; at < to; at++) all |= block[at] as number;
    const lower = all < 0x80 ? undefined : lowerOf(block.subarray(from, to));
    if (lower === undefined) count(from, to);
    else count.key(lower);
  };
  tallyWords(block, Object.assign(countWord, { key: count.key }));
}

interface Remembered {
  readonly word: Uint8Array;
  /** Undefined if it is the word itself. */
  readonly lower: Uint8Array | undefined;
}

/** To write a word in lower case that is not ASCII takes far longer than to count it: the last word of each hash is kept. */
const remembered: (Remembered | undefined)[] = Array.from({ length: 1 << 12 });
/** A longer one takes memory, and will not come again. */
const LONGEST_REMEMBERED = 64;
const encoder = new TextEncoder();

function lowerOf(word: Uint8Array): Uint8Array | undefined {
  const place = hashOf(word) & (remembered.length - 1);
  const known = remembered[place];
  if (known !== undefined && areEqual(known.word, word)) return known.lower;
  const lower = encoder.encode(wordOf(word));
  const made = { word: word.slice(), lower: areEqual(word, lower) ? undefined : lower };
  if (word.length <= LONGEST_REMEMBERED) remembered[place] = made;
  return made.lower;
}

function hashOf(word: Uint8Array): number {
  let hash = 0;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ (word[at] as number), 0x0100_0193);
  return hash ^ (hash >>> 15);
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}
