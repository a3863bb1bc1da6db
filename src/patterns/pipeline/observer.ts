/**
 * How somebody watches the stages of a pipeline.
 */
import type { Outlet } from "../../sync/flow/hand-over.ts";
import type { Received } from "../../sync/ports.ts";

/** Watches a pipeline; a `PipelineStats` is one. */
export interface PipelineObserver {
  /** The pipeline gets one more stage, in the order in which values go through them; the source is the first. */
  stage(name: string, workers: number): StageObserver;
}

/** Watches one stage: each of these calls what it is given, once and at once, and gives on how that ends. */
export interface StageObserver {
  /** The whole stage. */
  run(stage: () => Promise<void>): Promise<void>;
  /** It takes a value. */
  take<T>(next: () => Promise<Received<T>>): Promise<Received<T>>;
  /** It works on a value. */
  work<T>(call: () => T | PromiseLike<T>): Promise<T>;
  /** It gives a result. */
  give(send: () => Promise<void>): Promise<void>;
  /** It goes on without a result for a value. */
  skip(): void;
}

/** The same input, watched. */
export function watchedInput<T>(
  input: AsyncIterable<T, undefined>,
  watch: StageObserver,
): AsyncIterable<T, undefined> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = input[Symbol.asyncIterator]();
      return {
        next: () => watch.take(() => iterator.next()),
        return: async () => (await iterator.return?.()) ?? { value: undefined, done: true },
      };
    },
  };
}

/** The same output, watched. */
export function watchedOutput<T>(out: Outlet<T>, watch: StageObserver): Outlet<T> {
  return { send: (value, options) => watch.give(() => out.send(value, options)) };
}
