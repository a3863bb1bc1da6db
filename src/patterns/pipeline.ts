/**
 * A chain of stages that run at the same time, each passing its values on to the next.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { withSuppressed } from "../core/errors.ts";
import { isPending, outcomeOf, valueOf } from "../core/task.ts";
import type { Context } from "../sync/context.ts";
import type { Outlet } from "../sync/flow/hand-over.ts";
import { TaskFlow } from "../sync/flow/task-flow.ts";
import { nextOf, type OnValueError, parallelMap, type ParallelMapOptions } from "../sync/parallel-map.ts";
import { skipped } from "../sync/parallel-map/on-error.ts";
import { type AnyIterable, openSource, pour, type Source } from "../sync/source.ts";
import type { TaskGroup } from "../sync/task-group.ts";
import {
  type PipelineObserver,
  type StageObserver,
  watchedInput,
  watchedOutput,
} from "./pipeline/observer.ts";
import { fusedOutlet, refuseOptionsOfWorkers, type Step, watchedFusedStage } from "./pipeline/fused.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "../sync/parallel-map.ts";

/** How a stage runs. */
export interface StageOptions {
  /**
   * How many results may wait for the next stage: at least 0; default 0. A stage that has filled it may go on only when a
   * quarter of it is free.
   */
  readonly capacity?: number | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How a pipeline runs; capacity and name are those of its source. */
export interface PipelineOptions extends StageOptions, CancelOptions {
  /** Watches the stages: a `PipelineStats` of `pipeline/stats`. */
  readonly observer?: PipelineObserver | undefined;
}

/** How a stage runs that works on one value at a time. */
export interface PipelineMapOptions<T = unknown> extends StageOptions {
  /** Whether it runs in the task of the stage before, see {@link FusedStageOptions}; default false. */
  readonly fused?: false | undefined;
  /** How many values it works on at once: at least 1; default 1. */
  readonly concurrency?: number | undefined;
  /** Whether results keep the order of the input; default true. */
  readonly ordered?: boolean | undefined;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure ends the pipeline. */
  readonly onError?: OnValueError<T> | undefined;
}

/** How a stage runs that is fused with the one before. */
export interface FusedStageOptions extends StageOptions {
  /**
   * Runs in the task of the stage before, or of the source, with no channel between: each value goes through it before the
   * next one is read. For cheap synchronous steps. If the function gives a promise, that holds up the stage before.
   */
  readonly fused: true;
  /** How many results may wait for the next stage; default: as many as of the stage before. */
  readonly capacity?: number | undefined;
}

/** A whole stage as a function from one stream to another, typically an async generator. */
export type PipelineTransform<I, O> = (input: AsyncIterable<I>, ctx: Context) => AnyIterable<O>;

/**
 * Begins a pipeline.
 *
 * @example
 * const results = await pipeline([1, 2, 3])
 *   .map((n) => n * n)
 *   .map((n) => n + 10)
 *   .toArray();
 * results; //=> [11, 14, 19]
 */
export function pipeline<T>(source: Source<T>, options: PipelineOptions = {}): Pipeline<T> {
  const { name = "source", capacity, signal, observer } = options;
  const watch = observer?.stage(name, 1);
  const produce: Produce<T> = (out, { ctx }) => {
    const read = (outlet: Outlet<T>): Promise<void> => pour(openSource(source, ctx), outlet, ctx);
    return watch === undefined ? read(out) : watch.run(() => read(watchedOutput(out, watch)));
  };
  return new Pipeline<T>(produce, { name, capacity, signal, observer });
}

/**
 * A pipeline: iterate it to run it.
 *
 * **Guarantees** Stages run concurrently, joined by bounded channels: a slow stage holds up those before it, and the
 * source is ahead by no more than the capacities, what each stage works on, and one value a stage. Values keep their
 * order unless a stage says otherwise. A stage runs in the async context of whoever added it; one that is `fused`, in that
 * of the stage before. When a stage fails, ends early or is left, everything before it stops, and is
 * waited for until its `finally` blocks have run.
 * **Cancellation** When `signal` aborts, the loop throws its reason; what is under way is lost, what the source has not
 * given stays with it.
 * **Errors** The first failure of the source or of any stage, unchanged.
 * **Cost** One hand-over a value and stage; none for a stage that is `fused`.
 * **Not for** one cheap step over an array: a plain loop does that faster.
 * **Source** Unix pipes; the Go blog's "Pipelines and cancellation" (2014).
 *
 * @example
 * const words = pipeline(["a b", "c"]).through(async function* (lines) {
 *   for await (const line of lines) yield* line.split(" ");
 * });
 * await words.toArray(); //=> ["a", "b", "c"]
 */
export class Pipeline<T> extends TaskFlow<T> {
  readonly #produce: Produce<T>;
  readonly #options: PipelineOptions;

  /** Begin with {@link pipeline}. @internal */
  constructor(produce: Produce<T>, options: PipelineOptions) {
    super(produce, options);
    this.#produce = produce;
    this.#options = options;
  }

