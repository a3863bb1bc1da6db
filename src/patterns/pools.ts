/**
 * A number of workers that share one bounded queue of jobs.
 *
 * Invariants
 *   I1  The state only moves forward: open, closed, ended. Once closed, no caller waits for room; once ended, no job,
 *       worker, timer or listener is left.
 *   I2  Every job that was made settles once. Who stands where: see {@link Dispatch}.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { type CancelOptions, isCancelled, linkCancel, rejectIfCancelled } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { CanceledError, ClosedError, FullError } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { outcomeOf } from "../core/task.ts";
import { type CancelableContext, withCancel } from "../sync/context.ts";
import type { Flow } from "../sync/flow.ts";
import type { Source } from "../sync/source.ts";
import { Dispatch } from "./pools/dispatch.ts";
import { Job, type JobContext, type JobParts } from "./pools/job.ts";
import {
  type JobLimits,
  jobLimits,
  poolLimits,
  type PoolMapOptions,
  type PoolRunOptions,
  type WorkerPoolOptions,
} from "./pools/options.ts";
import { mapJobs, type Pool } from "./pools/pool.ts";
import { Rows } from "./pools/row.ts";
import { Staff } from "./pools/staff.ts";
import type { JobTally, PoolStats } from "./pools/stats.ts";

export type { Source } from "../sync/source.ts";
export type { JobContext } from "./pools/job.ts";
export type {
  JobOptions,
  PoolMapOptions,
  PoolRunOptions,
  WorkerSeat,
  WorkerSetupContext,
  WorkerPoolOptions,
} from "./pools/options.ts";
export type { Pool } from "./pools/pool.ts";
export type { PoolStats } from "./pools/stats.ts";

/**
 * A pool of workers on this event loop.
 *
 * **Guarantees** At most `workers` handlers run at once, at most `capacity` jobs wait for them, and at most `maxWaiting`
 * callers for room; beyond that a call is refused. Workers take jobs in the order of the calls, unless they have
 * priorities. Every call of `run` settles once, whatever becomes of the pool. A job that fails concerns its caller
 * alone. The workers start when the pool is made and live until it has ended; idle ones keep no process alive. A handler
 * runs in the async context of who called `run`, `setup` and `teardown` in that of who made the pool, or resized it.
 * **Units and ranges** Workers are numbered from 1.
 * **Cancellation** `signal` does what {@link WorkerPool.cancel} does. Cancelling is asking: a worker is free when its
 * handler has ended, and what becomes of a job that was given up is nobody's concern any more.
 * **Errors** A setup that fails cancels the pool, with its error as the cause.
 * **Cost** O(1) a job, also to give one up: a few promises while it is worked on, and a place in the queue and one promise
 * while it waits.
 * **Not for** computations that keep the event loop busy. A handler must not wait for a job of its own pool: all
 * workers may come to wait for one that none is left to do.
 * **Source** The fixed worker pool of Go by Example; backpressure and context as in sourcegraph/conc.
 *
 * @example
 * await using pool = new WorkerPool((n: number) => n * n, { workers: 2 });
 * await Promise.all([pool.run(3), pool.run(4)]); //=> [9, 16]
 *
 * @example
 * await using pool = new WorkerPool((word: string, { state }) => state.seen.push(word), {
 *   workers: 1,
 *   setup: () => ({ seen: ["first"] }),
 * });
 * await pool.map(["second", "third"]).toArray(); //=> [2, 3]
 */
