/** Producer-consumer: several producers fill one bounded buffer, and several consumers empty it. */
import type { Context } from "concurrency-model-patterns/context";
import { type ConsumerContext, produceConsume } from "concurrency-model-patterns/producer-consumer";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Producer-Consumer Pattern",
  about: [
    "Producers put random numbers into a buffer of bounded size; consumers take",
    "them out and work on them. A full buffer holds up the producers, an empty",
    "one the consumers. When the last producer is done, the buffer closes.",
  ],
  tryThis: [
    "cmp-pattern --producer-consumer --consumers 1 --buffer 2",
    "cmp-pattern --producer-consumer --producers 8 --items 3",
  ],
  parameters: {
    producers: whole("how many produce", 2, 1, 1000),
    consumers: whole("how many consume", 3, 1, 1000),
    items: whole("how many numbers each producer makes", 10, 0, 100_000),
    buffer: whole("how many numbers the buffer holds", 5, 0, 100_000),
  },

  async run({ params, ctx, print, between }) {
    const producer = (id: number) =>
      async function* produce(wanted: Context): AsyncGenerator<number> {
        for (let i = 0; i < params.items; i++) {
          const n = between(0, 100);
          print(`Producer ${id} produced: ${n}`);
          yield n;
          await sleep(between(100, 300), wanted);
        }
      };

    const work = async (n: number, { consumer, ctx }: ConsumerContext): Promise<void> => {
      print(`Consumer ${consumer} consumed: ${n}`);
      await sleep(between(100, 400), ctx);
    };

    const producers = Array.from({ length: params.producers }, (_, index) => producer(index + 1));
    const { buffer: capacity, consumers } = params;
    await produceConsume(producers, work, { capacity, consumers, signal: ctx.signal });
    print("Producer-Consumer example completed!");
  },
});
