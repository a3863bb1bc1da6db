/**
 * Lets several workers take from a source that only one may read.
 */
import { bareRuntime } from "../../core/bare-runtime.ts";
import { Channel, type Received } from "../channel.ts";
import { type AnyIterable, isPort, openSource, pour, type Source, syncIterator } from "../source.ts";
import { Flow } from "../flow.ts";
import type { TaskGroup } from "../task-group.ts";
import { SharedIterator } from "./shared-iterator.ts";

/** Gives the next value, at once if it can. Several may ask before the first is answered. */
export type Next<T> = () => Received<T> | Promise<Received<T>>;

/** Gives the next value of what a stage reads, which disposes of it in the end. */
export function nextOf<T>(input: AsyncIterable<T, undefined>): Next<T> {
  if (input instanceof Flow) return () => (input as Flow<T>).takeNext();
  const iterator = input[Symbol.asyncIterator]();
  return () => iterator.next();
}

/**
 * Runs workers that take from a source, and finishes the source: a channel and what is there at once they take from
 * directly, anything else through a task that reads it. In a simulation that is so for all but channels, so that the
 * source is a task that others can go before.
 */
export async function readByAll<T>(
  source: Source<T>,
  group: TaskGroup,
  name: string,
  read: (next: Next<T>) => Promise<void>,
): Promise<void> {
  const { ctx } = group;
  const values = openSource(source, ctx);
  if (isPort(values)) return read(() => values.receive(ctx));
  const iterator = bareRuntime().scheduler === undefined ? syncIterator(values) : undefined;
  if (iterator === undefined) return read(readingTask(values, group, name));
  const shared = new SharedIterator(iterator);
  return shared.readBy(() => read(() => shared.next()));
}

/** Starts a task of the group that reads `values`, and gives what the workers call for the next one. */
export function readingTask<T>(
  values: AnyIterable<T>,
  group: TaskGroup,
  name: string,
): () => Promise<Received<T>> {
  const { ctx } = group;
  const read = new Channel<T>(0, { name: `${name} in` });
  const reading = async (): Promise<void> => {
    await pour(values, read, ctx);
    read.close();
  };
  group.go(reading, { name: `${name} source` });
  return () => read.receive(ctx);
}
