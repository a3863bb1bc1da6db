/**
 * Where a stream comes from, and how it is read so that the reader can be given up.
 */
import {
  type Cancelable,
  type CancelOptions,
  endingOf,
  isCancelled,
  linkCancel,
} from "../core/cancellation.ts";
import { isCancellation, withSuppressed } from "../core/errors.ts";
import { giveTurn, turnIsDue } from "../core/fairness.ts";
import { bareRuntime } from "../core/bare-runtime.ts";
import { isPending, type Outcome, outcomeOf, valueOf } from "../core/task.ts";
import type { Context } from "./context.ts";
import { handOver, type Outlet } from "./flow/hand-over.ts";
import type { ReceivePort, SendPort } from "./ports.ts";
import { iterateHostStream } from "./source/host-streams.ts";

/** What can be iterated, one way or the other. */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/** Where values come from. A function is given a context that ends when they are no longer wanted. */
export type Source<T> = AnyIterable<T> | ((ctx: Context) => AnyIterable<T>);

/** The values of a source. */
export function openSource<T>(source: Source<T>, ctx: Context): AnyIterable<T> {
  return typeof source === "function" ? source(ctx) : source;
}

/** Whether a source can be received from with a context: a channel, a ticker. */
export function isPort<T>(source: AnyIterable<T>): source is ReceivePort<T> {
  return typeof source === "object" && "receive" in source && typeof source.receive === "function";
}

/** The iterator of a source that gives its values at once; undefined for one that has to be waited for. */
export function syncIterator<T>(source: AnyIterable<T>): Iterator<T> | undefined {
  if (typeof source === "object" && (isPort(source) || Symbol.asyncIterator in source)) return undefined;
  return (source as Iterable<T>)[Symbol.iterator]();
}

/**
 * Sends everything that `source` gives, then finishes the source; also when it is given up midway.
 *
 * **Cancellation** Rejects with the reason. A channel, a flow and a stream of Node or the Web let go also while they are
 * silent; a generator only at its next value, unless it heeds the context that it was given.
 * **Errors** Those of the source, also from its `finally` blocks.
 *
 * @example
 * const letters = new Channel<string>(3);
 * await pump("abc", letters, background);
 * letters.size; //=> 3
 */
export async function pump<T>(
  source: AnyIterable<T>,
  out: Pick<SendPort<T>, "send">,
  options: CancelOptions,
): Promise<void> {
  await readSource(source, options, (value) => out.send(value, options));
}

/** The same, to where values are handed over without waiting, if they can be. */
export async function pour<T>(source: AnyIterable<T>, out: Outlet<T>, options: CancelOptions): Promise<void> {
  const runtime = bareRuntime();
  await readSource(source, options, (value) => handOver(runtime, out, value, options));
}

/**
 * Calls `take` with each value, and waits for it before the next, if it has to be waited for. Then finishes the source, whatever has ended it.
 *
 * A failure of the source comes before the reason of a cancellation: who only reports that it was given up hides nothing.
 */
export async function readSource<T>(
  source: AnyIterable<T>,
  options: CancelOptions,
  take: (value: T) => PromiseLike<void> | undefined,
): Promise<void> {
  const reader = new Reader<T>(iterate(source, options));
  const link = linkCancel(options, reader);
  const read = await outcomeOf(() => reader.readAll(options, take));
  link?.release();
  const finished = await outcomeOf(() => reader.finish());
  const toldTo = !read.ok && isCancelled(options) && isCancellationOf(options, read.error);
  if (!read.ok && !toldTo) throw withSuppressed(read.error, finished.ok ? [] : [finished.error]);
  valueOf(finished);
  if (toldTo) throw endingOf(options)?.reason;
}

function isCancellationOf(options: CancelOptions, error: unknown): boolean {
  return error === endingOf(options)?.reason || isCancellation(error);
}

type AnyIterator<T> = Iterator<T> | AsyncIterator<T>;

/** A channel is read with the context, because its iterator knows of none. Anything else is told by `return`. */
function iterate<T>(source: AnyIterable<T>, options: CancelOptions): AnyIterator<T> {
  if (isPort(source)) return { next: () => source.receive(options) };
  const stream = typeof source === "object" ? iterateHostStream<T>(source) : undefined;
  if (stream !== undefined) return stream;
  if (typeof source === "object" && Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return source[Symbol.iterator]();
}

/**
 * Invariants
 *   I1  The iterator is told to finish at most once, and never after it has ended by itself.
 *   I2  It is told so while it is asked for a value only if the reader is given up.
 */
class Reader<T> implements Cancelable {
  readonly #iterator: AnyIterator<T>;
  #state: "resting" | "asked" | "ended" = "resting";
  #finished: Promise<Outcome<unknown>> | undefined;

  constructor(iterator: AnyIterator<T>) {
    this.#iterator = iterator;
  }

  /** What is at hand is not awaited: that would take longer than all the rest. */
  async readAll(options: CancelOptions, take: (value: T) => PromiseLike<void> | undefined): Promise<void> {
    const runtime = bareRuntime();
    try {
      for (;;) {
        // Neither the source nor who takes need ever wait.
        if (turnIsDue(runtime)) await giveTurn(runtime);
        if (isCancelled(options)) throw endingOf(options)?.reason;
        this.#state = "asked";
        const asked = this.#iterator.next();
        const next = isPending(asked) ? await asked : asked;
        this.#state = next.done === true ? "ended" : "resting";
        // It was told to finish: its end is not that of the source then.
        if (next.done === true && this.#finished !== undefined) throw endingOf(options)?.reason;
        if (next.done === true) return;
        const taking = take(next.value);
        if (taking !== undefined) await taking;
      }
    } finally {
      // Whatever goes wrong in it ends it.
      if (this.#state === "asked") this.#state = "ended";
    }
  }

  /** Some iterators give up a wait when they are told to finish; the others finish when that wait is over. */
  onCancel(): void {
    if (this.#state === "asked") this.#finish();
  }

  async finish(): Promise<void> {
    if (this.#state === "resting") this.#finish();
    if (this.#finished !== undefined) valueOf(await this.#finished);
  }

  #finish(): void {
    this.#finished ??= outcomeOf(() => this.#iterator.return?.());
  }
}
