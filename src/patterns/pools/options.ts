/**
 * What a pool, and a call of it, is told.
 */
import { requireFunction, requireInteger, requireLimit, requirePositive } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";
import type { FlowOptions } from "../../sync/flow.ts";

/** A worker and what it has. */
export interface WorkerSeat<S = void> {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** What `setup` made for it. */
  readonly state: S;
}

/** What `setup` is given. */
export interface WorkerSetupContext {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** Ends when the pool is cancelled. */
  readonly ctx: Context;
}

/** How a pool works. `S` is what each worker keeps from job to job. */
export interface WorkerPoolOptions<S = void> extends CancelOptions {
  /** How many jobs are worked on at once: at least 1. */
  readonly workers: number;
  /** How many accepted jobs may wait for a worker: at least 0; default 1000. */
  readonly capacity?: number | undefined;
  /** How many callers may wait for room beyond that: at least 0; default 1000. At 0, a full pool refuses at once. */
  readonly maxWaiting?: number | undefined;
  /**
   * Makes what a worker needs for its jobs, such as a connection. Called once a worker, before its first job. If it has
   * a parameter, give that its type, or the handler will not know the type of the state.
   */
  readonly setup?: ((context: WorkerSetupContext) => S | PromiseLike<S>) | undefined;
  /** Takes it apart. Called once for each worker that was set up, after its last job. */
  readonly teardown?: ((seat: WorkerSeat<S>) => void | PromiseLike<void>) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How one job is done. */
export interface JobOptions {
  /**
   * A whole number, the higher the sooner; default 0. Jobs of one priority are taken in the order of the calls. While
   * several priorities wait, one job in eight that are taken is the one that has waited longest, so that none starves.
   */
  readonly priority?: number | undefined;
  /** How long it may be worked on, in milliseconds from its start: above 0; default Infinity. */
  readonly timeoutMs?: number | undefined;
  /** How long it may wait, for room and for a worker, in milliseconds: above 0; default Infinity. */
  readonly queueTimeoutMs?: number | undefined;
}

/** How one job is done, and what gives it up. A `Context` fits. */
export interface PoolRunOptions extends CancelOptions, JobOptions {}

/** How the jobs of a source are done. */
export interface PoolMapOptions extends FlowOptions, JobOptions {
  /** Whether results keep the order of the source; default true. */
  readonly ordered?: boolean | undefined;
}

/** The numbers among the options of a pool, checked. */
export interface PoolLimits {
  readonly workers: number;
  readonly capacity: number;
  readonly maxWaiting: number;
}

/** Checks the options of a pool. */
export function poolLimits<S>(options: WorkerPoolOptions<S>): PoolLimits {
  if (options.setup !== undefined) requireFunction("setup", options.setup);
  if (options.teardown !== undefined) requireFunction("teardown", options.teardown);
  return {
    capacity: requireLimit("capacity", options.capacity ?? 1000, 0),
    maxWaiting: requireLimit("maxWaiting", options.maxWaiting ?? 1000, 0),
    workers: requireInteger("workers", options.workers, 1),
  };
}

/** The options of a job, checked. */
export type JobLimits = { readonly [K in keyof JobOptions]-?: number };

/** For most jobs. */
const unlimited: JobLimits = {
  priority: 0,
  timeoutMs: Number.POSITIVE_INFINITY,
  queueTimeoutMs: Number.POSITIVE_INFINITY,
};

/** Checks the options of a job. */
export function jobLimits(options: JobOptions | undefined): JobLimits {
  if (options === undefined) return unlimited;
  const { priority, timeoutMs, queueTimeoutMs } = options;
  if (priority === undefined && timeoutMs === undefined && queueTimeoutMs === undefined) return unlimited;
  return {
    priority: requireInteger("priority", priority ?? 0, Number.MIN_SAFE_INTEGER),
    timeoutMs: requirePositive("timeoutMs", timeoutMs ?? Number.POSITIVE_INFINITY),
    queueTimeoutMs: requirePositive("queueTimeoutMs", queueTimeoutMs ?? Number.POSITIVE_INFINITY),
  };
}
