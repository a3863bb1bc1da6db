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
  `Of the profile 47 % is the collection of garbage, and 26 % the system's part in that: ${JOBS} jobs wait, and are copied as ` +
  "they become old. A job that waits keeps 483 bytes; it was 553 when it kept a function to reject with and a priority of its own, and took " +
  "1.2 times as long. What is left is the place in a list from which it can leave at once, and two promises: one for its " +
  "caller, and one by which it starts in the async context of that caller, which async.queue and fastq lose. Not tried: one " +
  "promise for the start of many jobs that wait far behind, each of which would make its own when the first of them starts.";

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
