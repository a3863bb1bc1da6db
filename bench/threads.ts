/** Thread pools: small jobs and long ones, all handed over at once, on two threads. */
import { Worker } from "node:worker_threads";
import { threadPool } from "../src/node/threads.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";
import type * as functions from "./threads/jobs.ts";
import { tiny, type Job } from "./threads/jobs.ts";

const THREADS = 2;
const BUSY_MS = 1;
/** For pools with a bound of their own. */
const ENOUGH = 100_000;

const jobs = new URL("./threads/jobs.js", import.meta.url);

/** Has a function called in a thread. */
interface Calls {
  readonly tiny: (job: Job) => PromiseLike<unknown>;
  readonly busy: (ms: number) => PromiseLike<unknown>;
}

type Load = () => Promise<Calls> | Calls;

async function small({ tiny }: Calls, count: number): Promise<void> {
  const results = (await Promise.all(
    Array.from({ length: count }, (_, n) => tiny({ k: n, x: n })),
  )) as readonly Job[];
  for (let n = 0; n < count; n++) {
    check(results[n]?.k, n);
    check(results[n]?.x, n + 1);
  }
}

/** What is lost: the share of the time of the threads in which they do no job. */
async function lost({ busy }: Calls, count: number): Promise<number> {
  const sinceMs = performance.now();
  const results = await Promise.all(Array.from({ length: count }, () => busy(BUSY_MS)));
  const tookMs = performance.now() - sinceMs;
  check(results.length, count);
  return 100 * (1 - (count * BUSY_MS) / THREADS / tookMs);
}

function ours(): Calls {
  const pool = threadPool<typeof functions>(jobs, { workers: THREADS, capacity: ENOUGH });
  return { tiny: (job) => pool.run("tiny", job), busy: (ms) => pool.run("busy", ms) };
}

interface Piscina {
  run(job: unknown, options: { readonly name: string }): Promise<unknown>;
}

type PiscinaClass = new (options: Readonly<Record<string, unknown>>) => Piscina;

const piscinaOf = (Pool: PiscinaClass, options: Readonly<Record<string, unknown>>): Calls => {
  const sizes = { minThreads: THREADS, maxThreads: THREADS };
  const pool = new Pool({ filename: jobs.href, ...sizes, ...options });
  return { tiny: (job) => pool.run(job, { name: "tiny" }), busy: (ms) => pool.run(ms, { name: "busy" }) };
};

async function piscina(options: Readonly<Record<string, unknown>> = {}): Promise<Calls> {
  const { Piscina } = (await peer("piscina")) as { readonly Piscina: PiscinaClass };
  return piscinaOf(Piscina, options);
}

async function tinypool(): Promise<Calls> {
  const { Tinypool } = (await peer("tinypool")) as { readonly Tinypool: PiscinaClass };
  return piscinaOf(Tinypool, {});
}

async function poolifier(): Promise<Calls> {
  const { FixedThreadPool } = (await peer("poolifier")) as {
    readonly FixedThreadPool: new (
      threads: number,
      file: string,
    ) => { execute(job: unknown, name: string): Promise<unknown> };
  };
  const file = new URL("./threads/poolifier.js", import.meta.url).pathname;
  const pool = new FixedThreadPool(THREADS, file);
  return { tiny: (job) => pool.execute(job, "tiny"), busy: (ms) => pool.execute(ms, "busy") };
}

async function workerpool(): Promise<Calls> {
  const { default: made } = (await peer("workerpool")) as {
    readonly default: {
      pool(
        file: string,
        options: Readonly<Record<string, unknown>>,
      ): { exec(name: string, args: readonly unknown[]): PromiseLike<unknown> };
    };
  };
  const file = new URL("./threads/workerpool.js", import.meta.url).pathname;
  const pool = made.pool(file, { minWorkers: THREADS, maxWorkers: THREADS, workerType: "thread" });
  return { tiny: (job) => pool.exec("tiny", [job]), busy: (ms) => pool.exec("busy", [ms]) };
}

/** Messages to threads in turn, and an answer to each: no limit, no failure, no end. */
function messages(): Calls {
  const open = new Map<number, (result: unknown) => void>();
  const file = new URL("./threads/messages.js", import.meta.url);
  const threads = Array.from({ length: THREADS }, () => new Worker(file));
  for (const thread of threads) {
    thread.on("message", ({ id, job }: { readonly id: number; readonly job: Job }) => {
      open.get(id)?.(job);
      open.delete(id);
    });
  }
  let last = 0;
  const call = (job: unknown): Promise<unknown> =>
    new Promise((resolve) => {
      open.set(++last, resolve);
      threads[last % THREADS]?.postMessage({ id: last, job });
    });
  return { tiny: call, busy: call };
}

/** The process ends with its rounds, and its threads with it. */
const variant = (
  who: NodeVariant["who"],
  idiom: string,
  load: Load,
  round: (calls: Calls, count: number) => Promise<number | void>,
): NodeVariant => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const calls = await load();
    await calls.tiny({ k: 0, x: 0 });
    return (count) => round(calls, count);
  },
});

const peers: Readonly<Record<string, readonly [idiom: string, load: Load]>> = {
  piscina: ["", piscina],
  "piscina, 16 a thread": ["several jobs a thread at once", () => piscina({ concurrentTasksPerWorker: 16 })],
  tinypool: ["", tinypool],
  poolifier: ["", poolifier],
  workerpool: ["", workerpool],
};

const variants = (round: (calls: Calls, count: number) => Promise<number | void>) => ({
  ours: variant("ours", "", ours, round),
  ...Object.fromEntries(
    Object.entries(peers).map(([name, [idiom, load]]) => [name, variant("peer", idiom, load, round)]),
  ),
});

export const threads: Subject = {
  name: "threads",
  title: "Threads",
  cases: [
    {
      name: "small",
      operation: `a job of a few microseconds, an object there and one back, all handed over at once, ${THREADS} threads`,
      operations: 20_000,
      variants: {
        ...variants(small),
        "no pool": variant("naive", "a message each", messages, small),
        "no thread": variant(
          "floor",
          "a call each",
          () => ({ tiny: async (job) => tiny(job), busy: async (ms) => ms }),
          small,
        ),
      },
      goals: [
        { of: "ours", versus: "poolifier", atLeast: 1.5 },
        { of: "ours", versus: "piscina", atLeast: 4 },
      ],
    },
    {
      name: "long",
      operation: `jobs of ${BUSY_MS} ms on ${THREADS} threads: the share of their time that is lost`,
      unit: "%",
      operations: { full: 1000, quick: 300 },
      variants: variants(lost),
      goals: [{ of: "ours", atMost: 10 }],
    },
  ],
};
