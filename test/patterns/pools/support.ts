/** Pools whose jobs are the milliseconds that they take. */
import { type JobContext, WorkerPool, type WorkerPoolOptions } from "concurrency-model-patterns/pools";
import { sleep } from "concurrency-model-patterns/timers";

/** A pool that sleeps, and gives back how long. Its jobs listen to their context. */
export function sleepers(options: WorkerPoolOptions): WorkerPool<number, number> {
  const handler = async (ms: number, { ctx }: JobContext): Promise<number> => {
    await sleep(ms, ctx);
    return ms;
  };
  return new WorkerPool(handler, { name: "sleepers", ...options });
}

/** The whole numbers from 0. */
export function numbers(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
