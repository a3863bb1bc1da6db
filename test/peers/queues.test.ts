/** Queues of jobs: what was accepted must settle, in the context of who asked for it, and the queue must have an end. */
import { AsyncLocalStorage } from "node:async_hooks";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { fate, pause, peer, theyFailWePass } from "./duel.ts";

interface PQueueModule {
  readonly default: new (
    options: object,
  ) => {
    readonly size: number;
    add<T>(job: () => Promise<T>): Promise<T>;
    clear(): void;
  };
}

interface FastqModule {
  readonly default: {
    promise<I, O>(
      worker: (job: I) => Promise<O>,
      workers: number,
    ): { push(job: I): Promise<O>; kill(): void };
  };
}

interface PLimitModule {
  readonly default: (workers: number) => {
    <T>(job: () => Promise<T>): Promise<T>;
    clearQueue(): void;
  };
}

interface Observable {
  pipe(...operators: unknown[]): Observable;
  subscribe(): { unsubscribe(): void };
}

interface RxModule {
  readonly range: (start: number, count: number) => Observable;
  readonly tap: (effect: () => void) => unknown;
  readonly mergeMap: (work: () => Promise<unknown>, workers: number) => unknown;
}

const given = { seen: "rejects", program: givenUp };

/** A job that waits behind another when the pool is cancelled. */
async function givenUp(): Promise<string> {
  const pool = new WorkerPool(() => pause(20), { workers: 1 });
  const jobs = [pool.run(undefined), pool.run(undefined)];
  jobs[0]?.catch(() => {});
  pool.cancel();
  return fate(jobs[1] as Promise<void>);
}

theyFailWePass(
  "a queued job when the queue is cleared",
  "p-queue",
  {
    seen: "never settles",
    program: async () => {
      const { default: PQueue } = await peer<PQueueModule>("p-queue");
      const queue = new PQueue({ concurrency: 1 });
      void queue.add(() => pause(20));
      const queued = queue.add(() => pause(1));
      queue.clear();
      return fate(queued);
    },
  },
  given,
);

theyFailWePass(
  "a queued job when the queue is killed",
  "fastq",
  {
    seen: "never settles",
    program: async () => {
      const { default: fastq } = await peer<FastqModule>("fastq");
      const queue = fastq.promise(() => pause(20), 1);
      void queue.push(1);
      const queued = queue.push(2);
      queue.kill();
      return fate(queued);
    },
  },
  given,
);

theyFailWePass(
  "a queued job when the queue is cleared",
  "p-limit",
  {
    seen: "never settles",
    program: async () => {
      const { default: pLimit } = await peer<PLimitModule>("p-limit");
      const limit = pLimit(1);
      void limit(() => pause(20));
      const queued = limit(() => pause(1));
      await pause(1);
      limit.clearQueue();
      return fate(queued);
    },
  },
  given,
);

const storage = new AsyncLocalStorage<number>();
const JOBS = 20;

/** How many of the jobs found themselves in the async context of their caller. */
async function atHome(push: (job: number, body: () => Promise<void>) => Promise<unknown>): Promise<number> {
  let right = 0;
  const one = (job: number): Promise<unknown> =>
    storage.run(job, () =>
      push(job, async () => {
        await pause(0);
        if (storage.getStore() === job) right++;
      }),
    );
  await Promise.all(Array.from({ length: JOBS }, (_, job) => one(job)));
  return right;
}

const inContext = {
  seen: JOBS,
  program: async () => {
    await using pool = new WorkerPool((body: () => Promise<void>) => body(), { workers: 1 });
    return await atHome((_, body) => pool.run(body));
  },
};

theyFailWePass(
  "jobs of 20 that run in their caller's async context",
  "p-queue",
  {
    seen: 1,
    program: async () => {
      const { default: PQueue } = await peer<PQueueModule>("p-queue");
      const queue = new PQueue({ concurrency: 1 });
      return atHome((_, body) => queue.add(body));
    },
  },
  inContext,
);

theyFailWePass(
  "jobs of 20 that run in their caller's async context",
  "fastq",
  {
    seen: 1,
    program: async () => {
      const { default: fastq } = await peer<FastqModule>("fastq");
      const queue = fastq.promise((body: () => Promise<void>) => body(), 1);
      return atHome((_, body) => queue.push(body));
    },
  },
  inContext,
);

const MANY = 100_000;

theyFailWePass(
  "jobs of 100,000 that are taken in while none ends",
  "p-queue",
  {
    seen: MANY,
    program: async () => {
      const { default: PQueue } = await peer<PQueueModule>("p-queue");
      const queue = new PQueue({ concurrency: 1 });
      let taken = 0;
      for (; taken < MANY; taken++) void queue.add(() => pause(1));
      queue.clear();
      return taken;
    },
  },
  {
    seen: 8,
    program: async () => {
      await using pool = new WorkerPool(() => pause(1), { workers: 1, capacity: 7 });
      let taken = 0;
      for (let job = 0; job < MANY; job++) if (pool.tryRun(undefined) !== undefined) taken++;
      return taken;
    },
  },
);

const amount = (pulled: number): string => (pulled < 10 ? "a handful" : "all");

theyFailWePass(
  "how many of a million values are pulled for two slow workers",
  "rxjs",
  {
    seen: "all",
    program: async () => {
      const { range, tap, mergeMap } = await peer<RxModule>("rxjs");
      let pulled = 0;
      const counted = range(0, 1_000_000).pipe(tap(() => void pulled++));
      counted
        .pipe(mergeMap(() => pause(10), 2))
        .subscribe()
        .unsubscribe();
      return amount(pulled);
    },
  },
  {
    seen: "a handful",
    program: async () => {
      let pulled = 0;
      function* values(): Generator<number> {
        while (pulled < 1_000_000) yield pulled++;
      }
      for await (const _ of pipeline(values()).map(() => pause(10), { concurrency: 2 })) break;
      return amount(pulled);
    },
  },
);
