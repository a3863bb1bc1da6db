/** Goes on for a long time with mixes of everything, and watches the heap. */
import { Channel } from "concurrency-model-patterns/channel";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { fanOut } from "concurrency-model-patterns/fan";
import { mapReduce } from "concurrency-model-patterns/mapreduce";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { produceConsume } from "concurrency-model-patterns/producer-consumer";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { Supervisor } from "concurrency-model-patterns/supervisor";
import { sleep } from "concurrency-model-patterns/timers";
import { check, sorted, together } from "../support/programs.ts";
import { houseMix, trafficMix } from "./mixes.ts";
import { say, SEED, SHARE } from "./share.ts";

const MINUTES = 30;
const MOST_GROWTH_BYTES = 16 * 1024 * 1024;
const inputs = [1, 2, 3, 4, 5, 6];
const squares = inputs.map((n) => n * n);

const nap = async (n: number): Promise<number> => {
  await sleep(n % 3);
  return n * n;
};

/** Each of the patterns, doing its work. */
const patterns: readonly (() => Promise<void>)[] = [
  async () => check(sorted(await pipeline(inputs).map(nap).toArray()) === sorted(squares), "pipeline"),
  async () => {
    const fan = fanOut(inputs, nap, { workers: 3, ordered: true });
    check((await fan.toArray()).join() === squares.join(), "fan");
  },
  async () => {
    await using pool = new WorkerPool(nap, { workers: 2 });
    check((await Promise.all(inputs.map((n) => pool.run(n)))).join() === squares.join(), "pool");
  },
  async () => {
    let sum = 0;
    const add = async (n: number): Promise<void> => {
      const square = await nap(n);
      sum += square;
    };
    await produceConsume([inputs, inputs], add, { capacity: 2, consumers: 3 });
    check(sum === 182, `${sum}`);
  },
  async () => {
    const bus = new PubSub<{ news: number }>();
    const seen: number[] = [];
    bus.on("news", async (n) => void seen.push(await nap(n)));
    for (const n of inputs) await bus.publish("news", n);
    await bus.drain();
    check(seen.join() === squares.join(), seen.join());
  },
  async () => {
    const limiter = new RateLimiter({ perSecond: 5000, burst: 2 });
    await Promise.all(inputs.map(() => limiter.wait()));
    check(limiter.waiting === 0, "limiter");
  },
  async () => {
    const counts = await mapReduce(["a b", "b"], {
      map: (line, emit: (key: string, value: number) => void) => {
        for (const word of line.split(" ")) emit(word, 1);
      },
      reduce: (_, ones) => ones.length,
    });
    check(counts.get("b") === 2, "map and reduce");
  },
  async () => {
    const flights = new SingleFlight<string, number>();
    const flown = await Promise.all(inputs.map(() => flights.do("key", () => nap(2))));
    check(
      flown.every(({ value }) => value === 4),
      "flights",
    );
  },
  async () => {
    const loop = new EventLoop<{ key: number }>();
    const seen: number[] = [];
    loop.on("key", (n) => void seen.push(n));
    for (const n of inputs) await loop.post("key", n);
    await loop.drain();
    check(seen.join() === inputs.join(), seen.join());
  },
  async () => {
    const pool = new ResourcePool({ create: () => new Channel(1), max: 2 });
    const use = (): Promise<unknown> => pool.use(() => nap(1));
    await together(use, use, use);
    await pool.drain();
    check(pool.active === 0, "resources");
  },
  async () => {
    let attempts = 0;
    const start = async (): Promise<void> => {
      await sleep(1);
      if (++attempts < 3) throw new Error("not yet");
    };
    await new Supervisor([{ id: "one", restart: "transient", start }], { intensity: 5 }).wait();
    check(attempts === 3, `${attempts}`);
  },
];

/** A mix of primitives and patterns at the same time. */
const mixOf = (seed: number) => (): Promise<void> => {
  const [one, other] = [0, 5].map((shift) => patterns[(seed + shift) % patterns.length]);
  return together(
    trafficMix(seed),
    houseMix(seed),
    () => one?.(),
    () => other?.(),
  );
};

/** Runs mixes for half an hour; `run` says in which runtime. Gives how many. */
export async function soak(
  name: string,
  run: (program: () => Promise<void>, seed: number) => Promise<unknown>,
): Promise<number> {
  const end = Date.now() + MINUTES * 60_000 * SHARE;
  let [rounds, settled] = [0, 0];
  for (; Date.now() < end || rounds < 1000; rounds++) {
    const seed = SEED + rounds;
    try {
      await run(mixOf(seed), seed);
    } catch (error) {
      throw new Error(`${name}, seed ${seed}: ${String(error)}`, { cause: error });
    }
    if (rounds === 500) settled = await heapUsed();
  }
  const growth = (await heapUsed()) - settled;
  say(`${name}: ${rounds} mixes, the heap grew by ${growth} bytes`);
  check(growth < MOST_GROWTH_BYTES, `the heap has grown by ${growth} bytes`);
  return rounds;
}

async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}
