/**
 * Where jobs that wait for a worker and workers that wait for a job meet.
 *
 * Invariants
 *   I1  A caller waits for room only while active + queued >= workers + capacity, and at most `maxWaiting` do.
 *   I2  While it is open, a worker is idle only if no job is queued.
 *   I3  A job that has not settled stands in one place: among the callers, in the queue, or with a worker.
 *   I4  `open` and `paused` take turns; `closed` is the last. Once closed, no worker is idle.
 */
import { afterTurn, turnIsDue } from "../../core/fairness.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { QueueNode, WaiterQueue } from "../../core/waiter-queue.ts";
import { PriorityLine } from "../../core/priority-line.ts";
import type { ResourceInfo, Suspension, TaskRecord } from "../../core/scheduler.ts";
import type { Job } from "./job.ts";
import type { PoolLimits } from "./options.ts";

/** A worker as it waits for a job. It is one call that tells it, and no promise: it waits again after each job. */
export abstract class Hand<J> extends QueueNode implements Suspension {
  readonly op = "next job";
  readonly resources: readonly ResourceInfo[];
  task: TaskRecord | undefined;
  readonly #runtime: Runtime;
  #granted: J | undefined;

  constructor(runtime: Runtime, resource: Resource | undefined) {
    super();
    this.#runtime = runtime;
    this.resources = resource === undefined ? [] : [resource];
  }

  /** Its next job; `undefined` if it is to leave. */
  abstract take(job: J | undefined): void;

  /** It is in the line of those who wait. */
  waits(): void {
    this.#runtime.scheduler?.blocked(this);
  }

  /** Ends the wait. */
  grant(job: J | undefined): void {
    const { scheduler } = this.#runtime;
    if (scheduler === undefined) return this.take(job);
    this.#granted = job;
    scheduler.ready(this);
  }

  resume(): void {
    const job = this.#granted;
    this.#granted = undefined;
    this.take(job);
  }
}

export class Dispatch<I, O, S> {
  /** Jobs without room, jobs in the queue, jobs with a worker; each leaves its list when it settles. */
  readonly callers: PriorityLine<Job<I, O, S>> = new PriorityLine<Job<I, O, S>>();
  readonly queue: PriorityLine<Job<I, O, S>> = new PriorityLine<Job<I, O, S>>();
  readonly running: WaiterQueue<Job<I, O, S>> = new WaiterQueue<Job<I, O, S>>();
  readonly runtime: Runtime;
  readonly #idle = new WaiterQueue<Hand<Job<I, O, S>>>();
  readonly #capacity: number;
  readonly #maxWaiting: number;
  /** How many workers there should be, and how many there are that have not been told to leave. */
  #workers: number;
  #staff = 0;
  #active = 0;
  #state: "open" | "paused" | "closed" = "open";

  constructor(runtime: Runtime, limits: PoolLimits) {
    this.runtime = runtime;
    this.#capacity = limits.capacity;
    this.#maxWaiting = limits.maxWaiting;
    this.#workers = limits.workers;
  }

  /** How many workers there should be. */
  get workers(): number {
    return this.#workers;
  }

  /** How many jobs are being worked on. */
  get active(): number {
    return this.#active;
  }

  get paused(): boolean {
    return this.#state === "paused";
  }

  /** Whether a job would be accepted now. */
  get hasRoom(): boolean {
    return this.#active + this.queue.size < this.#workers + this.#capacity;
  }

  /** Whether a job would be refused now: there is no room, and none to wait for it. */
  get isFull(): boolean {
    return !this.hasRoom && this.callers.size >= this.#maxWaiting;
  }

  /** Whether there is nothing to do any more. */
  get isOver(): boolean {
    return this.#state === "closed" && this.queue.size === 0;
  }

  /** A job goes to an idle worker, into the queue, or waits for room. */
  enter(job: Job<I, O, S>): void {
    if (this.hasRoom) this.#accept(job);
    else this.callers.push(job);
  }

  /** There may be room again: callers get it by their turn. */
  admit(): void {
    while (this.hasRoom) {
      const job = this.callers.shift();
      if (job === undefined) return;
      this.#accept(job);
    }
  }

  /** A worker wants its next job. */
  next(worker: Hand<Job<I, O, S>>): void {
    const { scheduler } = this.runtime;
    if (scheduler === undefined) this.#serve(worker);
    else void scheduler.begin().then(() => this.#serve(worker));
  }

  /** A worker has done with its job, and wants the next. */
  freed(worker: Hand<Job<I, O, S>>): void {
    this.#active--;
    this.admit();
    this.next(worker);
  }

  /** Changes how many workers there should be. Those too many leave when they are idle. */
  resize(workers: number): void {
    this.#workers = workers;
    while (this.#staff > workers) {
      const idle = this.#idle.shift();
      if (idle === undefined) break;
      this.#staff--;
      idle.grant(undefined);
    }
    this.admit();
  }

  /** Whether another worker is wanted. If so, counts one. */
  hire(): boolean {
    if (this.#staff >= this.#workers) return false;
    this.#staff++;
    return true;
  }

  pause(): void {
    if (this.#state === "open") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "open";
    this.#handOut();
  }

  /** No more jobs: what is queued is handed out, also if it was paused, and idle workers leave. */
  close(): void {
    this.#state = "closed";
    this.#handOut();
    for (let idle = this.#idle.shift(); idle !== undefined; idle = this.#idle.shift()) idle.grant(undefined);
  }

  #accept(job: Job<I, O, S>): void {
    this.queue.push(job);
    if (this.#state !== "paused") this.#handOut();
  }

  /** Queued jobs go to idle workers. */
  #handOut(): void {
    while (this.#idle.size > 0) {
      const job = this.queue.shift();
      if (job === undefined) return;
      this.#idle.shift()?.grant(this.#assign(job));
    }
  }

  #assign(job: Job<I, O, S>): Job<I, O, S> {
    this.#active++;
    job.assigned();
    this.running.push(job);
    return job;
  }

  /** A worker gets a job if there is one, is dismissed if there will be none, and waits otherwise. */
  #serve(worker: Hand<Job<I, O, S>>): void {
    if (this.#staff > this.#workers) return this.#dismiss(worker);
    const job = this.#state === "paused" ? undefined : this.queue.shift();
    if (job !== undefined) this.#give(worker, this.#assign(job));
    else if (this.#state === "closed") this.#dismiss(worker);
    else {
      worker.waits();
      this.#idle.push(worker);
    }
  }

  /** The job is the worker's in any case. But it begins with it after the host's turn, if that is due. */
  #give(worker: Hand<Job<I, O, S>>, job: Job<I, O, S>): void {
    if (turnIsDue(this.runtime)) afterTurn(() => worker.take(job));
    else worker.take(job);
  }

  #dismiss(worker: Hand<Job<I, O, S>>): void {
    this.#staff--;
    worker.take(undefined);
  }
}
