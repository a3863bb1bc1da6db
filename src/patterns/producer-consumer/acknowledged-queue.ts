/**
 * A queue that forgets a value only when a consumer has said that it is done: at least once, instead of at most once.
 *
 * Invariants
 *   I1  A value that is in is delayed, in line, held by one consumer, or a dead letter that is being handed over.
 *   I2  A value leaves when it was acknowledged, cleared, or taken as a dead letter.
 */
import {
  requireDuration,
  requireFunction,
  requireLimit,
  requireNumber,
  requirePositive,
} from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { outcomeOf, spawnTask } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { Received } from "../../sync/channel.ts";
import type { Schedule } from "../../sync/schedule.ts";
import { Delivery, type DeliveryEnd } from "./delivery.ts";
import type { DeadLetter, Letter } from "./letter.ts";
import type { Item } from "./fair-line.ts";
import type { ConsumerContext, ConsumerHandler } from "./handler.ts";
import { itemOf, placeOf, type QueueLaneOptions, type QueuePutOptions, requireLanes } from "./put-options.ts";
import { Stock } from "./stock.ts";
import type { QueueWaiting, TakeEnd } from "./take-end.ts";

export { Delivery, type NakOptions } from "./delivery.ts";
export type { DeadLetter } from "./letter.ts";
export type { QueueLaneOptions, QueuePutOptions } from "./put-options.ts";
export type { QueueWaiting } from "./take-end.ts";

/** How a queue delivers. */
export interface AcknowledgedQueueOptions<T> extends QueueLaneOptions<T> {
  /** How long a consumer may hold a value without a word, in milliseconds: above 0; default 30,000. */
  readonly visibilityMs?: number | undefined;
  /** How many times a value is taken before it is a dead letter: at least 1, or Infinity; default 5. */
  readonly attempts?: number | undefined;
  /**
   * For how long a value is kept back after its first, second … attempt, in milliseconds; default 0. Or a schedule, as
   * `retry` takes it: told how many attempts there were, for how long it was kept back before the last of them, and what
   * went wrong. Its `Infinity` means "not again": the value is a dead letter.
   */
  readonly delayMs?: number | Schedule | undefined;
  /**
   * Takes what was tried too often. The value keeps its place in the queue until this has returned. If it fails, the
   * value comes back to be tried once more, with that failure as its error.
   */
  readonly onDeadLetter: (letter: DeadLetter<T>) => void | PromiseLike<void>;
}

/**
 * A bounded queue whose values are held, and acknowledged, given back, or given back for lack of news.
 *
 * **Guarantees** At least once: a value that was put is taken until a consumer acknowledges it, or it has been taken
 * `attempts` times and `onDeadLetter` took it. At most one consumer holds it at a time, but one whose time is up may
 * still be at work: handlers must stand being called twice for a value, see `DedupeWindow`. At most
 * `capacity` values are in it, held and delayed ones included. Priorities and lanes as in `OrderedQueue`; a value that
 * comes back gets in line anew.
 * **Cancellation** A cancelled put puts nothing, ever; a cancelled take has taken nothing.
 * **Errors** `ClosedError` for a put once it is closed. What `laneOf` throws, its put throws. What a schedule throws
 * becomes an uncaught exception of the host, and counts as 0.
 * **Cost** A timer for each value that is held or delayed.
 * **Not for** values that must survive the process: use a message broker, whose terms these are.
 * **Source** The visibility timeout of Amazon SQS; ack, nak and working of NATS JetStream.
 *
 * @example
 * const dead: string[] = [];
 * const queue = new AcknowledgedQueue<string>({
 *   capacity: 10,
 *   attempts: 2,
 *   onDeadLetter: ({ value, attempts }) => void dead.push(`${value} after ${attempts}`),
 * });
 * const done: string[] = [];
 * const deliver = (job: string): void => {
 *   if (job === "bad") throw new Error("no such address");
 *   done.push(job);
 * };
 * const team = consume(queue, acknowledging(deliver), { consumers: 2 });
 * for (const job of ["a", "bad", "b"]) await queue.put(job);
 * await queue.drain();
 * await team.wait();
 * [done, dead]; //=> [["a", "b"], ["bad after 2"]]
 */
