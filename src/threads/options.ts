/**
 * What a pool of threads is told, and how its module is typed.
 */
import { requireDuration, requireFunction, requireInteger } from "../core/arguments.ts";
import { reportUncaught } from "../core/uncaught.ts";
import type { JobContext, WorkerPoolOptions } from "../patterns/pools.ts";
import { exponentialDelay, type Schedule } from "../sync/schedule.ts";
import type { Transferred } from "./transfer.ts";

/** What a function of a thread is given beside its job. The same as in the pools of one event loop. */
export type ThreadJobContext = JobContext;

/** A function that threads can call. */
type Callable = (job: never, context: ThreadJobContext) => unknown;

/** What a function takes: the job itself, or with parts that are moved. */
export type JobOf<F> = F extends (job: infer I, ...rest: never[]) => unknown ? I | Transferred<I> : never;

/** What a stream function gives, one by one. */
export type StreamedOf<F> = F extends (...args: never[]) => infer R ? Unmoved<ItemOf<R>> : never;

/** What a function gives in the end. */
export type ResultOf<F> = F extends (...args: never[]) => infer R ? Unmoved<Awaited<R>> : never;

type ItemOf<R> = R extends AsyncIterable<infer T> | Iterable<infer T> ? T : never;
type Unmoved<R> = R extends Transferred<infer T> ? T : R;

/** Whether a function gives a stream: a generator, synchronous or not. One that gives nothing at all does not. */
type Streams<F> = F extends (...args: never[]) => infer R
  ? [R] extends [never]
    ? false
    : R extends Generator | AsyncGenerator
      ? true
      : false
  : never;

/** The names of the functions of a module that give one result. */
export type JobName<M> = {
  [K in keyof M & string]: M[K] extends Callable ? (Streams<M[K]> extends false ? K : never) : never;
}[keyof M & string];

/** The names of the generator functions of a module. */
export type StreamName<M> = {
  [K in keyof M & string]: M[K] extends Callable ? (Streams<M[K]> extends true ? K : never) : never;
}[keyof M & string];

/** How a pool of threads works. */
export interface ThreadPoolOptions extends Omit<WorkerPoolOptions, "workers" | "setup" | "teardown"> {
  /** How many threads there are: at least 1; default as many as can run at once. */
  readonly workers?: number | undefined;
  /**
   * How long a function that is told to stop has for that, in milliseconds; default 1000. Then its thread is ended, and
   * another started. `Infinity` waits for ever.
   */
  readonly graceMs?: number | undefined;
  /** A thread that has had nothing to do for so long, in milliseconds, is ended until it is wanted; default Infinity. */
  readonly idleMs?: number | undefined;
  /**
   * How long to pause before a thread is replaced, told how many replacements in a row have ended without having finished
   * a job; any other is replaced at once. `Infinity` cancels the pool. By default from 100 ms on, doubled each time, and
   * `Infinity` after the tenth.
   */
  readonly restart?: Schedule | undefined;
  /** Takes what has ended a thread that was at no job. Without it, that is an uncaught exception of the host. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The options that are the threads' own, checked. */
export interface ThreadSettings {
  readonly workers: number;
  readonly graceMs: number;
  readonly idleMs: number;
  readonly restart: Schedule;
  readonly onError: (error: unknown) => void;
}

/** After so many threads in a row that were of no use, there is no hope for the next. */
const HOPELESS = 10;

function patience(): Schedule {
  const pause = exponentialDelay({ firstMs: 100, maxMs: 5000 });
  return (attempt) => (attempt > HOPELESS ? Number.POSITIVE_INFINITY : pause(attempt));
}

/** Checks the options that are the threads' own. */
export function threadSettings(options: ThreadPoolOptions, cores: number): ThreadSettings {
  const { restart = patience(), onError = reportUncaught } = options;
  requireFunction("restart", restart);
  requireFunction("onError", onError);
  return {
    workers: requireInteger("workers", options.workers ?? cores, 1),
    graceMs: requireDuration("graceMs", options.graceMs ?? 1000),
    idleMs: requireDuration("idleMs", options.idleMs ?? Number.POSITIVE_INFINITY),
    restart,
    onError,
  };
}
