/** MapReduce on real input: counts the words of files, which may be larger than memory. */
import { type Emit, mapReduce } from "concurrency-model-patterns/mapreduce";
import { countBytes } from "concurrency-model-patterns/threads/mapreduce/count";
import { jobParameters, memoryMbFor, runJob } from "./file-job.ts";
import { defineInputDemo, type InputRun } from "./input-demo.ts";
import { whole } from "./parameters.ts";
import { WordTable } from "./word-table.ts";
import { blocksOf, compareWords } from "./words.ts";

const parameters = {
  top: whole("how many words to show; 0 shows all", 0, 0, 1_000_000_000),
  ...jobParameters,
};

type Run = InputRun<typeof parameters>;
type WordCount = readonly [word: string, count: number];

/** For less, threads take longer to start than the work. */
const WORTH_THREADS_BYTES = 4e6;

/** The inputs one after the other, in blocks. No word spans two of them. */
async function* blocksOfAll(inputs: Run["inputs"], progress: Run["progress"]): AsyncGenerator<Uint8Array> {
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
function* mostFrequentFirst(counts: ReadonlyMap<string, number>, most: number): Generator<WordCount> {
  let left = most;
  const wordsOf = new Map<number, string[]>();
  for (const [word, count] of counts) {
    const words = wordsOf.get(count);
    if (words === undefined) wordsOf.set(count, [word]);
    else words.push(word);
  }
  for (const [count, words] of [...wordsOf].toSorted(([left], [right]) => right - left)) {
    for (const word of words.toSorted(compareWords)) {
      if (left-- === 0) return;
      yield [word, count];
    }
  }
}

/** On threads, for which words are slices of bytes until the last. */
async function countOnThreads({ params, ctx, inputs, host, progress }: Run): Promise<Iterable<WordCount>> {
  const files: string[] = [];
  for (const input of inputs) files.push(await host.pathOf(input));
  const threads = params.threads || host.cores;
  await using counts = await countBytes(files, new URL("./word-count-thread.js", import.meta.url), {
    threads,
    memoryMb: memoryMbFor(params.memory, threads),
    spillFolder: host.scratchFolder(),
    signal: ctx.signal,
    onProgress: ({ bytes }) => progress(bytes),
  });
  return await counts.top(params.top || Number.MAX_SAFE_INTEGER, ctx);
}

const sum = (left: number, right: number): number => left + right;

/** On this event loop, from where whatever it is may come. */
async function countHere({ params, ctx, inputs, progress }: Run): Promise<Iterable<WordCount>> {
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
  return mostFrequentFirst(counts, params.top || Number.POSITIVE_INFINITY);
}

export const inputDemo = defineInputDemo({
  about: "counts words, the most frequent first, or does --job",
  files: "FILE...",
  inputs: "together",
  parameters,

  needsThreads: ({ threads, job }) => threads > 0 || job !== undefined,

  check({ top, job, output, force }) {
    if (job === undefined && output !== undefined) return "--output needs --job";
    if (output === undefined && force) return "--force needs --output";
    return job !== undefined && top > 0 ? "--top has no use for --job" : undefined;
  },

  async run(run) {
    const { params, inputs, host, print } = run;
    if (params.job !== undefined) return runJob(params.job, run);
    const bytes = inputs.reduce((sum, { path, size = 0 }) => (path === undefined ? sum : sum + size), 0);
    const files = inputs.every(({ path }) => path !== undefined);
    const large = files && bytes >= WORTH_THREADS_BYTES && host.cores > 1;
    const counts = await (params.threads > 0 || large ? countOnThreads(run) : countHere(run));
    print("Word count results:");
    for (const [word, count] of counts) print(`  ${word}: ${count}`);
  },
});
