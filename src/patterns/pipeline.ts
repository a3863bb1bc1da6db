/**
 * A chain of stages that run at the same time, each passing its values on to the next.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { withSuppressed } from "../core/errors.ts";
import { outcomeOf, valueOf } from "../core/task.ts";
import type { Received } from "../sync/channel.ts";
import type { Context } from "../sync/context.ts";
import { Flow, type FlowProducer } from "../sync/flow.ts";
import { type OnValueError, parallelMap, type ParallelMapOptions } from "../sync/parallel-map.ts";
import type { SendPort } from "../sync/ports.ts";
import { type AnyIterable, openSource, pump, type Source } from "../sync/source.ts";
import type { TaskGroup } from "../sync/task-group.ts";
import {
  type PipelineObserver,
  type StageObserver,
  watchedInput,
  watchedOutput,
} from "./pipeline/observer.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "../sync/parallel-map.ts";

/** How a stage runs. */
export interface StageOptions {
  /** How many results may wait for the next stage: at least 0; default 0. */
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
  /** How many values it works on at once: at least 1; default 1. */
  readonly concurrency?: number | undefined;
  /** Whether results keep the order of the input; default true. */
  readonly ordered?: boolean | undefined;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure ends the pipeline. */
  readonly onError?: OnValueError<T> | undefined;
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
  const produce: FlowProducer<T> = async (out, { ctx }) => {
    if (watch === undefined) await pump(openSource(source, ctx), out, ctx);
    else await watch.run(() => pump(openSource(source, ctx), watchedOutput(out, watch), ctx));
  };
  return new Pipeline<T>(produce, { name, capacity, signal, observer });
}

/**
 * A pipeline: iterate it to run it.
 *
 * **Guarantees** Stages run concurrently, joined by bounded channels: a slow stage holds up those before it, and the
 * source is ahead by no more than the capacities, what each stage works on, and one value a stage. Values keep their
 * order unless a stage says otherwise. When a stage fails, ends early or is left, everything before it stops, and is
 * waited for until its `finally` blocks have run.
 * **Cancellation** When `signal` aborts, the loop throws its reason; what is under way is lost, what the source has not
 * given stays with it.
 * **Errors** The first failure of the source or of any stage, unchanged.
 * **Cost** One channel hand-off a value and stage.
 * **Not for** a few cheap synchronous steps: a plain loop does those faster.
 * **Source** Unix pipes; the Go blog's "Pipelines and cancellation" (2014).
 *
 * @example
 * const words = pipeline(["a b", "c"]).through(async function* (lines) {
 *   for await (const line of lines) yield* line.split(" ");
 * });
 * await words.toArray(); //=> ["a", "b", "c"]
 */
export class Pipeline<T> extends Flow<T> {
  readonly #produce: FlowProducer<T>;
  readonly #options: PipelineOptions;

  /** Begin with {@link pipeline}. @internal */
  constructor(produce: FlowProducer<T>, options: PipelineOptions) {
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
    options: PipelineMapOptions<T> = {},
  ): Pipeline<U> {
    requireFunction("work", work);
    const { onError } = options;
    if (onError !== undefined) requireFunction("onError", onError);
    const workers = requireInteger("concurrency", options.concurrency ?? 1, 1);
    const ordered = options.ordered ?? true;
    return this.#then<U>(options, workers, async (input, out, group, watch) => {
      const iterator = input[Symbol.asyncIterator]();
      const next = (): Promise<Received<T>> => iterator.next();
      const task = (value: T): U | PromiseLike<U> => work(value, group.ctx);
      const name = options.name ?? "stage";
      const plain = { group, next, out, workers, ordered, name, work: task, onError };
      await parallelMap(watch === undefined ? plain : watched(plain, watch));
    });
  }

  /** Adds a stage that is a function from one stream to another: to split, join, drop or add values. */
  through<U>(transform: PipelineTransform<T, U>, options: StageOptions = {}): Pipeline<U> {
    requireFunction("transform", transform);
    return this.#then<U>(options, 1, (input, out, { ctx }) => pump(transform(input, ctx), out, ctx));
  }

  /** One more stage: it reads what there is so far as a flow of its own, which ends with it. */
  #then<U>(options: StageOptions, workers: number, stage: Stage<T, U>): Pipeline<U> {
    const { name = "stage" } = options;
    const { signal, observer } = this.#options;
    const watch = observer?.stage(name, workers);
    const produce: FlowProducer<U> = async (out, group) => {
      const input = new Flow(this.#produce, { ...this.#options, signal: group.ctx.signal });
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

type Stage<T, U> = (
  input: AsyncIterable<T, undefined>,
  out: Pick<SendPort<U>, "send">,
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
