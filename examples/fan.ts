/** Fan-out/fan-in: one source of work, four workers, one collector. */
import type { Context } from "concurrency-model-patterns/context";
import { fanOut } from "concurrency-model-patterns/fan";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Fan-out/Fan-in Pattern",
  about: [
    "One source makes work items. Several workers take them, whoever is free",
    "the next one, and work at the same time. One collector gets the results",
    "as they come: so they leave the order in which the items were made.",
  ],
  tryThis: ["cmp-pattern --fan --items 40 --workers 8", "cmp-pattern --fan --input README.md LICENSE"],
  parameters: {
    items: whole("how many work items to make", 20, 1, 100_000),
    workers: whole("how many workers to share them", 4, 1, 1000),
  },

  async run({ params, ctx, print, between }) {
    print(`Distributing ${params.items} work items across ${params.workers} workers...`);
    print();

    async function* generate(source: Context): AsyncGenerator<number> {
      for (let item = 0; item < params.items; item++) {
        print(`Generated work item: ${item}`);
        yield item;
        await sleep(50, source);
      }
    }

    const results = fanOut(
      generate,
      async (item, { worker, ctx }) => {
        await sleep(between(100, 300), ctx);
        print(`Worker ${worker} processed item ${item}`);
        return `processed-data-${item}-by-worker-${worker}`;
      },
      { workers: params.workers, signal: ctx.signal },
    );

    let processed = 0;
    for await (const result of results) {
      print(`Processed: ${result}`);
      processed++;
    }
    print();
    print(`Fan-out/Fan-in completed! Processed ${processed} items.`);
  },
});
