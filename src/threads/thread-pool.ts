/**
 * A pool of threads that call the functions of a module.
 *
 * The line of jobs, their priorities, their timeouts in it, the room for callers and the end are those of a
 * {@link WorkerPool}, whose handler has a thread do the job. It has as many workers as the threads should have calls.
 *
 * Invariants
 *   I1  A worker of the pool is at a job until the job's thread has let go of it.
 *   I2  There are threads only while there are workers: the first worker has them started, and before the last one has
 *       gone, so have they.
 */
import { requireInteger, requirePositive } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { MisuseError } from "../core/errors.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import {
  type Pool,
  type PoolMapOptions,
  type PoolRunOptions,
  type PoolStats,
  WorkerPool,
} from "../patterns/pools.ts";
import { mapJobs } from "../patterns/pools/pool.ts";
import type { Context } from "../sync/context.ts";
import type { Flow } from "../sync/flow.ts";
import type { Source } from "../sync/source.ts";
import type { ThreadJob } from "./call.ts";
import { Crew } from "./crew.ts";
import { Depth } from "./depth.ts";
import { FunctionPool } from "./function-pool.ts";
import type { ThreadHost } from "./host.ts";
import {
  type JobName,
  type JobOf,
  type ResultOf,
  type StreamedOf,
  type StreamName,
  type ThreadPoolOptions,
  threadSettings,
} from "./options.ts";
import { streamed, type ThreadStreamOptions } from "./stream.ts";
import { TimeLimit } from "./time-limit.ts";

/** A pool of threads in numbers, at one instant. */
export interface ThreadPoolStats extends PoolStats {
  /** How often a thread was started in place of one that had ended. */
  readonly restarts: number;
}

/** A loop over jobs has so many of them in the pool for each thread, so that short ones need not wait for each other. */
const AHEAD = 16;

/**
 * A pool of threads; made by `threadPool`. `M` is the type of the module.
 *
 * **Guarantees** A thread does one job at a time. At most `capacity` jobs wait for one, and at most `maxWaiting` callers
 * for room. Every call settles once, whatever becomes of its thread: `process.exit`, memory that runs out, an endless
 * loop, an error that nobody catches. That concerns the job that the thread was at; jobs that had not begun are done by
 * another thread, and a new one takes its place. Short jobs are sent several at a time; one that waits in a thread is
 * taken back by another that has nothing to do. Idle threads keep no process alive.
 * **Units and ranges** Jobs and results are copied by the structured clone, or moved: see `transfer`.
 * **Cancellation** The caller is told at once. A job that has not begun is never done. One that has is told by its
 * context; a function that has not ended after `graceMs` is ended with its thread. `signal` does what `cancel` does.
 * **Errors** What the function throws, as an error of the same name, message, stack, code and cause. `ThreadCrashError`
 * if its thread has ended. What cannot be copied is a failure of its call alone.
 * **Cost** Some 10 µs a job, and its copy; a thread takes some 30 ms to start, and 5 MB.
 * **Not for** functions that wait more than they compute: they are done one after the other in a thread.
 * **Source** Piscina and poolifier; the shutdown of Erlang's supervisors, which ask first.
 */
