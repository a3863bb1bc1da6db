/** The calls that own what they start. */
import { mapReduce } from "concurrency-model-patterns/mapreduce";
import { produceConsume } from "concurrency-model-patterns/producer-consumer";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import type { RunSubject } from "../kinds/run.ts";
import { signalOf } from "./signal-of.ts";

export const runs = {
  timeout: {
    concurrency: 1,
    ownCode: "TIMEOUT",
    run: (work, options) => timeout((ctx) => work(ctx), { ...signalOf(options), timeoutMs: 4 }),
  },
  produceConsume: {
    concurrency: 2,
    run: (work, options) =>
      produceConsume([[1, 2], [3], [4]], (_, { ctx }) => work(ctx), {
        ...signalOf(options),
        capacity: 1,
        consumers: 2,
      }),
  },
  mapReduce: {
    concurrency: 2,
    run: (work, options) =>
      mapReduce(
        [1, 2, 3],
        {
          map: async (item: number, emit: (key: number, value: number) => void, ctx) => {
            await work(ctx);
            emit(item % 2, item);
          },
          reduce: (_, __, ctx) => work(ctx),
        },
        { ...signalOf(options), mappers: 2, reducers: 2 },
      ),
  },
  taskGroup: {
    concurrency: 3,
    run: (work, options) =>
      TaskGroup.run(async (group) => {
        for (let task = 0; task < 3; task++) group.go(work);
        await group.wait();
      }, options),
  },
} satisfies Record<string, RunSubject>;
