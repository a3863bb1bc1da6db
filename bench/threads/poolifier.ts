/** Its threads begin with a file that makes one of its own workers. */
import { peer } from "../peers.ts";
import { busy, type Job, next, tiny } from "./jobs.ts";

const { ThreadWorker } = (await peer("poolifier")) as {
  readonly ThreadWorker: new (functions: Readonly<Record<string, (data: never) => unknown>>) => unknown;
};

export const worker = new ThreadWorker({
  tiny: (job: Job) => tiny(job),
  next: (n: number) => next(n),
  busy: (ms: number) => busy(ms),
});
