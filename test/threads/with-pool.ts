/** What tests of a pool of threads begin with. */
import { type ThreadOptions, type ThreadPool, threadPool } from "concurrency-model-patterns/threads";
import { expect } from "vitest";
import type * as functions from "./jobs.mjs";

export type Jobs = typeof functions;
export const jobs = new URL("jobs.mjs", import.meta.url);

/** Runs `body` with a pool whose module is loaded, and sees that its threads have gone at the end. */
export async function withPool<T>(
  options: ThreadOptions,
  body: (pool: ThreadPool<Jobs>) => Promise<T>,
): Promise<T> {
  const pool = threadPool<Jobs>(jobs, { workers: 2, ...options });
  try {
    await pool.ready();
    return await body(pool);
  } finally {
    pool.cancel();
    await pool.drain();
    expect(pool.size).toBe(0);
  }
}

/** Real threads take real time; how much is never part of a test. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no failure",
    (error: unknown) => error,
  );
