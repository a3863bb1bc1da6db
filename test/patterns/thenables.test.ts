/** Callbacks may give anything that has a `then`, and some of these lie: they still end once, and nothing is left. */
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { fanOut } from "concurrency-model-patterns/fan";
import { mapReduce } from "concurrency-model-patterns/mapreduce";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { produceConsume } from "concurrency-model-patterns/producer-consumer";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { LoadingCache } from "concurrency-model-patterns/singleflight/loading-cache";
import { Supervisor } from "concurrency-model-patterns/supervisor";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { retry } from "concurrency-model-patterns/timeout-cancellation/retry";
import { describe, expect } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { ended, endedValue, failureOf } from "../support/outcomes.ts";

type Work = () => Promise<number>;

const failure = new Error("the getter throws");

/** Succeeds, twice, then fails, then throws: only the first counts. */
const talkative = (): unknown => ({
  // oxlint-disable-next-line unicorn/no-thenable -- that is what this is about
  then(resolve: (value: number) => void, reject: (error: unknown) => void): never {
    resolve(7);
    resolve(8);
    reject(new Error("late"));
    throw new Error("later");
  },
});

/** Fails as soon as somebody looks whether it is a promise. */
const hostile = (): unknown => ({
  // oxlint-disable-next-line unicorn/no-thenable -- that is what this is about
  get then(): never {
    throw failure;
  },
});

/** Runs the work in each of the patterns, and gives what came of it. */
const patterns: Readonly<Record<string, (work: Work) => Promise<unknown>>> = {
  "a stage of a pipeline": async (work) => (await pipeline([1]).map(work, { concurrency: 2 }).toArray())[0],
  "a worker of a fanOut": async (work) => (await fanOut([1], work, { workers: 2 }).toArray())[0],
  "a job of a pool": async (work) => {
    await using pool = new WorkerPool<number, number>(work, { workers: 1 });
    return await pool.run(1);
  },
  "the setup of a worker": async (work) => {
    const pool = new WorkerPool((_: number, { state }) => state, { workers: 1, setup: work });
    const result = await ended(pool.run(1));
    await ended(pool.drain()); // which tells the same failure
    return endedValue(result);
  },
  "a consumer": async (work) => {
    await produceConsume([[1]], () => work() as never, { capacity: 1 });
    return 7;
  },
  "a child of a supervisor": async (work) => {
    const start = (): Promise<void> => work() as never;
    await new Supervisor([{ id: "child", restart: "transient", start }], { intensity: 0 }).wait();
    return 7;
  },
  "a subscriber": async (work) => {
    const bus = new PubSub<{ topic: number }>();
    const errors: unknown[] = [];
    bus.on("topic", () => work() as never, { onError: (error) => void errors.push(error) });
    await bus.publish("topic", 1);
    await bus.drain();
    for (const error of errors) throw error;
    return 7;
  },
  timeout: (work) => timeout(work, { timeoutMs: 1000 }),
  retry: (work) => retry(work, { attempts: 1 }),
  "a map": async (work) => {
    const map = (_: number, emit: (key: number, value: number) => void): Promise<void> => {
      emit(7, 7);
      return work() as never;
    };
    return (await mapReduce([1], { map, reduce: (key) => key })).get(7);
  },
  "a reduce": async (work) => {
    const map = (_: number, emit: (key: number, value: number) => void): void => emit(1, 1);
    return (await mapReduce([1], { map, reduce: work })).get(1);
  },
  "a flight": async (work) => (await new SingleFlight<string, number>().do("key", work)).value,
  "the load of a cache": (work) => new LoadingCache(work, { ttlMs: 1000 }).get("key"),
  "a handler of an event loop": async (work) => {
    const loop = new EventLoop<{ event: number }>();
    loop.on("event", () => work() as never);
    await loop.post("event", 1);
    loop.close();
    await loop.run();
    return 7;
  },
  "the create of a resource": async (work) => {
    await using pool = new ResourcePool({ create: work, max: 1 });
    return await pool.use((resource) => resource);
  },
  "the use of a resource": async (work) => {
    await using pool = new ResourcePool({ create: () => 1, max: 1 });
    return await pool.use(work);
  },
};

describe("what is given for a promise", () => {
  for (const [name, run] of Object.entries(patterns)) {
    inBothRuntimes(
      `may end twice or throw when it is looked at: ${name}`,
      async () => {
        expect(await run(talkative as Work)).toBe(7);
        const error = await failureOf(run(hostile as Work));
        expect(name === "a child of a supervisor" ? (error as Error).cause : error).toBe(failure);
      },
      5,
    );
  }
});
