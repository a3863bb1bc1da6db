/**
 * Where a stream comes from, and how it is read so that the reader can be given up.
 */
import { type CancelOptions, endingOf, isCancelled, linkCancel } from "../core/cancellation.ts";
import { isCancellation } from "../core/errors.ts";
import { outcomeOf } from "../core/task.ts";
import type { SendPort } from "./channel.ts";
import type { Context } from "./context.ts";
import type { ReceivePort } from "./ports.ts";

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

/**
 * Sends everything that `source` gives, then finishes the source; also when it is given up midway.
 *
 * **Cancellation** A channel or a flow lets go also while it is silent. A generator only at its next value, unless it
 * heeds the context that it was given.
 */
export async function pump<T>(
  source: AnyIterable<T>,
  out: SendPort<T>,
  options: CancelOptions,
): Promise<void> {
  for await (const value of leavable(source, options)) await out.send(value, options);
}

/** The same values, but the wait for the next one can be given up. A plain `for await` would wait on. */
function leavable<T>(source: AnyIterable<T>, options: CancelOptions): AnyIterable<T> {
  if (isPort(source)) return { [Symbol.asyncIterator]: () => ({ next: () => source.receive(options) }) };
  if (typeof source !== "object" || !(Symbol.asyncIterator in source)) return source;
  const iterator = source[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<T>> => nextOf(iterator, options);
  const leave = async (): Promise<IteratorResult<T>> => {
    await iterator.return?.();
    return { value: undefined, done: true };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

/**
 * The next value. If the reader is given up while it is awaited, the iterator is told that the reader leaves; that it
 * says so is no failure of its own.
 */
async function nextOf<T>(iterator: AsyncIterator<T>, options: CancelOptions): Promise<IteratorResult<T>> {
  let leaving: Promise<unknown> | undefined;
  const onCancel = (): void => {
    leaving = outcomeOf(() => iterator.return?.());
  };
  const link = linkCancel(options, { onCancel });
  try {
    return await iterator.next();
  } catch (error) {
    throw isCancelled(options) && isCancellation(error) ? endingOf(options)?.reason : error;
  } finally {
    link?.release();
    if (leaving !== undefined) await leaving;
  }
}
