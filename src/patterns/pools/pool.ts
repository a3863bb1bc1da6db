/**
 * What every pool of workers can do, wherever its workers run.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";
import type { Flow } from "../../sync/flow.ts";
import { TaskFlow } from "../../sync/flow/task-flow.ts";
import { parallelMap, readingTask } from "../../sync/parallel-map.ts";
import { openSource, type Source } from "../../sync/source.ts";
import type { PoolMapOptions, PoolRunOptions } from "./options.ts";
import type { PoolStats } from "./stats.ts";

/** A pool of workers that do jobs. */
export interface Pool<I, O> extends AsyncDisposable {
  /** How many workers there are. */
  readonly size: number;
  /** How many jobs are being worked on; also one that was given up, until its handler ends. */
  readonly active: number;
  /** How many jobs wait: for a worker, or for room among those. */
  readonly waiting: number;
  /** Whether it is paused. */
  readonly paused: boolean;
  /**
   * Has a job done: waits for room, then for the result.
   *
   * **Guarantees** Workers take jobs in the order of these calls; with priorities, see {@link JobOptions.priority}.
   * **Cancellation** Rejects with the signal's reason, at once. A job that waits leaves its place; one that is being
   * worked on is told by its context, and its worker takes the next one when the handler has ended.
   * **Errors** What the handler throws: it concerns this caller alone. `FullError`, at once, if there is no room and too
   * many wait for it. `TimeoutError` if it waited, or was worked on, for too long; the latter is a cancellation as
   * above. `ClosedError` if the pool is closed, or is closed while this waits for room. The cause of a cancelled pool.
   */
  run(job: I, options?: PoolRunOptions): Promise<O>;
  /** Has a job done if a worker or a place in the queue is free; `undefined` if not. Otherwise like {@link Pool.run}. */
  tryRun(job: I, options?: PoolRunOptions): Promise<O> | undefined;
  /**
   * Has a job done for each value of a source.
   *
   * **Guarantees** Takes from the source only what is about to be done: at most two values more than there are workers.
   * **Cancellation** Leaving the loop, or `signal`, gives up its jobs, and no others, and finishes the source.
   * **Errors** The first failure of the source or of a job ends the loop.
   */
  map(source: Source<I>, options?: PoolMapOptions): Flow<O>;
  /** Waits until every worker can take a job. **Errors** Why a worker could not be set up. */
  ready(options?: CancelOptions): Promise<void>;
  /**
   * Changes how many workers there are. New ones are set up as the first were; those too many leave after the job that
   * they are at, and no job is given up. Does nothing once the pool has ended.
   */
  resize(workers: number): void;
  /** Workers take no more jobs until {@link Pool.resume}; those they are at go on. Does nothing once it is closed. */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /**
   * Gives up every job that waits, for a worker or for room: its caller is rejected with `cause`, by default a
   * `CanceledError`. Jobs that are being worked on go on, and the pool stays open. Returns how many it gave up.
   */
  clear(cause?: unknown): number;
  /** The pool in numbers. */
  readonly stats: PoolStats;
  /**
   * No more jobs. Those that were accepted are done, also if it is paused; callers who wait for room fail with
   * `ClosedError`. Does nothing the second time.
   */
  close(): void;
  /**
   * Closes, and waits until every accepted job is done and every worker has ended. A caller who is cancelled leaves;
   * the pool stays closed.
   *
   * **Errors** The failure of a setup or a teardown; an `AggregateError` of several. Those of jobs are their callers'.
   */
  drain(options?: CancelOptions): Promise<void>;
  /**
   * Closes, and gives up all jobs: their callers are rejected with `cause` at once. Workers end when their handlers do;
   * {@link Pool.drain} waits for that.
   */
  cancel(cause?: unknown): void;
}

/**
 * The `map` of a pool. It has one job more in the pool than there are workers, so that a worker who gets free finds
 * the next one waiting.
 */
export function mapJobs<I, O>(
  source: Source<I>,
  run: (job: I, ctx: Context) => Promise<O>,
  workers: number,
  options: PoolMapOptions,
): Flow<O> {
  const { ordered = true, name = "map" } = options;
  return new TaskFlow<O>(async (out, group) => {
    const { ctx } = group;
    const next = readingTask(openSource(source, ctx), group, name);
    const work = (job: I): Promise<O> => run(job, ctx);
    await parallelMap({ group, next, out, workers: workers + 1, ordered, name: `${name} job`, work });
  }, options);
}
