/**
 * Counts words on the bytes of a text: a string is made once a different word, not once a word.
 */
import { ByteCounts } from "concurrency-model-patterns/mapreduce/byte-counts";
import { tally, wordOf } from "./words.ts";

export class WordTable {
  readonly #counts = new ByteCounts();

  /** Counts the words of a text. Changes the text to lower case, as far as it is ASCII. */
  add(text: Uint8Array): void {
    this.#counts.add(text, tally);
  }

  /**
   * Calls `visit` with every word since the last time, and how often it came, then begins to count anew. A word may be
   * visited several times: once for each way to write it.
   */
  takeAll(visit: (word: string, count: number) => void): void {
    for (const [key, count] of this.#counts.sorted()) visit(wordOf(key), count);
    this.#counts.clear();
  }
}
