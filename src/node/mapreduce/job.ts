/**
 * What a module exports that says what is to be done with files, and how its types follow from each other.
 */
import type { Context } from "../../sync/context.ts";
import type { Emit } from "../../patterns/mapreduce.ts";

/**
 * What `map` is called with: each line without its end, as text or as bytes; or each file as a whole. Of bytes, `map` has
 * a view that is good until it has ended.
 */
export type RecordKind = "lines" | "line-bytes" | "files" | "file-bytes";

/** What results are sorted by: numbers by value, and before all strings; strings by code point. */
export type MapReduceKey = string | number;

/** The context of a `map`: it also says where the record is from. */
export interface RecordContext extends Context {
  /** The file that the record is from, as it was given. */
  readonly file: string;
}

/** The parameter `emit` of a module's `map`. */
type EmitOf<M> = M extends { readonly map: (record: never, emit: infer E, ...rest: never[]) => unknown }
  ? E
  : never;

/** The keys that a module's `map` emits. */
export type KeyOf<M> = EmitOf<M> extends (key: infer K, value: never) => unknown ? K : never;

/** The values that a module's `map` emits. */
export type ValueOf<M> = EmitOf<M> extends (key: never, value: infer V) => unknown ? V : never;

/** What a module's `reduce` makes of a key and its values. */
export type ReducedOf<M> = M extends {
  /** Gives a result, or the promise of one. */
  readonly reduce: (...args: never[]) => infer R;
}
  ? Awaited<R>
  : never;

/** The records of a module: text, unless it says that it wants bytes. */
export type RecordOf<M> = M extends {
  /** Says that it wants bytes. */
  readonly records: "line-bytes" | "file-bytes";
}
  ? Uint8Array
  : string;

/** How a module's `reduce` gets its values. */
export type ValuesOf<M> = M extends {
  /** Says that it goes through them once. */
  readonly values: "iterable";
}
  ? Iterable<ValueOf<M>>
  : readonly ValueOf<M>[];

/**
 * A module that says what is to be done with the records of files. Its functions are those of a `MapReduceJob`, and
 * the same ones can serve both. `M` is the type of the module.
 */
export interface FileJob<M> {
  /** What a record is; default "lines". */
  readonly records?: RecordKind;
  /**
   * How `reduce` gets the values of a key: all in an array, or one by one, to go through once; default "array". An array
   * must fit in memory.
   */
  readonly values?: "array" | "iterable";
  /** Emits the keys and values of one record. */
  readonly map: (
    record: RecordOf<M>,
    emit: Emit<KeyOf<M> & MapReduceKey, ValueOf<M>>,
    ctx: RecordContext,
  ) => void | PromiseLike<void>;
  /**
   * Called after the last record of each split: emits what `map` has kept back. After a split that was given up it is
   * called too, and what it emits does not count: so it leaves the module as it found it.
   */
  readonly finish?: (
    emit: Emit<KeyOf<M> & MapReduceKey, ValueOf<M>>,
    ctx: RecordContext,
  ) => void | PromiseLike<void>;
  /** Merges two values of a key, of which `left` was emitted first. It must be associative. `reduce` gets what is left: one. */
  readonly combine?: (left: ValueOf<M>, right: ValueOf<M>) => ValueOf<M>;
  /** Makes the result of a key out of its values, of which there is at least one. They come in the order of the files. */
  readonly reduce: (key: KeyOf<M>, values: ValuesOf<M>, ctx: Context) => unknown;
  /** Gives a key to a partition, from 0 up to, but not including, `partitions`. Without it, a hash of the key does. */
  readonly partition?: (key: KeyOf<M>, partitions: number) => number;
  /** A result as a line of text, for `writeTo` and the command. Without it, see {@link resultLine}. */
  readonly line?: (key: KeyOf<M>, result: ReducedOf<M>) => string;
}

/** A module whose types are not known: what is left when it has been loaded. */
export interface AnyJob {
  readonly records?: RecordKind;
  readonly values?: "array" | "iterable";
  readonly map: (
    record: unknown,
    emit: Emit<MapReduceKey, unknown>,
    ctx: RecordContext,
  ) => void | PromiseLike<void>;
  readonly finish?: (emit: Emit<MapReduceKey, unknown>, ctx: RecordContext) => void | PromiseLike<void>;
  readonly combine?: (left: unknown, right: unknown) => unknown;
  readonly reduce: (key: MapReduceKey, values: Iterable<unknown>, ctx: Context) => unknown;
  readonly partition?: (key: MapReduceKey, partitions: number) => number;
  readonly line?: (key: MapReduceKey, result: unknown) => string;
}