export class AcknowledgedQueue<T> implements TakeEnd<Delivery<T>>, AsyncDisposable {
  readonly #stock: Stock<Letter<T>, Delivery<T>>;
  readonly #options: AcknowledgedQueueOptions<T>;
  readonly #visibilityMs: number;
  readonly #attempts: number;
  readonly #schedule: Schedule;
  /** That of whoever made the queue: dead letters are handed over in it. */
  readonly #context = new AsyncContext();
  readonly #held = new Set<Delivery<T>>();
  #state: "serving" | "given up" = "serving";

  constructor(options: AcknowledgedQueueOptions<T>) {
    const capacity = requireLanes(options);
    requireFunction("onDeadLetter", options.onDeadLetter);
    this.#options = options;
    this.#visibilityMs = requirePositive("visibilityMs", options.visibilityMs ?? 30_000);
    this.#attempts = requireLimit("attempts", options.attempts ?? 5, 1);
    const { delayMs = 0 } = options;
    if (typeof delayMs !== "function") requireNumber("delayMs", delayMs, 0);
    this.#schedule = typeof delayMs === "function" ? delayMs : () => delayMs;
    this.#stock = new Stock<Letter<T>, Delivery<T>>(capacity, options.name, (item) => this.#deliver(item));
  }

  /** How many values it holds at most. */
  get capacity(): number {
    return this.#stock.capacity;
  }

  /** How many values are in it: in line, delayed, held, or about to be dead letters. */
  get size(): number {
    return this.#stock.size;
  }

  /** How many are delayed. */
  get delayed(): number {
    return this.#stock.delayed;
  }

  /** How many are held by consumers. */
  get held(): number {
    return this.#held.size;
  }

