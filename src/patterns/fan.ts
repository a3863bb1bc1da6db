/**
 * One stream to many workers, and many streams into one.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { Channel, type Received } from "../sync/channel.ts";
import type { Context } from "../sync/context.ts";
import { Flow, type FlowOptions } from "../sync/flow.ts";
import { parallelMap } from "../sync/parallel-map.ts";
import { isPort, openSource, pump, type Source } from "../sync/source.ts";
import type { TaskGroup } from "../sync/task-group.ts";

export type { Source } from "../sync/source.ts";

/** What a source gives. */
export type ValueOf<S> = S extends Source<infer T> ? T : never;

/** What is known where a value is worked on. */
export interface WorkContext {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** Ends when the result is no longer wanted. */
  readonly ctx: Context;
}

/** How values are distributed. */
export interface FanOutOptions extends FlowOptions {
  /** How many values are worked on at once: at least 1. */
  readonly workers: number;
  /** Whether results keep the order of the input; default false: they come as they are ready. */
  readonly ordered?: boolean | undefined;
}

/** How streams are merged. */
export type FanInOptions = FlowOptions;

/**
 * Distributes the values of `source` to workers; whoever is free takes the next one.
 *
 * **Guarantees** Each value is worked on once. Workers, source and reader run at the same time and hold each other up:
 * no more than one value waits for a worker, and a worker waits until its result is taken, or finds room. With
 * `ordered`, at most `workers` results wait for an earlier one. Nothing runs before the first result is asked for.
 * **Cancellation** Leaving the loop, or `signal`, ends the context of every worker and of the source; all of them are
 * waited for, the source until its `finally` blocks have run. From a channel, nothing is taken that no worker works on.
 * **Errors** The first failure of the source or of a worker stops all, and is thrown once they have stopped.
 * **Cost** Two channel hand-offs a value; for a channel as source, one.
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
  work: (value: T, context: WorkContext) => R | PromiseLike<R>,
  options: FanOutOptions,
): Flow<R> {
  requireFunction("work", work);
  const workers = requireInteger("workers", options.workers, 1);
  const { ordered = false, name = "fan-out" } = options;
  return new Flow<R>(async (out, group) => {
    const { ctx } = group;
    await parallelMap({
      group,
      next: reader(source, group, name),
      out,
      workers,
      ordered,
      name: `${name} worker`,
      work: (value: T, worker) => work(value, { worker, ctx }),
    });
  }, options);
}

/**
 * Merges many streams into one; values come as they are ready.
 *
 * **Guarantees** Values of one source keep their order. Each source has at most one value in line, so a busy one does
 * not starve the others. Ends when every source has ended. Nothing is read before the first value is asked for.
 * **Cancellation** Leaving the loop, or `signal`, stops all sources and waits for them. A channel or a flow lets go also
 * while it is silent; a generator only at its next value, unless it heeds the context that a function is given. The
 * value that a source has in line is lost.
 * **Errors** The first failure of a source stops all others, and is thrown once they have stopped.
 * **Cost** One task a source and one channel hand-off a value, however many sources are silent.
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
): Flow<ValueOf<S>> {
  const all = [...sources] as unknown as Source<ValueOf<S>>[];
  const { name = "fan-in" } = options;
  return new Flow<ValueOf<S>>(async (out, group) => {
    const { ctx } = group;
    const feeds = all.map((source, index) =>
      group.go(() => pump(openSource(source, ctx), out, ctx), { name: `${name} ${index + 1}` }),
    );
    for (const fed of feeds) await fed.join(ctx);
  }, options);
}

/** What workers take from: a channel itself; anything else through a task that reads it, as only one may. */
function reader<T>(source: Source<T>, group: TaskGroup, name: string): () => Promise<Received<T>> {
  const { ctx } = group;
  const values = openSource(source, ctx);
  if (isPort(values)) return () => values.receive(ctx);
  const todo = new Channel<T>(0, { name: `${name} in` });
  const read = async (): Promise<void> => {
    await pump(values, todo, ctx);
    todo.close();
  };
  group.go(read, { name: `${name} source` });
  return () => todo.receive(ctx);
}
