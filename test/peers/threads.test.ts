/** Threads: a job whose thread is gone settles, and one that stops when it is told keeps its thread. */
import { fileURLToPath } from "node:url";
import { threadPool } from "concurrency-model-patterns/threads";
import { beforeAll } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { fate, pause, peer, theyFailWePass } from "./duel.ts";

interface PoolifierModule {
  readonly FixedThreadPool: new (
    threads: number,
    file: string,
    options: object,
  ) => { execute(job: unknown): Promise<unknown>; destroy(): Promise<void> };
}

interface PiscinaModule {
  readonly Piscina: new (
    options: object,
  ) => {
    run(job: unknown, options: object): Promise<unknown>;
    destroy(): Promise<void>;
  };
}

interface ThreadJobs {
  exit(job: undefined): void;
  where(job: undefined): number;
  untilTold(job: undefined): Promise<void>;
}

const jobs = new URL("thread-jobs.mjs", import.meta.url);

beforeAll(buildIfStale);

theyFailWePass(
  "a job whose thread exits with 0",
  "poolifier",
  {
    seen: "never settles",
    program: async () => {
      const { FixedThreadPool } = await peer<PoolifierModule>("poolifier");
      const file = fileURLToPath(new URL("poolifier-thread.mjs", import.meta.url));
      const pool = new FixedThreadPool(1, file, { errorHandler: () => {} });
      const seen = await fate(pool.execute({}));
      void pool.destroy().catch(() => {});
      return seen;
    },
  },
  {
    seen: "rejects",
    program: async () => {
      await using pool = threadPool<ThreadJobs>(jobs, { workers: 1 });
      return await fate(pool.run("exit", undefined));
    },
  },
);

/** Whether a job that is given up costs its thread. */
async function threadAfterAbort(
  run: (name: "where" | "untilTold", signal?: AbortSignal) => Promise<unknown>,
): Promise<string> {
  const before = await run("where");
  const controller = new AbortController();
  const givenUp = run("untilTold", controller.signal).catch(() => {});
  await pause(20);
  controller.abort();
  await givenUp;
  return (await run("where")) === before ? "the same" : "another";
}

theyFailWePass(
  "the thread after a job that was given up",
  "piscina",
  {
    seen: "another",
    program: async () => {
      const { Piscina } = await peer<PiscinaModule>("piscina");
      const pool = new Piscina({ filename: fileURLToPath(jobs), maxThreads: 1, minThreads: 1 });
      const seen = await threadAfterAbort((name, signal) => pool.run(undefined, { name, signal }));
      await pool.destroy();
      return seen;
    },
  },
  {
    seen: "the same",
    program: async () => {
      await using pool = threadPool<ThreadJobs>(jobs, { workers: 1 });
      return await threadAfterAbort((name, signal) => pool.run(name, undefined, { signal }));
    },
  },
);
