/**
 * A bounded queue that is not first in, first out: the urgent first, lanes by turns, some only later.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Received } from "../../sync/channel.ts";
import { itemOf, type QueueLaneOptions, placeOf, type QueuePutOptions, requireLanes } from "./put-options.ts";
import { Stock } from "./stock.ts";
import type { QueueWaiting, TakeEnd } from "./take-end.ts";

export type { QueueLaneOptions, QueuePutOptions } from "./put-options.ts";
export type { QueueWaiting } from "./take-end.ts";

/**
 * A bounded queue with priorities, fair lanes and delays. `consume` takes it as it takes a `JobQueue`.
 *
 * **Guarantees** Lanes take turns, whatever the priorities in them: with n lanes, each gets every n-th take. Within a
 * lane the higher priority goes first, equal ones in the order of the puts, and none starves. At most `capacity`
 * values are in it, those that are delayed included. Puts that wait get in in their order.
 * **Cancellation** A cancelled put puts nothing, ever; a cancelled take has taken nothing. Either leaves at once.
 * **Errors** `ClosedError` for a put once it is closed; its `cause` is what `close` was given. What `laneOf` throws, its
 * put throws.
 * **Cost** O(1) a value, O(priorities of its lane) if there are several. A timer for a delay.
 * **Not for** values of one kind: a `JobQueue` costs less, and can be selected from.
 *
 * @example
 * const queue = new OrderedQueue<string>({ capacity: 10, laneOf: (job) => job[0] });
 * for (const job of ["a1", "a2", "a3", "b1"]) await queue.put(job);
 * await queue.put("a urgent", { priority: 1 });
 * queue.close();
 * const order: string[] = [];
 * for await (const job of queue) order.push(job);
 * order; //=> ["a urgent", "b1", "a1", "a2", "a3"]
 */
export class OrderedQueue<T> implements TakeEnd<T>, AsyncIterable<T, undefined>, AsyncDisposable {
  readonly #stock: Stock<T, T>;
  readonly #laneOf: ((value: T) => unknown) | undefined;

  constructor(options: QueueLaneOptions<T>) {
    const capacity = requireLanes(options);
    this.#laneOf = options.laneOf;
    this.#stock = new Stock<T, T>(capacity, options.name, ({ value }) => {
      this.#stock.leave();
      return value;
    });
  }

  /** How many values it holds at most. */
  get capacity(): number {
    return this.#stock.capacity;
  }

  /** How many values are in it, those that are delayed included. */
  get size(): number {
    return this.#stock.size;
  }

  /** How many of them are delayed. */
  get delayed(): number {
    return this.#stock.delayed;
  }

  /** For how long the oldest value that can be taken has waited, in milliseconds; 0 if there is none. */
  get oldestMs(): number {
    return this.#stock.oldestMs;
  }

  /** How many puts wait for room, and how many takes for a value. */
  get waiting(): QueueWaiting {
    return this.#stock.waiting;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#stock.closed;
  }

  /** Puts a value in, or waits until there is room. A delay begins when it is in. */
  put(value: T, options?: QueuePutOptions): Promise<void> {
    const { priority, delayMs } = placeOf(options);
    const item = itemOf(value, priority, this.#laneOf);
    return this.#stock.put(item, delayMs, options);
  }

  /** Puts a value in if there is room, and says whether there was. */
  tryPut(value: T, options?: QueuePutOptions): boolean {
    const { priority, delayMs } = placeOf(options);
    return this.#stock.tryPut(itemOf(value, priority, this.#laneOf), delayMs);
  }

  /** Takes the value whose turn it is, or waits for one. `done` is true once it is closed and empty. */
  take(options?: CancelOptions): Promise<Received<T>> {
    return this.#stock.take(options);
  }

  /** Takes the value whose turn it is; `undefined` means that it would have to wait. */
  tryTake(): Received<T> | undefined {
    return this.#stock.tryTake();
  }

  /** Takes all values out, those that are delayed too, and gives them back. Puts that wait get in. */
  clear(): T[] {
    return this.#stock.clear();
  }

  /** No more input: puts that wait fail. What is delayed still comes. Does nothing the second time. */
  close(cause?: unknown): void {
    this.#stock.close(cause);
  }

  /** Closes it, and waits until the last value has been taken. Who is cancelled leaves; it stays closed. */
  drain(options?: CancelOptions): Promise<void> {
    return this.#stock.drain(options);
  }

  /** Takes until it is closed and empty. Leaving the loop early drops nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.take() };
  }

  /** Closes it and gives up what is in it, so that nobody waits and no timer is left. To lose nothing, drain first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    this.clear();
  }
}
