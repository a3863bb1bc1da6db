/**
 * Turns every input into keys with values, and all values of a key into one result.
 *
 * Invariants
 *   I1  No key is reduced before every map has ended.
 *   I2  At most one input a mapper, and one more, has been taken and is not mapped.
 *   I3  With `onError`, what a map emits counts only if that map has succeeded.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { type CancelOptions, isCancelled, rejectIfCancelled } from "../core/cancellation.ts";
import { MisuseError } from "../core/errors.ts";
import { giveTurn } from "../core/fairness.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { Channel, type ReceivePort } from "../sync/channel.ts";
import type { Context } from "../sync/context.ts";
import { openSource, pump, type Source } from "../sync/source.ts";
import { judged, type OnValueError, skipped } from "../sync/parallel-map/on-error.ts";
import { type Task, TaskGroup } from "../sync/task-group.ts";
import { type Group, Groups, valuesOf } from "./mapreduce/groups.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "../sync/parallel-map/on-error.ts";

/**
 * Hands a value of a key over to the shuffle; only while the call it was given to goes on. Write the type at that
 * parameter, as in `emit: Emit<string, number>`: all others follow from it.
 */
export type Emit<K, V> = (key: K, value: V) => void;

/** What is done with the inputs. The contexts end when the run is given up. */
export interface MapReduceJob<I, K, V, R> {
  /** Emits the keys and values of one input. */
  map(item: I, emit: Emit<K, V>, ctx: Context): void | PromiseLike<void>;
  /**
   * Called once, when every input is mapped: emits what `map` has kept back. For a map that adds up by itself over many
   * inputs, which spares an emit for each.
   */
  finish?(emit: Emit<K, V>, ctx: Context): void | PromiseLike<void>;
  /**
   * Merges two values of a key as soon as there are two, so that memory does not grow with the number of values. It must
   * be associative and commutative, and `reduce` must give for merged values what it gives for the single ones.
   */
  combine?(left: V, right: V): V;
  /** Makes the result of a key out of its values: at least one. */
  reduce(key: K, values: readonly V[], ctx: Context): R | PromiseLike<R>;
}

/** How far a run has come. */
export interface MapReduceProgress {
  /** What the run is about: inputs, or the groups that were made of them. */
  readonly phase: "map" | "reduce";
  /** Inputs that were mapped. */
  readonly mapped: number;
  /** Inputs that `onError` has skipped. */
  readonly skipped: number;
  /** Values that were emitted. */
  readonly emitted: number;
  /** Different keys among them. */
  readonly keys: number;
  /** Keys that were reduced. */
  readonly reduced: number;
}