  /**
   * Adds a stage that turns each value into another. `work` is given a context that ends when its result is no longer
   * wanted.
   *
   * @example
   * const numbers = pipeline(["1", "two", "3"]).map(
   *   (text) => BigInt(text),
   *   { onError: (error, { attempt }) => (attempt < 3 ? "retry" : "skip") },
   * );
   * await numbers.toArray(); //=> [1n, 3n]
   */
  map<U>(
    work: (value: T, ctx: Context) => U | PromiseLike<U>,
    options: PipelineMapOptions<T> | FusedStageOptions = {},
  ): Pipeline<U> {
    requireFunction("work", work);
    return this.#step<U>(work, options);
  }

  /**
   * Adds a stage that passes on the values for which `keep` says so.
   *
   * @example
   * const errors = pipeline(["ok", "error: disk", "ok"]).filter((line) => line.startsWith("error"), { fused: true });
   * await errors.toArray(); //=> ["error: disk"]
   */
  filter<S extends T>(
    keep: (value: T, ctx: Context) => value is S,
    options?: PipelineMapOptions<T> | FusedStageOptions,
  ): Pipeline<S>;
  filter(
    keep: (value: T, ctx: Context) => boolean | PromiseLike<boolean>,
    options?: PipelineMapOptions<T> | FusedStageOptions,
  ): Pipeline<T>;
  filter(
    keep: (value: T, ctx: Context) => boolean | PromiseLike<boolean>,
    options: PipelineMapOptions<T> | FusedStageOptions = {},
  ): Pipeline<T> {
    requireFunction("keep", keep);
    const later = async (value: T, kept: PromiseLike<boolean>): Promise<T | typeof skipped> =>
      (await kept) ? value : skipped;
    return this.#step<T>((value, ctx) => {
      const kept = keep(value, ctx);
      if (isPending(kept)) return later(value, kept);
      return kept ? value : skipped;
    }, options);
  }

  /** Adds a stage that is a function from one stream to another: to split, join, drop or add values. */
  through<U>(transform: PipelineTransform<T, U>, options: StageOptions = {}): Pipeline<U> {
    requireFunction("transform", transform);
    return this.#then<U>(options, 1, (input, out, { ctx }) => pour(transform(input, ctx), out, ctx));
  }

  /** One more step: in the task of the stage before, or as a stage of its own. */
  #step<U>(step: Step<T, U>, options: PipelineMapOptions<T> | FusedStageOptions): Pipeline<U> {
    if (options.fused === true) return this.#fuse(step, options);
    const { onError } = options;
    if (onError !== undefined) requireFunction("onError", onError);
    const workers = requireInteger("concurrency", options.concurrency ?? 1, 1);
    const ordered = options.ordered ?? true;
    const name = options.name ?? "stage";
    return this.#then<U>(options, workers, async (input, out, group, watch) => {
      const work = (value: T): U | typeof skipped | PromiseLike<U | typeof skipped> => step(value, group.ctx);
      const next = nextOf(input);
      const plain = { group, next, out, workers, ordered, name, work, onError };
      await parallelMap(watch === undefined ? plain : watched(plain, watch));
    });
  }

  #fuse<U>(step: Step<T, U>, options: FusedStageOptions): Pipeline<U> {
    refuseOptionsOfWorkers(options);
    const { name = this.#options.name, capacity = this.#options.capacity } = options;
    const watch = this.#options.observer?.stage(options.name ?? "stage", 1);
    const produce: Produce<U> = (out, group) =>
      watch === undefined
        ? this.#produce(fusedOutlet(step, out, group.ctx), group)
        : watchedFusedStage(step, out, group.ctx, watch, (outlet) => this.#produce(outlet, group));
    return new Pipeline<U>(produce, { ...this.#options, name, capacity });
  }

  /** One more stage: it reads what there is so far as a flow of its own, which ends with it. */
  #then<U>(options: StageOptions, workers: number, stage: Stage<T, U>): Pipeline<U> {
    const { name = "stage" } = options;
    const { signal, observer } = this.#options;
    const watch = observer?.stage(name, workers);
    const produce: Produce<U> = async (out, group) => {
      const before: Produce<T> = (outlet, stages) => this.inItsContext(() => this.#produce(outlet, stages));
      const input = new TaskFlow(before, { ...this.#options, signal: group.ctx.signal });
      const run = (): Promise<void> =>
        watch === undefined
          ? stage(input, out, group)
          : watch.run(() => stage(watchedInput(input, watch), watchedOutput(out, watch), group, watch));
      const ran = await outcomeOf(run);
      const left = await outcomeOf(() => input[Symbol.asyncDispose]());
      if (!ran.ok) throw withSuppressed(ran.error, input.failures);
      valueOf(left);
    };
    return new Pipeline<U>(produce, { ...options, name, signal, observer });
  }
}

/** What makes the values of a pipeline. */
type Produce<T> = (out: Outlet<T>, group: TaskGroup) => Promise<void>;

type Stage<T, U> = (
  input: AsyncIterable<T, undefined>,
  out: Outlet<U>,
  group: TaskGroup,
  watch?: StageObserver,
) => Promise<void>;

/** The same work, watched. */
function watched<T, U>(plain: ParallelMapOptions<T, U>, watch: StageObserver): ParallelMapOptions<T, U> {
  const { work, onError } = plain;
  const judge: OnValueError<T> | undefined =
    onError &&
    (async (error, failed, ctx) => {
      const verdict = await onError(error, failed, ctx);
      if (verdict === "skip") watch.skip();
      return verdict;
    });
  return { ...plain, work: (value, worker) => watch.work(() => work(value, worker)), onError: judge };
}
