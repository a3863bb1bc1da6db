/**
 * Where jobs that wait for a worker and workers that wait for a job meet.
 *
 * Invariants
 *   I1  A caller waits for room only while active + queued >= workers + capacity, and at most `maxWaiting` do.
 *   I2  While it is open, a worker is idle only if no job is queued.
 *   I3  A job that has not settled stands in one place: among the callers, in the queue, or with a worker.
 *   I4  `open` and `paused` take turns; `closed` is the last. Once closed, no worker is idle.
 */
import { begin, type Resource } from "../../core/resource.ts";
import { completed } from "../../core/fairness.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { PriorityLine } from "../../core/priority-line.ts";
import type { Job } from "./job.ts";
import type { PoolLimits } from "./options.ts";

export class Dispatch<O, S> {
  /** Jobs without room, jobs in the queue, jobs with a worker; each leaves its list when it settles. */
  readonly callers: PriorityLine<Job<O, S>> = new PriorityLine<Job<O, S>>();
  readonly queue: PriorityLine<Job<O, S>> = new PriorityLine<Job<O, S>>();
  readonly running: WaiterQueue<Job<O, S>> = new WaiterQueue<Job<O, S>>();
  readonly #idle = new WaiterQueue<Waiter<Job<O, S> | undefined>>();
  readonly #runtime: Runtime;
  readonly #resource: Resource | undefined;
  readonly #capacity: number;
  readonly #maxWaiting: number;
  /** How many workers there should be, and how many there are that have not been told to leave. */
  #workers: number;
  #staff = 0;
  #active = 0;
  #state: "open" | "paused" | "closed" = "open";

  constructor(runtime: Runtime, resource: Resource | undefined, limits: PoolLimits) {
    this.#runtime = runtime;
    this.#resource = resource;
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
  enter(job: Job<O, S>): void {
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

  /** A worker's next job; `undefined` if it is to leave. */
  next(): Promise<Job<O, S> | undefined> {
    return begin(this.#runtime, () => {
      if (this.#staff > this.#workers) return this.#dismissed();
      const job = this.#state === "paused" ? undefined : this.queue.shift();
      if (job !== undefined) return completed(this.#runtime, this.#assign(job));
      if (this.#state === "closed") return this.#dismissed();
      const idle = new Waiter<Job<O, S> | undefined>(this.#runtime, "next job", this.#resource, undefined);
      this.#idle.push(idle);
      return idle.promise;
    });
  }

  /** A worker has done with its job. */
  freed(): void {
    this.#active--;
    this.admit();
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

  #accept(job: Job<O, S>): void {
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

  #assign(job: Job<O, S>): Job<O, S> {
    this.#active++;
    job.assigned();
    this.running.push(job);
    return job;
  }

  #dismissed(): Promise<undefined> {
    this.#staff--;
    return Promise.resolve(undefined);
  }
}