  /** For how long the oldest value in line has stood there, in milliseconds; 0 if there is none. */
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
    return this.#stock.put(this.#letterOf(value, priority), delayMs, options);
  }

  /** Puts a value in if there is room, and says whether there was. */
  tryPut(value: T, options?: QueuePutOptions): boolean {
    const { priority, delayMs } = placeOf(options);
    return this.#stock.tryPut(this.#letterOf(value, priority), delayMs);
  }

  /** Takes the value whose turn it is, to hold it. `done` is true once it is closed and no value can come back. */
  take(options?: CancelOptions): Promise<Received<Delivery<T>>> {
    return this.#stock.take(options);
  }

  /** Takes the value whose turn it is; `undefined` means that it would have to wait. */
  tryTake(): Received<Delivery<T>> | undefined {
    return this.#stock.tryTake();
  }

  /** Takes out all values but those that are held, and gives them back. Puts that wait get in. */
  clear(): T[] {
    return this.#stock.clear().map(({ value }) => value);
  }

  /** No more input: puts that wait fail. What is in it is still delivered. Does nothing the second time. */
  close(cause?: unknown): void {
    this.#stock.close(cause);
  }

  /** Closes it, and waits until the last value has been acknowledged or taken as a dead letter. */
  drain(options?: CancelOptions): Promise<void> {
    return this.#stock.drain(options);
  }

  /** Closes it and gives up what is in it, so that nobody waits and no timer is left. To lose nothing, drain first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "given up";
    this.close();
    for (const delivery of this.#held) delivery.revoke();
    this.clear();
  }

  #letterOf(value: T, priority: number): Item<Letter<T>> {
    const { laneOf } = this.#options;
    const letter: Letter<T> = { value, attempts: 0, delayMs: 0, error: undefined };
    return itemOf(letter, priority, laneOf === undefined ? undefined : () => laneOf(value));
  }

  #deliver(item: Item<Letter<T>>): Delivery<T> {
    const { value: letter } = item;
    const attempt = ++letter.attempts;
    const ended = (end: DeliveryEnd): void => {
      this.#held.delete(delivery);
      if (end.how !== "again") this.#stock.leave();
      else this.#again(item, end.error, end.delayMs);
    };
    const delivery = new Delivery<T>(this.#stock.runtime, letter.value, attempt, this.#visibilityMs, ended);
    this.#held.add(delivery);
    return delivery;
  }

  #again(item: Item<Letter<T>>, error: unknown, delayMs: number | undefined): void {
    const { value: letter } = item;
    letter.error = error;
    const exhausted = letter.attempts >= this.#attempts;
    const pauseMs = exhausted ? Number.POSITIVE_INFINITY : (delayMs ?? this.#pauseAfter(letter));
    if (pauseMs === Number.POSITIVE_INFINITY) this.#bury(item);
    else this.#keepBack(item, pauseMs);
  }

  #keepBack(item: Item<Letter<T>>, delayMs: number): void {
    item.value.delayMs = delayMs;
    this.#stock.offer(item, delayMs);
  }

  #pauseAfter({ attempts, delayMs, error }: Letter<T>): number {
    try {
      return requireDuration("the pause of delayMs", this.#schedule(attempts, delayMs, error));
    } catch (fault) {
      reportUncaught(fault);
      return 0;
    }
  }

  /** In a task of its own: whoever gave it back does not wait for that. */
  #bury(item: Item<Letter<T>>): void {
    const { value: letter } = item;
    const { value, attempts, error } = letter;
    const bury = (): Promise<void> =>
      this.#context.run(() => this.#options.onDeadLetter({ value, attempts, error }));
    spawnTask(this.#stock.runtime, { name: `${this.#options.name ?? "queue"} dead letter` }, bury, (end) => {
      if (!end.ok && this.#state === "serving") {
        letter.error = end.error;
        const pauseMs = this.#pauseAfter(letter);
        this.#keepBack(item, pauseMs === Number.POSITIVE_INFINITY ? 0 : pauseMs);
        return;
      }
      if (!end.ok) reportUncaught(end.error);
      this.#stock.leave();
    });
  }
}

/** What a handler is given beside the value. */
export interface Acknowledging<T> extends ConsumerContext {
  /** What it works on: to extend it, or to give it back later than the schedule says. */
  readonly delivery: Delivery<T>;
}

/**
 * A handler of values as one of deliveries, for `consume`: acknowledges what was worked on, gives back what failed.
 *
 * **Guarantees** A failure concerns its value alone, and the team goes on. What the handler has settled itself stays
 * so.
 * **Cancellation** When the team is cancelled, what its handlers are at comes back at once, for another team.
 *
 * @example
 * const queue = new AcknowledgedQueue<number>({ capacity: 2, onDeadLetter: () => {} });
 * const attempts: number[] = [];
 * const handler = (_: number, { delivery }: Acknowledging<number>): void => {
 *   attempts.push(delivery.attempt);
 *   if (delivery.attempt < 3) throw new Error("not yet");
 * };
 * const team = consume(queue, acknowledging(handler));
 * await queue.put(1);
 * await queue.drain();
 * await team.wait();
 * attempts; //=> [1, 2, 3]
 */
export function acknowledging<T>(
  handler: (value: T, working: Acknowledging<T>) => void | PromiseLike<void>,
): ConsumerHandler<Delivery<T>> {
  requireFunction("handler", handler);
  return async (delivery, consuming) => {
    const { consumer, ctx } = consuming;
    const end = await outcomeOf(() => handler(delivery.value, { consumer, ctx, delivery }));
    if (end.ok) delivery.ack();
    else {
      const givenUp = ctx.error !== undefined;
      delivery.nak({ error: end.error, delayMs: givenUp ? 0 : undefined });
      if (givenUp) throw end.error;
    }
  };
}
