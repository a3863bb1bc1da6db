/** Pipeline: three stages that run at the same time, each passing its numbers on to the next. */
import type { Context } from "concurrency-model-patterns/context";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Pipeline Pattern",
  about: [
    "Three stages run at the same time, joined by channels without a buffer:",
    "one makes random numbers, one squares them, one adds 10. The second is",
    "the slowest, so it sets the pace of all three.",
  ],
  tryThis: ["cmp-pattern --pipeline --items 3 --speed 0.5", "seq 1 5 | cmp-pattern --pipeline --input -"],
  parameters: {
    items: whole("how many numbers to send through", 10, 1, 100_000),
  },

  async run({ params, ctx, print, between }) {
    print("Pipeline stages:");
    print("1. Generate numbers");
    print("2. Square numbers");
    print("3. Add 10");
    print();

    async function* generate(stage: Context): AsyncGenerator<number> {
      for (let i = 0; i < params.items; i++) {
        const n = between(1, 11);
        print(`Generated: ${n}`);
        yield n;
        await sleep(100, stage);
      }
    }

    async function* square(numbers: AsyncIterable<number>, stage: Context): AsyncGenerator<number> {
      for await (const n of numbers) {
        print(`Squared ${n} -> ${n * n}`);
        yield n * n;
        await sleep(150, stage);
      }
    }

    async function* addTen(numbers: AsyncIterable<number>, stage: Context): AsyncGenerator<number> {
      for await (const n of numbers) {
        print(`Added 10 to ${n} -> ${n + 10}`);
        yield n + 10;
        await sleep(100, stage);
      }
    }

    const results = pipeline(generate, { name: "generate", signal: ctx.signal })
      .through(square, { name: "square" })
      .through(addTen, { name: "add ten" });
    await results.forEach((n) => print(`Result: ${n}`));
    print("Pipeline completed!");
  },
});
