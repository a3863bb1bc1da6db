/**
 * A fixed number of workers that share one bounded queue of jobs.
 *
 * Invariants
 *   I1  active + queued <= workers + capacity; a caller waits for room only while they are equal.
 *   I2  A worker is idle only while no job is queued.
 *   I3  A job that has not settled stands in one place: among the callers, in the queue, or with a worker.
 *   I4  The state only moves forward: open, closed, ended. Once closed, no caller waits for room; once ended, no job,
 *       worker or listener is left.
 */
import { requireFunction, requireInteger, requireLimit } from "../core/arguments.ts";
import { type CancelOptions, isCancelled, linkCancel, rejectIfCancelled } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { ClosedError, isCancellation } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { outcomeOf, spawnTask } from "../core/task.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { type CancelableContext, withCancel } from "../sync/context.ts";
import type { Flow } from "../sync/flow.ts";
import type { Source } from "../sync/source.ts";
import { WaitGroup } from "../sync/wait-group.ts";
import { Job, type JobContext, type Seat, type WorkerPoolOptions } from "./pools/job.ts";
import { mapJobs, type Pool, type PoolMapOptions } from "./pools/pool.ts";

export type { Source } from "../sync/source.ts";
export type { JobContext, Seat, WorkerContext, WorkerPoolOptions } from "./pools/job.ts";
export type { Pool, PoolMapOptions } from "./pools/pool.ts";

