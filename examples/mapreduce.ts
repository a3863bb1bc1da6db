/** MapReduce: lines are split into words in parallel, grouped by word, and counted in parallel. */
import { type Emit, mapReduce } from "concurrency-model-patterns/mapreduce";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

const LINES = [
  "hello world",
  "hello go",
  "world of concurrency",
  "go programming",
  "concurrency patterns",
  "hello concurrency",
  "go world",
  "patterns in go",
];

export const demo = defineDemo({
  title: "MapReduce Pattern",
  about: [
    "Counts words in three phases. Mappers split lines at the same time and",
    "emit (word, 1); the shuffle groups the ones of each word; reducers add",
    "them up at the same time. No reduce begins before the last map ends.",
  ],
  tryThis: [
    "cmp-pattern --mapreduce --input *.md --top 10",
    "cmp-pattern --mapreduce --job grep --input *.log",
  ],
  parameters: {
    workers: whole("how many map, and reduce, at once", 8, 1, 1000),
  },

  async run({ params, ctx, print, between }) {
    print(`Input data: [${LINES.join(" ")}]`);
    const counts = await mapReduce(
      LINES,
      {
        async map(line, emit: Emit<string, number>, task) {
          for (const word of line.split(" ")) {
            await sleep(between(0, 50), task);
            print(`Map: emitted (${word}, 1)`);
            emit(word, 1);
          }
        },
        async reduce(word, ones, task) {
          await sleep(between(0, 100), task);
          const count = ones.reduce((sum, one) => sum + one, 0);
          print(`Reduce: ${word} -> ${count}`);
          return count;
        },
      },
      {
        mappers: params.workers,
        reducers: params.workers,
        name: "words",
        signal: ctx.signal,
        onGrouped: (word, ones) => print(`Shuffle: grouped ${word} -> [${ones.join(" ")}]`),
      },
    );
    print();
    print("Word count results:");
    for (const [word, count] of counts) print(`  ${word}: ${count}`);
    print();
    print("MapReduce example completed!");
  },
});
