/** In which files each word is. */
import type { Emit } from "concurrency-model-patterns/mapreduce";
import type { RecordContext } from "concurrency-model-patterns/threads/mapreduce";

export function map(line: string, emit: Emit<string, readonly string[]>, { file }: RecordContext): void {
  for (const word of new Set(line.toLowerCase().match(/[\p{L}\p{N}]+/gu))) emit(word, [file]);
}

/** Both lists are short: a file is in them once. */
export function combine(left: readonly string[], right: readonly string[]): readonly string[] {
  const added = right.filter((file) => !left.includes(file));
  return added.length === 0 ? left : [...left, ...added];
}

export function reduce(_word: string, lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce(combine).toSorted();
}

export function line(word: string, files: readonly string[]): string {
  return `${word}\t${files.length}\t${files.join(" ")}`;
}