/**
 * A pool of workers on this event loop.
 *
 * **Guarantees** At most `workers` handlers run at once. Workers take jobs in the order of the calls. Every call of `run`
 * settles once, whatever becomes of the pool. A job that fails concerns its caller alone. The workers start when the
 * pool is made and live until it has ended; idle ones keep no process alive. A handler runs in the async context of
 * who called `run`, `setup` and `teardown` in that of who made the pool.
 * **Units and ranges** Workers are numbered from 1.
 * **Cancellation** `signal` does what {@link WorkerPool.cancel} does. Cancelling is asking: a worker is free when its
 * handler has ended, and what becomes of a job that was given up is nobody's concern any more.
 * **Errors** A setup that fails cancels the pool, with its error as the cause.
 * **Cost** O(1) a job, also to give one up: a promise or two, a context and a place in the queue.
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
  readonly #handler: (job: I, context: JobContext<S>) => O | PromiseLike<O>;
  readonly #options: WorkerPoolOptions<S>;
  readonly #limit: number;
  readonly #resource: Resource | undefined;
  readonly #scope: CancelableContext;
  /** Jobs without room, jobs in the queue, jobs with a worker; each leaves its list when it settles. */
  readonly #callers = new WaiterQueue<Job<O, S>>();
  readonly #queue = new WaiterQueue<Job<O, S>>();
  readonly #running = new WaiterQueue<Job<O, S>>();
  readonly #idle = new WaiterQueue<Waiter<Job<O, S> | undefined>>();
  readonly #startingUp: WaitGroup;
  readonly #ended: Deferred<void>;
  readonly #errors: unknown[] = [];
  #state: "open" | "closed" | "ended" = "open";
  /** Why it was cancelled, if it was. */
  #cause: unknown;
  #size: number;
  #active = 0;

  constructor(
    handler: (job: I, context: JobContext<S>) => O | PromiseLike<O>,
    options: WorkerPoolOptions<S>,
  ) {
    requireFunction("handler", handler);
    if (options.setup !== undefined) requireFunction("setup", options.setup);
    if (options.teardown !== undefined) requireFunction("teardown", options.teardown);
    const capacity = requireLimit("capacity", options.capacity ?? 1000, 0);
    this.#size = requireInteger("workers", options.workers, 1);
    this.#limit = this.#size + capacity;
    this.#handler = handler;
    this.#options = options;
    this.#resource = observe(this.#runtime, "pool", options.name, capacity);
    this.#scope = withCancel(options);
    this.#startingUp = new WaitGroup({ name: `${this.#label} setup` });
    this.#ended = new Deferred<void>(this.#runtime, "drain", this.#resource);
    const { ctx } = this.#scope;
    if (ctx.error === undefined) linkCancel(ctx, { onCancel: (reason) => this.#giveUp(reason) });
    else this.#giveUp(ctx.cause);
    for (let worker = 1; worker <= options.workers; worker++) this.#start(worker);
  }

  get size(): number {
    return this.#size;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#queue.size + this.#callers.size;
  }

  /** Takes effect at once, also in a simulation: a `close` after it finds the job handed over. */
  run(job: I, options?: CancelOptions): Promise<O> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return refused;
    const made = this.#job(job, options);
    if (this.#hasRoom) this.#accept(made);
    else this.#callers.push(made);
    return made.promise;
  }

  tryRun(job: I, options?: CancelOptions): Promise<O> | undefined {
    const able = this.#state !== "open" || this.#hasRoom || isCancelled(options);
    return able ? this.run(job, options) : undefined;
  }

  map(source: Source<I>, options: PoolMapOptions = {}): Flow<O> {
    return mapJobs(source, (job, ctx) => this.run(job, ctx), this.#options.workers, options);
  }

  async ready(options?: CancelOptions): Promise<void> {
    await this.#startingUp.wait(options);
    if (this.#cause !== undefined) throw this.#cause;
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    for (let job = this.#callers.first; job !== undefined; job = this.#callers.first) {
      job.giveUp(this.#cause ?? this.#closedError());
    }
    for (let idle = this.#idle.shift(); idle !== undefined; idle = this.#idle.shift()) idle.grant(undefined);
  }

  drain(options?: CancelOptions): Promise<void> {
    this.close();
    return this.#ended.wait(options);
  }

  cancel(cause?: unknown): void {
    this.#scope.cancel(cause);
  }

  /** Drains: nothing that was accepted is lost. To leave sooner, {@link WorkerPool.cancel} first. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  get #label(): string {
    return this.#options.name ?? "pool";
  }

  get #hasRoom(): boolean {
    return this.#active + this.#queue.size < this.#limit;
  }

  #refusal(options: CancelOptions | undefined): Promise<never> | undefined {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined || this.#state === "open") return cancelled;
    return Promise.reject(this.#closedError());
  }

  #job(job: I, options: CancelOptions | undefined): Job<O, S> {
    return new Job<O, S>({
      runtime: this.#runtime,
      resource: this.#resource,
      options,
      handle: (context) => this.#handler(job, context),
      withdrawn: () => this.#admit(),
    });
  }

  /** There is room: the job goes to an idle worker, or into the queue. */
  #accept(job: Job<O, S>): void {
    const idle = this.#idle.shift();
    if (idle === undefined) this.#queue.push(job);
    else idle.grant(this.#assign(job));
  }

  #assign(job: Job<O, S>): Job<O, S> {
    this.#active++;
    this.#running.push(job);
    return job;
  }

  /** There may be room again: those who have waited longest for it get it. */
  #admit(): void {
    while (this.#hasRoom) {
      const job = this.#callers.shift();
      if (job === undefined) return;
      this.#accept(job);
    }
  }

  /** The pool was cancelled, or has ended. It is closed first: whoever is told may call again at once. */
  #giveUp(reason: unknown): void {
    if (this.#state === "ended") return;
    this.#cause = reason;
    this.close();
    for (const jobs of [this.#queue, this.#running]) {
      for (let job = jobs.first; job !== undefined; job = jobs.first) job.giveUp(reason);
    }
  }

  #closedError(): ClosedError {
    const cause = this.#cause;
    return new ClosedError("worker pool is closed", cause === undefined ? undefined : { cause });
  }

  #start(worker: number): void {
    const label = { name: `${this.#label} worker ${worker}`, group: this.#resource?.name };
    this.#startingUp.add(1);
    spawnTask(
      this.#runtime,
      label,
      () => this.#work(worker),
      (outcome) => {
        if (!outcome.ok) this.#errors.push(outcome.error);
        this.#size--;
        if (this.#size === 0) this.#end();
      },
    );
  }

  /** The life of a worker. */
  async #work(worker: number): Promise<void> {
    const seat = await this.#seat(worker);
    this.#startingUp.done();
    if (seat === undefined) return;
    for (let job = await this.#next(); job !== undefined; job = await this.#next()) {
      await this.#perform(job, seat);
    }
    await this.#options.teardown?.(seat);
  }

  /** Sets a worker up; `undefined` if that fails, or if there is nothing to do any more. */
  async #seat(worker: number): Promise<Seat<S> | undefined> {
    if (this.#state !== "open" && this.#queue.size === 0) return undefined;
    const { ctx } = this.#scope;
    const made = await outcomeOf(() => this.#options.setup?.({ worker, ctx }) as S);
    if (made.ok) return { worker, state: made.value };
    const { error } = made;
    const wasToldTo = this.#cause !== undefined && (error === this.#cause || isCancellation(error));
    if (!wasToldTo) this.#errors.push(error);
    this.#scope.cancel(error);
    return undefined;
  }

  /** A worker's next job; `undefined` when there will be none. */
  #next(): Promise<Job<O, S> | undefined> {
    return begin(this.#runtime, () => {
      const job = this.#queue.shift();
      if (job !== undefined) return completed(this.#runtime, this.#assign(job));
      if (this.#state !== "open") return Promise.resolve(undefined);
      const idle = new Waiter<Job<O, S> | undefined>(this.#runtime, "next job", this.#resource, undefined);
      this.#idle.push(idle);
      return idle.promise;
    });
  }

  /** Does a job, unless it was given up on its way here. */
  async #perform(job: Job<O, S>, seat: Seat<S>): Promise<void> {
    if (job.waiting) {
      const held = { r: this.#resource?.id ?? 0, units: 1, item: seat.worker };
      this.#resource?.emit({ k: "hold", ...held });
      await job.perform(seat);
      this.#resource?.emit({ k: "free", ...held });
    }
    this.#active--;
    this.#admit();
  }

  /** The last worker has gone. */
  #end(): void {
    this.#state = "ended";
    this.#scope.cancel();
    const errors = this.#errors;
    const error =
      errors.length > 1 ? new AggregateError(errors, `${errors.length} workers failed`) : errors[0];
    this.#ended.settle(errors.length === 0 ? { ok: true, value: undefined } : { ok: false, error });
  }
}
