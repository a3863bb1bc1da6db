/**
 * Lets several workers take from a source that only one may read.
 */
import { Channel, type Received } from "../channel.ts";
import { type AnyIterable, pump } from "../source.ts";
import type { TaskGroup } from "../task-group.ts";

/** Starts a task of the group that reads `values`, and gives what the workers call for the next one. */
export function readingTask<T>(
  values: AnyIterable<T>,
  group: TaskGroup,
  name: string,
): () => Promise<Received<T>> {
  const { ctx } = group;
  const read = new Channel<T>(0, { name: `${name} in` });
  const reading = async (): Promise<void> => {
    await pump(values, read, ctx);
    read.close();
  };
  group.go(reading, { name: `${name} source` });
  return () => read.receive(ctx);
}
