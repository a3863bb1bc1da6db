/** Pools: many jobs handed over at once, eight at work. */
import { WorkerPool } from "../src/patterns/pools.ts";
import type { NodeVariant, Rounds, Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";
import { checkInOrder, numbers, work } from "./work.ts";

const WORKERS = 8;
const JOBS = 100_000;

/** Hands a job over, and gives its result. */
type Run = (n: number) => Promise<number>;

async function all(run: Run, jobs: number): Promise<void> {
  checkInOrder(await Promise.all(Array.from(numbers(jobs), run)), jobs);
}

const variant = (who: NodeVariant["who"], idiom: string, load: () => Promise<Run> | Run): NodeVariant => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const run = await load();
    return (jobs) => all(run, jobs);
  },
});

const HANDLER = "one handler for all jobs";
const FUNCTIONS = "a function for each job";

function ours(): Run {
  const pool = new WorkerPool(work, { workers: WORKERS, capacity: JOBS });
  return (n) => pool.run(n);
}

async function fastq(): Promise<Run> {
  const { default: queue } = (await peer("fastq")) as {
    readonly default: {
      readonly promise: (work: Run, concurrency: number) => { push(n: number): Promise<number> };
    };
  };
  const jobs = queue.promise(work, WORKERS);
  return (n) => jobs.push(n);
}

async function asyncQueue(): Promise<Run> {
  const { queue } = (await peer("async")) as {
    readonly queue: (work: Run, concurrency: number) => { pushAsync(n: number): Promise<number> };
  };
  const jobs = queue(work, WORKERS);
  return (n) => jobs.pushAsync(n);
}

async function pQueue(): Promise<Run> {
  const { default: Queue } = (await peer("p-queue")) as {
    readonly default: new (options: {
      readonly concurrency: number;
    }) => { add(job: () => Promise<number>): Promise<number> };
  };
  const jobs = new Queue({ concurrency: WORKERS });
  return (n) => jobs.add(() => work(n));
}

async function pLimit(): Promise<Run> {
  const { default: limiter } = (await peer("p-limit")) as {
    readonly default: (concurrency: number) => (job: () => Promise<number>) => Promise<number>;
  };
  const limit = limiter(WORKERS);
  return (n) => limit(() => work(n));
}

async function asyncSema(): Promise<Run> {
  const { Sema } = (await peer("async-sema")) as {
    readonly Sema: new (
      permits: number,
      options: { readonly capacity: number },
    ) => { acquire(): Promise<unknown>; release(): void };
  };
  const gate = new Sema(WORKERS, { capacity: JOBS });
  return async (n) => {
    await gate.acquire();
    try {
      return await work(n);
    } finally {
      gate.release();
    }
  };
}

/** A number, and an array of those who wait. With `shift` it takes forty times as long; without, it only grows. */
function naive(): Run {
  let free = WORKERS;
  const waiting: (() => void)[] = [];
  let first = 0;
  return async (n) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    const result = await work(n);
    const next = waiting[first];
    if (next === undefined) free++;
    else {
      first++;
      next();
    }
    return result;
  };
}

const NOTE =
  `Of the profile 64 % is the collection of garbage: ${JOBS} jobs wait, and are copied as they become old; to hand them over ` +
  "takes two thirds of the processor's time. A job that waits keeps 270 bytes. It was 481 when it had a promise of its own to be " +
  "started by, in the async context of its caller, which async.queue and fastq lose, and when what was young hung on jobs that " +
  "were old and done; by the processor's time it took 1.6 times as long. What is left is the place in a list from which it can " +
  "leave at once, and the promise for its caller and its reaction. Tried: 32 bytes less, by whole milliseconds and by fields " +
  "that most jobs do without, 1.03 times as fast.";

export const pools: Subject = {
  name: "pools",
  title: "Pools",
  cases: [
    {
      name: "jobs",
      operation: `a job of ${JOBS} that are handed over at once and then waited for, ${WORKERS} at work`,
      operations: JOBS,
      variants: {
        ours: variant("ours", HANDLER, ours),
        fastq: variant("peer", HANDLER, fastq),
        "async.queue": variant("peer", HANDLER, asyncQueue),
        "p-queue": variant("peer", FUNCTIONS, pQueue),
        "p-limit": variant("peer", FUNCTIONS, pLimit),
        "async-sema": variant("peer", FUNCTIONS, asyncSema),
        "array of resolvers": variant("naive", FUNCTIONS, naive),
        "no limit": variant("floor", "", () => work),
        Go: { who: "go", idiom: HANDLER, program: "pools" },
      },
      goals: [
        { of: "ours", versus: "best peer", atLeast: 1.3, note: NOTE },
        { of: "ours", versus: "p-limit", atLeast: 2.5, note: NOTE },
      ],
    },
  ],
};
