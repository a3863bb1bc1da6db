/** Counts words: runs of anything but spaces, in small letters. */
import type { Emit } from "concurrency-model-patterns/mapreduce";

export function map(line: string, emit: Emit<string, number>): void {
  for (const word of line.toLowerCase().split(/\s+/u)) if (word !== "") emit(word, 1);
}

export function combine(left: number, right: number): number {
  return left + right;
}

export function reduce(_word: string, counts: readonly number[]): number {
  return counts.reduce(combine);
}
