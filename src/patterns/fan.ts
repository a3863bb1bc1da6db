/**
 * One stream to many workers, and many streams into one.
 */
import { requireFunction, requireInteger, requireOneOf } from "../core/arguments.ts";
import { isCancelled } from "../core/cancellation.ts";
import { outcomeOf } from "../core/task.ts";
import type { Flow, FlowOptions } from "../sync/flow.ts";
import { TaskFlow } from "../sync/flow/task-flow.ts";
import { type OnValueError, parallelMap, readByAll } from "../sync/parallel-map.ts";
import { openSource, pump, type Source } from "../sync/source.ts";
import type { SourceValue, FanWorkContext } from "./fan/types.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "../sync/parallel-map.ts";
export type { Source } from "../sync/source.ts";
export type { SourceValue, FanWorkContext } from "./fan/types.ts";

/** How values are distributed. */
export interface FanOutOptions<T = unknown> extends FlowOptions {
  /** How many values are worked on at once: at least 1. */
  readonly workers: number;
  /** Whether results keep the order of the input; default false: they come as they are ready. */
  readonly ordered?: boolean | undefined;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure stops all. */
  readonly onError?: OnValueError<T> | undefined;
}

/** How streams are merged. */
export interface FanInOptions extends FlowOptions {
  /**
   * `fail-fast`, the default: the first source that fails stops the others. `collect`: the others go on to their end, and
   * then a {@link FanInError} is thrown.
   */
  readonly errors?: "fail-fast" | "collect" | undefined;
}

/**
 * Some of the sources of a `fanIn` have failed, and the others have ended.
 *
 * @example
 * const broken = function* (): Generator<number> {
 *   yield 2;
 *   throw new Error("broken");
 * };
 * const merged = fanIn([[1], broken], { errors: "collect" });
 * const failure: unknown = await merged.toArray().catch((error: unknown) => error);
 * (failure as FanInError).indexes; //=> [1]
 */
export class FanInError extends AggregateError {
  /** Which sources have failed, counted from 0: `errors[i]` is what the source at `indexes[i]` has thrown. */
  readonly indexes: readonly number[];

  /** @internal */
  constructor(failed: readonly { readonly index: number; readonly error: unknown }[], sources: number) {
    super(
      failed.map(({ error }) => error),
      `${failed.length} of ${sources} sources failed`,
    );
    this.name = "FanInError";
    this.indexes = failed.map(({ index }) => index);
  }
}

/**
 * Distributes the values of `source` to workers; whoever is free takes the next one.
 *
 * **Guarantees** Each value is worked on once. Workers, source and reader run at the same time and hold each other up:
 * no more than one value waits for a worker, and a worker waits until its result is taken, or finds room. With
 * `ordered`, at most `workers` results wait for an earlier one; in `toArray`, no worker waits for another. Nothing runs
 * before the first result is asked for.
 * **Cancellation** Leaving the loop, or `signal`, ends the context of every worker and of the source; all of them are
 * waited for, the source until its `finally` blocks have run. From a channel, nothing is taken that no worker works on.
 * **Errors** The first failure of the source or of a worker stops all, and is thrown once they have stopped.
 * **Cost** Two hand-overs a value; for a channel, an array or a generator as source, one. With `toArray`, one less.
 * **Not for** jobs that come one at a time, from many callers: see `pools`.
 * **Source** The Go blog's "Pipelines and cancellation" (2014).
 *
 * @example
 * const pages = fanOut(["a", "b", "c"], async (page) => {
 *   await sleep(1);
 *   return page.toUpperCase();
 * }, { workers: 2, ordered: true });
 * await pages.toArray(); //=> ["A", "B", "C"]
 */
export function fanOut<T, R>(
  source: Source<T>,
  work: (value: T, context: FanWorkContext) => R | PromiseLike<R>,
  options: FanOutOptions<T>,
): Flow<R> {
  requireFunction("work", work);
  const workers = requireInteger("workers", options.workers, 1);
  const { ordered = false, name = "fan-out", onError } = options;
  if (onError !== undefined) requireFunction("onError", onError);
  return new TaskFlow<R>(async (out, group) => {
    const { ctx } = group;
    await readByAll(source, group, name, (next) =>
      parallelMap({
        group,
        next,
        out,
        workers,
        ordered,
        name: `${name} worker`,
        work: (value: T, worker) => work(value, { worker, ctx }),
        onError,
      }),
    );
  }, options);
}

/**
 * Merges many streams into one; values come as they are ready.
 *
 * **Guarantees** Values of one source keep their order. Each source has at most one value in line, so a busy one does
 * not starve the others. Ends when every source has ended. Nothing is read before the first value is asked for.
 * **Cancellation** Leaving the loop, or `signal`, stops all sources and waits for them. A channel or a flow lets go also
 * while it is silent, as does a stream of Node or the Web; a generator only at its next value, unless it heeds the
 * context that a function is given. The value that a source has in line is lost.
 * **Errors** The first failure of a source stops all others, and is thrown once they have stopped; see
 * {@link FanInOptions.errors}.
 * **Cost** One task a source and one hand-over a value, however many sources are silent.
 * **Source** The Go blog's "Pipelines and cancellation" (2014).
 *
 * @example
 * const cats = new Channel<string>(1);
 * const dogs = new Channel<string>(1);
 * await cats.send("meow");
 * await dogs.send("woof");
 * cats.close();
 * dogs.close();
 * (await fanIn([cats, dogs]).toArray()).toSorted(); //=> ["meow", "woof"]
 */
export function fanIn<S extends Source<unknown>>(
  sources: Iterable<S>,
  options: FanInOptions = {},
): Flow<SourceValue<S>> {
  const all = [...sources] as unknown as Source<SourceValue<S>>[];
  const { name = "fan-in" } = options;
  const errors = requireOneOf("errors", options.errors ?? "fail-fast", ["fail-fast", "collect"]);
  return new TaskFlow<SourceValue<S>>(async (out, group) => {
    const { ctx } = group;
    const failed: { readonly index: number; readonly error: unknown }[] = [];
    const feed = async (source: Source<SourceValue<S>>, index: number): Promise<void> => {
      const fed = await outcomeOf(() => pump(openSource(source, ctx), out, ctx));
      if (fed.ok) return;
      if (errors === "fail-fast" || isCancelled(ctx)) throw fed.error;
      failed.push({ index, error: fed.error });
    };
    const feeds = all.map((source, index) =>
      group.go(() => feed(source, index), { name: `${name} ${index + 1}` }),
    );
    for (const fed of feeds) await fed.join(ctx);
    if (failed.length > 0) throw new FanInError(failed, all.length);
  }, options);
}
