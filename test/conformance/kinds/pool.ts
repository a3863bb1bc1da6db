/** What does jobs, so many at once. */
import { TaskGroup } from "concurrency-model-patterns/task-group";
import type { Pool } from "concurrency-model-patterns/pools";
import type { Context } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import { ended } from "../../support/outcomes.ts";
import {
  below,
  codeOf,
  type Crowd,
  Failure,
  Gauge,
  type Jam,
  ownerOf,
  type Scene,
  type Subject,
} from "../subject.ts";

/** What a worker does with a job. */
export type Work = (job: number, ctx: Context) => Promise<number>;

/** Makes a pool of so many workers. */
export type MakePool = (
  work: Work,
  size: { readonly workers: number; readonly capacity: number },
) => Pool<number, number>;

/** How many jobs a pool takes on before they are done. */
export interface Ahead {
  /** So many jobs a worker may have that it is at or about to begin. */
  readonly perWorker: number;
  /** So many jobs of a loop over a source are in the pool. */
  readonly perLoop: number;
}

function poolCrowd(make: MakePool, { perWorker }: Ahead): Crowd {
  const size = { workers: 2, capacity: 2 };
  const cause = new Error("the pool was cancelled");
  const busy = new Gauge();
  const begun: number[] = [];
  const done: number[] = [];
  let made = 0;
  let state: "open" | "closed" | "cancelled" = "open";
  const pool = make(async (job, ctx) => {
    begun.push(job);
    busy.enter();
    try {
      await sleep(below(4), below(2) === 0 ? ctx : {});
      if (job % 1000 === 0) throw new Failure(job / 1000);
      return -job;
    } finally {
      busy.leave();
    }
  }, size);
  const check = async (job: number, run: Promise<number> | undefined): Promise<void> => {
    if (run === undefined) return;
    expect(await run, "a caller gets the result of its own job").toBe(-job);
    done.push(job);
  };
  /** A job carries its caller, and fails now and then. */
  const jobOf = (n: number): number => n * 1000 + (made++ % 3 === 0 ? 0 : made);
  return {
    parties: [
      {
        name: "run",
        call: (n, options) => {
          const job = jobOf(n);
          return check(job, pool.run(job, options));
        },
      },
      {
        name: "tryRun",
        call: async (n, options) => {
          const job = jobOf(n);
          await check(job, pool.tryRun(job, options));
        },
      },
    ],
    checkBounds: () => {
      expect(busy.most, "promise 2: active <= workers").toBeLessThanOrEqual(size.workers);
      expect(pool.active).toBeLessThanOrEqual(size.workers * perWorker);
    },
    explains: (error, n) => {
      const failed = ownerOf(error);
      if (failed !== undefined) return failed === n;
      if (error === cause) return state === "cancelled";
      return codeOf(error) === "CLOSED" && state !== "open";
    },
    close: () => {
      state = "closed";
      pool.close();
    },
    end: async () => {
      if (below(2) === 0) {
        state = "cancelled";
        pool.cancel(cause);
      } else state = "closed";
      await pool.drain();
    },
    checkAccounts: () => {
      expect([pool.active, pool.waiting, pool.size, busy.now], "promise 4: nothing is left").toEqual([
        0, 0, 0, 0,
      ]);
      const unique = new Set(begun.filter((job) => job % 1000 !== 0));
      expect(unique.size, "promise 3: no job is done twice").toBe(
        begun.filter((job) => job % 1000 !== 0).length,
      );
      for (const job of done) expect(unique.has(job), "promise 3: what was done was worked on").toBe(true);
    },
  };
}

/** All workers are busy. */
async function poolJam(make: MakePool): Promise<Jam> {
  const gate = new AbortController();
  const served: number[] = [];
  const work: Work = async (job) => {
    if (job < 0) await ended(sleep(Number.POSITIVE_INFINITY, gate));
    else served.push(job);
    return job;
  };
  const pool = make(work, { workers: 1, capacity: 1 });
  await pool.ready();
  const first = pool.run(-1);
  return {
    call: (n, options) => pool.run(n, options),
    waiting: () => pool.waiting,
    served,
    free: () => gate.abort(),
    end: async () => {
      await first;
      await pool.drain();
    },
  };
}

/** One job, among a stream of jobs that does not end. */
async function jobInStream(make: MakePool, { perLoop }: Ahead): Promise<void> {
  let done = 0;
  const pool = make(
    async (job) => {
      await sleep(1);
      if (job === 0) done++;
      return job;
    },
    { workers: 2, capacity: 100 },
  );
  let over = false;
  const isOver = (): boolean => over;
  const endless = async function* (): AsyncGenerator<number> {
    while (!isOver()) yield 0;
  };
  await TaskGroup.run(async (group) => {
    group.go(() => pool.map(endless).forEach(() => {}));
    await sleep(10);
    const before = done;
    await pool.run(1);
    expect(done - before, "promise 5: nobody overtakes").toBeLessThanOrEqual(perLoop + 4);
    over = true;
  });
  await pool.drain();
}

const ONE = { workers: 1, capacity: 1 };

async function ofEachCaller(make: MakePool, { owner, other, callback }: Scene): Promise<void> {
  const work: Work = async (job) => {
    if (job === 1) callback();
    return job;
  };
  const pool = other(() => make(work, ONE));
  await Promise.all([other(() => pool.run(0)), owner(() => pool.run(1)), other(() => pool.run(0))]);
  await pool.drain();
}

export function poolSubject(make: MakePool, ahead: Ahead = { perWorker: 1, perLoop: 2 }): Subject {
  return {
    crowds: { "": () => poolCrowd(make, ahead) },
    jams: { run: () => poolJam(make) },
    rivals: { "one job in a stream": () => jobInStream(make, ahead) },
    callbacks: { "a job": (scene) => ofEachCaller(make, scene) },
    busy: {
      "short jobs": async (over) => {
        const pool = make((job) => Promise.resolve(job), ONE);
        while (!over()) await pool.run(1);
        await pool.drain();
      },
    },
    failing: {
      run: async (work) => {
        await using pool = make(work, ONE);
        await pool.run(1);
      },
    },
    closed: {
      "run, once it is cancelled": async (cause) => {
        await using pool = make((job, ctx) => sleep(job, ctx).then(() => job), ONE);
        const jobs = [pool.run(10), pool.run(10)].map(ended);
        await sleep(1);
        pool.cancel(cause);
        for (const end of await Promise.all(jobs))
          expect(end, "promise 7: its jobs fail with the cause").toEqual({ error: cause });
        await pool.run(1);
      },
    },
  };
}
