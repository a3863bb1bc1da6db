/**
 * Receiving several values in one call.
 */
import { requireInteger } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import type { Received, ReceivePort } from "./ports.ts";

/** How many values are waited for. */
export interface ReceiveManyOptions extends CancelOptions {
  /** From 1, the default, to `max`. */
  readonly min?: number | undefined;
}

/**
 * Waits for at least `min` values, and gives all that are there then, at most `max`.
 *
 * **Guarantees** Fewer than `min` only when the port has been closed, or the call is given up. None at all only when it is
 * closed and empty. Several calls at once share the values; each gets its own in order.
 * **Cancellation** Nothing is lost: a call that has received values gives them; one that has none rejects with the
 * signal's reason. So a deadline and a `min` make batches that are full, or as old as the deadline.
 * **Errors** That with which the channel was closed, when no value is left.
 * **Cost** O(1) a value; those beyond `min` cost no promise.
 *
 * @example
 * const channel = new Channel<number>(8);
 * for (const n of [1, 2, 3, 4, 5]) await channel.send(n);
 * channel.close();
 * await receiveMany(channel, 3); //=> [1, 2, 3]
 * await receiveMany(channel, 3, { min: 3 }); //=> [4, 5]
 * await receiveMany(channel, 3); //=> []
 */
export function receiveMany<T>(
  port: ReceivePort<T>,
  max: number,
  options: ReceiveManyOptions = {},
): Promise<T[]> {
  requireInteger("max", max, 1);
  const min = requireInteger("min", options.min ?? 1, 1, max);
  return receiveBetween(port, min, max, options);
}

async function receiveBetween<T>(
  port: ReceivePort<T>,
  min: number,
  max: number,
  options: CancelOptions,
): Promise<T[]> {
  const values: T[] = [];
  try {
    while (values.length < min) {
      let next: Received<T> | undefined = await port.receive(options);
      while (next !== undefined && next.done !== true) {
        values.push(next.value);
        next = values.length < max ? port.tryReceive() : undefined;
      }
      if (next !== undefined) break;
    }
  } catch (error) {
    // Values come first. What has ended the port, or this call, is told to the next call too.
    if (values.length === 0) throw error;
  }
  return values;
}