export class WorkerPool<I, O, S = void> implements Pool<I, O> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #parts: JobParts<I, O, S>;
  readonly #resource: Resource | undefined;
  readonly #scope: CancelableContext;
  readonly #dispatch: Dispatch<I, O, S>;
  readonly #tally: JobTally = { settled: 0, processed: 0, failed: 0 };
  readonly #staff: Staff<I, O, S>;
  readonly #ended: Deferred<void>;
  #state: "open" | "closed" | "ended" = "open";
  /** Why it was cancelled, if it was. */
  #cause: unknown;
  /** What went wrong in setup and teardown; and what of it, or of its cause, somebody has been told. */
  #errors: readonly unknown[] = [];
  #failure: unknown;
  readonly #told = new Set<unknown>();
  #calls = 0;

  constructor(
    handler: (job: I, context: JobContext<S>) => O | PromiseLike<O>,
    options: WorkerPoolOptions<S>,
  ) {
    requireFunction("handler", handler);
    const limits = poolLimits(options);
    const runtime = this.#runtime;
    const resource = observe(runtime, "pool", options.name, limits.capacity);
    const dispatch = new Dispatch<I, O, S>(runtime, limits);
    const scope = withCancel(options);
    this.#resource = resource;
    this.#dispatch = dispatch;
    const tally = this.#tally;
    this.#parts = {
      runtime,
      resource,
      tally,
      rows: new Rows<O>(),
      handler,
      withdrawn: () => this.#dispatch.admit(),
    };
    this.#scope = scope;
    const gone = (errors: readonly unknown[]): void => this.#end(errors);
    this.#staff = new Staff<I, O, S>({ runtime, resource, options, dispatch, scope, gone });
    this.#ended = new Deferred<void>(this.#runtime, "drain", this.#resource);
    const { ctx } = this.#scope;
    if (ctx.error === undefined) linkCancel(ctx, { onCancel: (reason) => this.#giveUp(reason) });
    else this.#giveUp(ctx.cause);
    this.#staff.hire();
  }

  get size(): number {
    return this.#staff.size;
  }

  get active(): number {
    return this.#dispatch.active;
  }

  get waiting(): number {
    return this.#dispatch.queue.size + this.#dispatch.callers.size;
  }

  get paused(): boolean {
    return this.#dispatch.paused;
  }

  /** Takes effect at once, also in a simulation: a `close` after it finds the job handed over. */
  run(job: I, options?: PoolRunOptions): Promise<O> {
    return this.#run(job, options, jobLimits(options));
  }

  tryRun(job: I, options?: PoolRunOptions): Promise<O> | undefined {
    const limits = jobLimits(options);
    const able = this.#state !== "open" || this.#dispatch.hasRoom || isCancelled(options);
    return able ? this.#run(job, options, limits) : undefined;
  }

  map(source: Source<I>, options: PoolMapOptions = {}): Flow<O> {
    const limits = jobLimits(options);
    return mapJobs(source, (job, ctx) => this.#run(job, ctx, limits), this.#dispatch.workers, options);
  }

  async ready(options?: CancelOptions): Promise<void> {
    await this.#staff.ready(options);
    if (this.#cause === undefined) return;
    this.#told.add(this.#cause);
    throw this.#cause;
  }

  resize(workers: number): void {
    const wanted = requireInteger("workers", workers, 1);
    if (this.#state === "ended") return;
    this.#dispatch.resize(wanted);
    this.#staff.hire();
  }

  pause(): void {
    this.#dispatch.pause();
  }

  resume(): void {
    this.#dispatch.resume();
  }

  clear(cause: unknown = new CanceledError("the job was cleared from the queue")): number {
    const { queue, callers } = this.#dispatch;
    const cleared = this.waiting;
    for (const jobs of [queue, callers]) {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) job.giveUp(cause);
    }
    return cleared;
  }

  get stats(): PoolStats {
    const { queue, callers } = this.#dispatch;
    const { settled, processed, failed } = this.#tally;
    // Those who wait for room came after those in the queue, but may be more urgent or have come to an empty queue.
    const nowMs = this.#runtime.clock.now();
    const sinceMs = Math.min(queue.oldest?.sinceMs ?? nowMs, callers.oldest?.sinceMs ?? nowMs);
    return {
      size: this.size,
      active: this.active,
      waiting: this.waiting,
      waitingForRoom: callers.size,
      oldestMs: nowMs - sinceMs,
      processed,
      failed,
      givenUp: settled - processed - failed,
    };
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    const { callers } = this.#dispatch;
    for (let job = callers.shift(); job !== undefined; job = callers.shift()) {
      job.giveUp(this.#cause ?? this.#closedError());
    }
    this.#dispatch.close();
  }

  async drain(options?: CancelOptions): Promise<void> {
    this.close();
    const end = await outcomeOf(() => this.#ended.wait(options));
    if (end.ok) return;
    if (end.error === this.#failure) for (const error of this.#errors) this.#told.add(error);
    throw end.error;
  }

  cancel(cause?: unknown): void {
    this.#scope.cancel(cause);
  }

  /**
   * Drains: nothing that was accepted is lost. To leave sooner, {@link WorkerPool.cancel} first.
   *
   * **Errors** As `drain`, but only what nobody was told yet: not the failure of a setup with which a call of `run`,
   * `ready` or `drain` has failed, be it as the cause of a `ClosedError`. So `await using` tells no failure twice.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await outcomeOf(() => this.#ended.wait());
    const untold = this.#errors.filter((error) => !this.#told.has(error));
    if (untold.length > 0) throw asOne(untold);
  }

  #run(job: I, options: CancelOptions | undefined, limits: JobLimits): Promise<O> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#state !== "open") return Promise.reject(this.#closedError());
    if (this.#dispatch.isFull) return Promise.reject(this.#fullError());
    const made = new Job(this.#parts, job, options, limits, ++this.#calls);
    this.#dispatch.enter(made);
    return made.result();
  }

  /** The pool was cancelled, or has ended. It is closed first: whoever is told may call again at once. */
  #giveUp(reason: unknown): void {
    if (this.#state === "ended") return;
    this.#cause = reason;
    const { queue, running, callers } = this.#dispatch;
    if (queue.size + running.size + callers.size > 0) this.#told.add(reason);
    this.close();
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) job.giveUp(reason);
    for (let job = running.first; job !== undefined; job = running.first) job.giveUp(reason);
  }

  /** Whoever is refused is told why. */
  #closedError(): ClosedError {
    const cause = this.#cause;
    this.#told.add(cause);
    return new ClosedError("worker pool is closed", cause === undefined ? undefined : { cause });
  }

  #fullError(): FullError {
    const { queue, callers } = this.#dispatch;
    return new FullError(
      `worker pool is full: ${queue.size} jobs are queued and ${callers.size} callers wait`,
    );
  }

  /** The last worker has gone. */
  #end(errors: readonly unknown[]): void {
    this.#state = "ended";
    this.#scope.cancel();
    this.#errors = errors;
    const failed = errors.length > 0;
    if (failed) this.#failure = asOne(errors);
    this.#ended.settle(failed ? { ok: false, error: this.#failure } : { ok: true, value: undefined });
  }
}

function asOne(errors: readonly unknown[]): unknown {
  return errors.length > 1 ? new AggregateError(errors, `${errors.length} workers failed`) : errors[0];
}