export class ThreadPool<M> implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #pool: WorkerPool<ThreadJob, unknown>;
  readonly #crew: Crew;
  readonly #depth = new Depth();
  #workers: number;
  #seats = 0;

  /** @internal */
  constructor(host: ThreadHost, module: string, options: ThreadPoolOptions) {
    const runtime = currentRuntime();
    if (runtime.scheduler !== undefined) throw new MisuseError("threads cannot be simulated");
    const { workers, ...settings } = threadSettings(options, host.cores);
    const { name = "thread" } = options;
    this.#runtime = runtime;
    this.#workers = workers;
    this.#crew = new Crew({
      ...settings,
      runtime,
      host,
      module,
      name,
      finished: (tookMs) => this.#learn(tookMs),
      hopeless: (error) => this.#giveUp(error),
    });
    this.#pool = new WorkerPool<ThreadJob, unknown>((job) => this.#crew.call(job), {
      ...options,
      workers,
      setup: ({ ctx }) => this.#seated(ctx),
      teardown: () => this.#left(),
    });
  }

  /** How many threads there are. */
  get size(): number {
    return this.#crew.size;
  }

  /** How many jobs threads have, and are at or about to begin; also one that was given up, until its thread lets go of it. */
  get active(): number {
    return this.#pool.active;
  }

  /** How many jobs wait: for a thread, or for room among those. */
  get waiting(): number {
    return this.#pool.waiting;
  }

  /** Whether it is paused. */
  get paused(): boolean {
    return this.#pool.paused;
  }

  /** The pool in numbers. */
  get stats(): ThreadPoolStats {
    return { ...this.#pool.stats, size: this.size, restarts: this.#crew.restarts };
  }

  /**
   * Has a function called in a thread: waits for room, for a thread, and for the result. `timeoutMs` counts from the
   * instant at which the thread begins. Otherwise like `run` of a {@link WorkerPool}.
   */
  run<N extends JobName<M>>(name: N, job: JobOf<M[N]>, options?: PoolRunOptions): Promise<ResultOf<M[N]>> {
    return this.#hand("run", { name, job }, options) as Promise<ResultOf<M[N]>>;
  }

  /** Has a function called if there is a thread or a place in the queue for it; `undefined` if not. */
  tryRun<N extends JobName<M>>(
    name: N,
    job: JobOf<M[N]>,
    options?: PoolRunOptions,
  ): Promise<ResultOf<M[N]>> | undefined {
    return this.#hand("tryRun", { name, job }, options) as Promise<ResultOf<M[N]>> | undefined;
  }

  /** Has a function called for each value of a source. Takes up to 16 values for each thread before they are done. */
  map<N extends JobName<M>>(
    name: N,
    source: Source<JobOf<M[N]>>,
    options: PoolMapOptions = {},
  ): Flow<ResultOf<M[N]>> {
    const { priority, timeoutMs, queueTimeoutMs } = options;
    const run = (job: JobOf<M[N]>, { signal }: CancelOptions): Promise<ResultOf<M[N]>> =>
      this.run(name, job, { signal, priority, timeoutMs, queueTimeoutMs });
    return mapJobs(source, run, this.#workers * AHEAD, options);
  }

  /**
   * Has a generator function called in a thread, and gives what it yields, one value at a time.
   *
   * **Guarantees** The generator is ahead of the reader by no more than `capacity` values. Leaving the loop ends it, as
   * `return` would, and the thread is free when its `finally` blocks have run.
   */
  stream<N extends StreamName<M>>(
    name: N,
    job: JobOf<M[N]>,
    options: ThreadStreamOptions = {},
  ): Flow<StreamedOf<M[N]>> {
    const { priority, timeoutMs, queueTimeoutMs } = options;
    const run = (streaming: ThreadJob, { signal }: Context): Promise<unknown> =>
      this.#hand("run", streaming, { signal, priority, timeoutMs, queueTimeoutMs }) as Promise<unknown>;
    return streamed(name, job, run, options);
  }

  /** One function of the module as a pool of its own kind: for what takes any {@link Pool}. Its end is the end of this. */
  of<N extends JobName<M>>(name: N): Pool<JobOf<M[N]>, ResultOf<M[N]>> {
    return new FunctionPool(this, name);
  }

  /** Waits until the module is loaded. **Errors** Why it could not be. */
  ready(options?: CancelOptions): Promise<void> {
    return this.#pool.ready(options);
  }

  /** Changes how many threads there are. Those too many end after the jobs that they have. */
  resize(workers: number): void {
    this.#workers = requireInteger("workers", workers, 1);
    if (this.#seats > 0) this.#crew.resize(workers);
    this.#pool.resize(workers * this.#depth.calls);
  }

  /** Threads are given no more jobs until {@link ThreadPool.resume}; those they have go on. */
  pause(): void {
    this.#pool.pause();
  }

  /** Ends a pause. */
  resume(): void {
    this.#pool.resume();
  }

  /** Gives up every job that waits for a thread or for room, as `clear` of a {@link WorkerPool}. */
  clear(cause?: unknown): number {
    return this.#pool.clear(cause);
  }

  /** No more jobs. Those that were accepted are done, and then the threads end. */
  close(): void {
    this.#pool.close();
  }

  /** Closes, and waits until every accepted job is done and every thread has ended. */
  drain(options?: CancelOptions): Promise<void> {
    return this.#pool.drain(options);
  }

  /** Closes, and gives up all jobs: their callers are rejected with `cause` at once, and threads have `graceMs`. */
  cancel(cause?: unknown): void {
    this.#pool.cancel(cause);
  }

  /** Drains. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  /** The time of a job counts from its begin, of which the thread tells: so the pool is not told of the limit. */
  #hand(how: "run" | "tryRun", job: ThreadJob, options: PoolRunOptions = {}): Promise<unknown> | undefined {
    const { timeoutMs = Number.POSITIVE_INFINITY, ...others } = options;
    if (timeoutMs === Number.POSITIVE_INFINITY) return this.#pool[how](job, options);
    const limit = new TimeLimit(this.#runtime, requirePositive("timeoutMs", timeoutMs), options);
    const result = this.#pool[how]({ ...job, begun: limit.begin }, { ...others, signal: limit.signal });
    if (result !== undefined) return limit.of(result);
    limit.end();
    return undefined;
  }

  #learn(tookMs: number): void {
    const before = this.#depth.calls;
    this.#depth.took(tookMs);
    const { calls } = this.#depth;
    if (calls !== before) this.#pool.resize(this.#workers * calls);
  }

  /** The first one has the threads started. Also a worker that could not wait for the module leaves. */
  async #seated(ctx: Context): Promise<void> {
    if (++this.#seats === 1) this.#crew.resize(this.#workers);
    try {
      await this.#crew.loaded(ctx);
    } catch (error) {
      await this.#left();
      throw error;
    }
  }

  async #left(): Promise<void> {
    if (--this.#seats === 0) await this.#crew.end();
  }

  #giveUp(error: unknown): void {
    this.#pool.cancel(error);
    void this.#crew.end();
  }
}
