/** The lines with an error, by file, in their order. */
import type { Emit } from "concurrency-model-patterns/mapreduce";
import type { RecordContext } from "concurrency-model-patterns/threads/mapreduce";

/** There may be more matches in a file than fit in memory, and each is looked at once. */
export const values = "iterable";

const PATTERN = /\b(error|fatal|panic)\b/iu;

export function map(text: string, emit: Emit<string, string>, { file }: RecordContext): void {
  if (PATTERN.test(text)) emit(file, text);
}

/** How many there are, and the first of them. */
export function reduce(
  _file: string,
  lines: Iterable<string>,
): { readonly count: number; readonly first: readonly string[] } {
  const first: string[] = [];
  let count = 0;
  for (const text of lines) if (++count <= 10) first.push(text);
  return { count, first };
}

export function line(file: string, { count, first }: ReturnType<typeof reduce>): string {
  return [`${file}: ${count}`, ...first.map((text) => `  ${text}`)].join("\n");
}