/** How a run goes. What a callback throws fails the run. */
export interface MapReduceOptions<K, V, I = unknown> extends CancelOptions {
  /** How many inputs are mapped at once: at least 1; default 4. */
  readonly mappers?: number | undefined;
  /** How many keys are reduced at once: at least 1; default 4. */
  readonly reducers?: number | undefined;
  /**
   * Gives a key to a reducer, from 0 up to, but not including, `reducers`: keys of one reducer are reduced one after the
   * other. Without it, a key goes to whichever reducer is free.
   */
  readonly partition?: ((key: K, reducers: number) => number) | undefined;
  /** The order of the result, and that in which reduces start. Without it, keys come as they were first emitted. */
  readonly sort?: ((left: K, right: K) => number) | undefined;
  /**
   * Takes what `map` threw, and the input on which it failed, and decides. Without it, the first failure fails the run.
   * What the failed map has emitted does not count, so what a map emits is kept apart until it has ended.
   */
  readonly onError?: OnValueError<I> | undefined;
  /** Called for each key with all its values, after the last map and before the first reduce. */
  readonly onGrouped?: ((key: K, values: readonly V[]) => void) | undefined;
  /** Called after each map and each reduce. */
  readonly onProgress?: ((progress: MapReduceProgress) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/**
 * Maps all inputs, groups what that emits by key, and reduces each group to a result.
 *
 * **Guarantees** Inputs are taken only as fast as they are mapped: at most `mappers` + 1 are held. Reduces begin when
 * all maps have ended. With `sort`, and a `reduce` that does not depend on the order of the values, the result is the
 * same in every run: with several mappers, the order of values and of keys is that in which they came.
 * **Units and ranges** Keys: any values, compared as a `Map` does; at most 2^24 different ones, which is a `Map`'s limit.
 * **Cancellation** When `signal` aborts, rejects with its reason once every map, or reduce, has ended; they are given
 * contexts, so that they can end soon. The input is finished too: its `finally` blocks have run.
 * **Errors** The first failure of the input or of any callback, unchanged; the rest is cancelled. `MisuseError` from
 * an `emit` that comes after its `map` has ended.
 * **Cost** A task switch an input and a key; an emit costs one look-up. Memory: all values; with `combine` one a key.
 * **Not for** using more than one core: callbacks share one event loop, and what they gain is that waits overlap.
 * **Source** J. Dean and S. Ghemawat, MapReduce (OSDI 2004), with its combiner and its partitions.
 *
 * @example
 * const counts = await mapReduce(["to be or", "not to be"], {
 *   map(line, emit: Emit<string, number>) {
 *     for (const word of line.split(" ")) emit(word, 1);
 *   },
 *   reduce: (word, ones) => ones.length,
 * });
 * Object.fromEntries(counts); //=> { to: 2, be: 2, or: 1, not: 1 }
 */
export function mapReduce<I, K, V, R>(
  input: Source<I>,
  job: MapReduceJob<I, K, V, R>,
  options: MapReduceOptions<K, V, I> = {},
): Promise<Map<K, R>> {
  requireCallbacks(job, "map", "reduce");
  allowCallbacks(job, "finish", "combine");
  allowCallbacks(options, "partition", "sort", "onError", "onGrouped", "onProgress");
  const mappers = requireInteger("mappers", options.mappers ?? 4, 1);
  const reducers = requireInteger("reducers", options.reducers ?? 4, 1);
  const run = new Run(job, options);
  return rejectIfCancelled(options) ?? run.start(input, mappers, reducers);
}

function requireCallbacks(given: object, ...names: readonly string[]): void {
  for (const name of names) requireFunction(name, (given as Record<string, unknown>)[name]);
}

function allowCallbacks(given: object, ...names: readonly string[]): void {
  requireCallbacks(given, ...names.filter((name) => (given as Record<string, unknown>)[name] !== undefined));
}

type NamedTask = readonly [name: string, task: Task<void>];

function numbered(name: string, tasks: readonly Task<void>[]): NamedTask[] {
  return tasks.map((task, index) => [`${name} ${index + 1}`, task]);
}

class Run<I, K, V, R> {
  readonly #job: MapReduceJob<I, K, V, R>;
  readonly #options: MapReduceOptions<K, V, I>;
  readonly #groups: Groups<K, V, R>;
  readonly #runtime: BareRuntime = bareRuntime();
  #phase: MapReduceProgress["phase"] = "map";
  #mapped = 0;
  #skipped = 0;
  #reduced = 0;

  constructor(job: MapReduceJob<I, K, V, R>, options: MapReduceOptions<K, V, I>) {
    this.#groups = new Groups<K, V, R>(job);
    this.#job = job;
    this.#options = options;
  }

  async start(input: Source<I>, mappers: number, reducers: number): Promise<Map<K, R>> {
    await this.#map(input, mappers);
    const groups = this.#shuffle();
    await this.#reduce(groups, reducers);
    const results = new Map<K, R>();
    for (const { key, result } of groups) results.set(key, result as R);
    return results;
  }

  async #map(input: Source<I>, mappers: number): Promise<void> {
    const items = new Channel<I>(0, { name: this.#nameOf("input") });
    const feed = async (ctx: Context): Promise<void> => {
      await pump(openSource(input, ctx), items, ctx);
      items.close();
    };
    const mapping = (ctx: Context): Promise<void> => this.#mapItems(items, ctx);
    await this.#inTasks([
      ["input", feed],
      ...numbered("mapper", Array<typeof mapping>(mappers).fill(mapping)),
    ]);
    const finish = (ctx: Context): Promise<void> =>
      this.#emitting(this.#groups, (emit) => this.#job.finish?.(emit, ctx));
    if (this.#job.finish !== undefined) await this.#inTasks([["finish", finish]]);
  }

  /** Runs them at once; the first failure cancels the others. */
  async #inTasks(tasks: readonly NamedTask[]): Promise<void> {
    const group = new TaskGroup({ name: this.#options.name ?? "mapreduce", signal: this.#options.signal });
    for (const [name, task] of tasks) group.go(task, { name: this.#nameOf(name) });
    await group.wait();
  }

  #nameOf(part: string): string {
    return `${this.#options.name ?? "mapreduce"} ${part}`;
  }

  async #mapItems(items: ReceivePort<I>, ctx: Context): Promise<void> {
    for (;;) {
      const item = await items.receive(ctx);
      if (item.done === true) return;
      if (await this.#mapItem(item.value, ctx)) this.#mapped++;
      else this.#skipped++;
      this.#report();
      await giveTurn(this.#runtime);
    }
  }

  /** False if it was skipped. */
  async #mapItem(item: I, ctx: Context): Promise<boolean> {
    const { onError } = this.#options;
    if (onError === undefined) {
      await this.#emitting(this.#groups, (emit) => this.#job.map(item, emit, ctx));
      return true;
    }
    const attempt = async (): Promise<Groups<K, V, R>> => {
      const own = new Groups<K, V, R>(this.#job);
      await this.#emitting(own, (emit) => this.#job.map(item, emit, ctx));
      return own;
    };
    const emitted = await judged(item, attempt, onError, ctx);
    if (emitted === skipped) return false;
    this.#groups.addAll(emitted);
    return true;
  }

  /** Gives `call` an emit that is good until it has ended. */
  async #emitting(
    groups: Groups<K, V, R>,
    call: (emit: Emit<K, V>) => void | PromiseLike<void>,
  ): Promise<void> {
    let open = true;
    const emit = (key: K, value: V): void => {
      if (!open) throw new MisuseError("emit after its map has ended");
      groups.add(key, value);
    };
    try {
      await call(emit);
    } finally {
      open = false;
    }
  }

  /** The groups in the order in which they are to be reduced. */
  #shuffle(): readonly Group<K, V, R>[] {
    const { sort, onGrouped } = this.#options;
    const groups = this.#groups.all();
    if (sort !== undefined) groups.sort((left, right) => sort(left.key, right.key));
    if (onGrouped !== undefined) for (const group of groups) onGrouped(group.key, valuesOf(group));
    return groups;
  }

  async #reduce(groups: readonly Group<K, V, R>[], reducers: number): Promise<void> {
    this.#phase = "reduce";
    const shares = this.#sharesOf(groups, reducers);
    const reducing = shares.map(
      (share): Task<void> =>
        (ctx) =>
          this.#reduceGroups(share, ctx),
    );
    await this.#inTasks(numbered("reducer", reducing));
  }

  /** What each reducer takes from: what all share, or a part of its own. */
  #sharesOf(groups: readonly Group<K, V, R>[], reducers: number): Iterable<Group<K, V, R>>[] {
    const { partition } = this.#options;
    if (partition === undefined) {
      const shared = groups.values();
      return Array.from({ length: reducers }, () => shared);
    }
    const parts = Array.from({ length: reducers }, (): Group<K, V, R>[] => []);
    for (const group of groups) {
      const reducer = requireInteger("partition(key)", partition(group.key, reducers), 0, reducers - 1);
      parts[reducer]?.push(group);
    }
    return parts;
  }

  async #reduceGroups(share: Iterable<Group<K, V, R>>, ctx: Context): Promise<void> {
    for (const group of share) {
      if (isCancelled(ctx)) throw ctx.cause;
      group.result = await this.#job.reduce(group.key, valuesOf(group), ctx);
      group.values = undefined;
      this.#reduced++;
      this.#report();
      await giveTurn(this.#runtime);
    }
  }

  #report(): void {
    this.#options.onProgress?.({
      phase: this.#phase,
      mapped: this.#mapped,
      skipped: this.#skipped,
      emitted: this.#groups.emitted,
      keys: this.#groups.size,
      reduced: this.#reduced,
    });
  }
}
