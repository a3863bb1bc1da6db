/** Worker pools: three workers take fifteen jobs from one queue. */
import type { Context } from "concurrency-model-patterns/context";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Worker Pools Pattern",
  about: [
    "A fixed number of workers share one queue. Jobs come every 100 ms and",
    "take 200 to 499 ms: about as many as three workers can do. A worker that",
    "is free takes the next job; when all are busy, the sender has to wait.",
  ],
  tryThis: ["cmp-pattern --pools --workers 1 --items 5", "cmp-pattern --pools --input README.md --level 9"],
  parameters: {
    items: whole("how many jobs to send", 15, 1, 100_000),
    workers: whole("how many workers the pool has", 3, 1, 1000),
  },

  async run({ params, ctx, print, between }) {
    await using pool = new WorkerPool(
      async (job: number, { worker, ctx }) => {
        const durationMs = between(200, 500);
        print(`Worker ${worker} processing job ${job} (will take ${durationMs}ms)`);
        await sleep(durationMs, ctx);
        return `Job ${job} completed by worker ${worker} in ${durationMs}ms`;
      },
      {
        workers: params.workers,
        setup: ({ worker }) => print(`Worker ${worker} started`),
        teardown: ({ worker }) => print(`Worker ${worker} finished`),
      },
    );
    await pool.ready(ctx);

    async function* jobs(source: Context): AsyncGenerator<number> {
      for (let job = 1; job <= params.items; job++) {
        print(`Sending job ${job} to pool`);
        yield job;
        await sleep(100, source);
      }
    }

    let processed = 0;
    for await (const result of pool.map(jobs, { ordered: false, signal: ctx.signal })) {
      print(`Result: ${result}`);
      processed++;
    }
    await pool.drain(ctx);
    print();
    print(`Worker pool completed! Processed ${processed} jobs.`);
  },
});
