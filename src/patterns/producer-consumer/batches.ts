/**
 * Consuming several values at once: one insert of a hundred rows instead of a hundred inserts.
 */
import { requireDuration, requireInteger } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Received } from "../../sync/channel.ts";
import { background, withTimeout } from "../../sync/context.ts";
import type { TakeEnd } from "./take-end.ts";

/** When a batch is complete. */
export interface QueueBatchOptions {
  /** How many values it has at most: at least 1. */
  readonly size: number;
  /** How long it waits for more after its first value, in milliseconds; default 0: it has what is there. */
  readonly withinMs?: number | undefined;
}

/**
 * A queue as batches of its values, for `consume`.
 *
 * **Guarantees** Values keep their order. A batch has from 1 to `size` values; it ends when it is full, when its first
 * value is `withinMs` old, or when the queue is closed and empty. The last batch is given too, however small.
 * **Cancellation** Nothing is lost: a take that is given up when it has some values gives those, without waiting on.
 * **Errors** Those of the queue. `close` closes the queue.
 * **Cost** A timer for each batch that has to wait.
 * **Not for** batches of a stream with one reader: see `pipeline`.
 *
 * @example
 * const queue = new JobQueue<number>({ capacity: 10 });
 * for (const n of [1, 2, 3, 4, 5]) await queue.put(n);
 * queue.close();
 * const batches: number[][] = [];
 * await consume(inBatches(queue, { size: 2 }), (batch) => void batches.push(batch)).wait();
 * batches; //=> [[1, 2], [3, 4], [5]]
 */
export function inBatches<T>(queue: TakeEnd<T>, options: QueueBatchOptions): TakeEnd<T[]> {
  const size = requireInteger("size", options.size, 1);
  const withinMs = requireDuration("withinMs", options.withinMs ?? 0);
  return {
    take: async (cancel) => {
      const first = await queue.take(cancel);
      if (first.done === true) return first;
      return { value: await fill(queue, [first.value], size, withinMs, cancel ?? background), done: false };
    },
    tryTake: () => {
      const first = queue.tryTake();
      if (first === undefined || first.done === true) return first;
      const batch = [first.value];
      takeWhatIsThere(queue, batch, size);
      return { value: batch, done: false };
    },
    close: (cause) => queue.close(cause),
  };
}

async function fill<T>(
  queue: TakeEnd<T>,
  batch: T[],
  size: number,
  withinMs: number,
  options: CancelOptions,
): Promise<T[]> {
  takeWhatIsThere(queue, batch, size);
  if (batch.length === size || withinMs === 0) return batch;
  const { ctx, cancel } = withTimeout(options, withinMs);
  try {
    while (batch.length < size) {
      const next: Received<T> = await queue.take(ctx);
      if (next.done === true) break;
      batch.push(next.value);
    }
  } catch {
    // The time is up, or the take was given up; what has ended the queue is told to the next take too.
  } finally {
    cancel();
  }
  return batch;
}

function takeWhatIsThere<T>(queue: TakeEnd<T>, batch: T[], size: number): void {
  while (batch.length < size) {
    const next = queue.tryTake();
    if (next === undefined || next.done === true) return;
    batch.push(next.value);
  }
}
