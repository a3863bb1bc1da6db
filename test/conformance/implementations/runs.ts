/** The calls that own what they start. */
import { mapReduce } from "concurrency-model-patterns/mapreduce";
import { produceConsume } from "concurrency-model-patterns/producer-consumer";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { sleep } from "concurrency-model-patterns/timers";
import type { RunSubject } from "../kinds/run.ts";
import type { Fail, Subject } from "../subject.ts";
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

/** Goes on for ever, and fails with 2 when it is left. */
function failingWhenLeft(fail: Fail) {
  return async function* (): AsyncGenerator<number> {
    try {
      for (; ; await sleep(0.25)) yield 1;
    } finally {
      await fail(2, 1);
    }
  };
}

/** What is stopped because of a failure, and fails itself. */
export const stopped = {
  produceConsume: {
    secondary: {
      "of a source that is left": (fail) =>
        produceConsume([failingWhenLeft(fail), [1, 2, 3]], () => fail(1, 1), { capacity: 1 }),
      "of another handler": (fail) =>
        produceConsume([[1, 2]], (of) => fail(of, of), { capacity: 1, consumers: 2 }),
      "of a handler whose source has failed": (fail) => {
        const source = async function* (): AsyncGenerator<number> {
          yield 1;
          await fail(1, 1);
        };
        return produceConsume([source], () => fail(2, 2), { capacity: 1, consumers: 2 });
      },
    },
  },
  mapReduce: {
    secondary: {
      "of an input that is left": (fail) =>
        mapReduce(failingWhenLeft(fail), { map: () => fail(1, 1), reduce: () => 0 }),
      "of another map": (fail) =>
        mapReduce([1, 2], { map: (of) => fail(of, of), reduce: () => 0 }, { mappers: 2 }),
    },
  },
} satisfies Record<string, Subject>;
