/** MapReduce on real input: counts the words of files, which may be larger than memory. */
import { type Emit, mapReduce } from "concurrency-model-patterns/mapreduce";
import { defineInputDemo, type InputRun } from "./input-demo.ts";
import { whole } from "./parameters.ts";
import { WordTable } from "./word-table.ts";
import { blocksOf, compareWords } from "./words.ts";

const parameters = {
  top: whole("how many words to show; 0 shows all", 0, 0, 1_000_000_000),
};

/** The inputs one after the other, in blocks. No word spans two of them. */
async function* blocksOfAll(
  inputs: InputRun<typeof parameters>["inputs"],
  progress: InputRun<typeof parameters>["progress"],
): AsyncGenerator<Uint8Array> {
  let doneBytes = 0;
  for (const input of inputs) {
    for await (const block of blocksOf(input.open())) {
      yield block;
      doneBytes += block.length;
      progress(doneBytes);
    }
  }
}

/** Words that are as frequent come in their own order. Sorts no more than is taken. */
function* mostFrequentFirst(counts: ReadonlyMap<string, number>): Generator<[word: string, count: number]> {
  const wordsOf = new Map<number, string[]>();
  for (const [word, count] of counts) {
    const words = wordsOf.get(count);
    if (words === undefined) wordsOf.set(count, [word]);
    else words.push(word);
  }
  for (const [count, words] of [...wordsOf].toSorted(([left], [right]) => right - left)) {
    for (const word of words.toSorted(compareWords)) yield [word, count];
  }
}

const sum = (left: number, right: number): number => left + right;

export const inputDemo = defineInputDemo({
  about: "counts the words of files, the most frequent first",
  files: "FILE...",
  parameters,

  async run({ params, ctx, inputs, print, progress }) {
    const table = new WordTable();
    const counts = await mapReduce(
      blocksOfAll(inputs, progress),
      {
        map(block, _emit: Emit<string, number>) {
          table.add(block);
        },
        finish: (emit) => table.takeAll(emit),
        combine: sum,
        reduce: (_, parts) => parts.reduce(sum),
      },
      // A map that never waits gains nothing by a second mapper.
      { name: "word count", mappers: 1, signal: ctx.signal },
    );
    print("Word count results:");
    let left = params.top > 0 ? params.top : Number.POSITIVE_INFINITY;
    for (const [word, count] of mostFrequentFirst(counts)) {
      if (left-- === 0) break;
      print(`  ${word}: ${count}`);
    }
  },
});
