/**
 * The queue between producers and consumers: bounded, and closed by the last producer.
 */
import { requireInteger } from "../../core/arguments.ts";
import { type CancelOptions, endingOf } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError } from "../../core/errors.ts";
import { bareRuntime } from "../../core/bare-runtime.ts";
import { Channel, type OverflowOptions, type Received } from "../../sync/channel.ts";
import { type CountedHandle, HandleCount } from "../../sync/counted-sender/handle-count.ts";
import { type Receivable, type ReceiveSide, receiveSideOf } from "../../sync/ports.ts";
import type { QueueWaiting, TakeEnd } from "./take-end.ts";

/** How large a queue is, and what it does with a value for which it has no room. */
export interface JobQueueOptions<T = unknown> extends OverflowOptions<T> {
  /** How many values may wait in it: a whole number of at least 0. At 0 each value goes from hand to hand. */
  readonly capacity: number;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/**
 * A bounded queue between producers and consumers that closes when the last producer is done.
 *
 * **Guarantees** First in, first out; each value is taken once; at most `capacity` values wait in it. What is in it when
 * it closes can still be taken.
 * **Overflow** With `overflow` no put waits, and not every value is taken: see {@link OverflowPolicy}.
 * **Cancellation** A cancelled put puts nothing, ever; a cancelled take has taken nothing. Either leaves at once.
 * **Errors** `ClosedError` for a put once it is closed; its `cause` is what {@link JobQueue.close} was given.
 * **Cost** That of a channel.
 * **Not for** telling everybody the same: see `pubsub`. Nor for jobs that must survive the process.
 * **Source** E. W. Dijkstra's bounded buffer (EWD123, 1965); counted producers as in Rust's `mpsc::Sender`.
 *
 * @example
 * const queue = new JobQueue<string>({ capacity: 5 });
 * const [one, other] = [queue.producer(), queue.producer()];
 * await one.put("a");
 * one.close();
 * await other.put("b");
 * other.close();
 * const seen: string[] = [];
 * for await (const job of queue) seen.push(job);
 * seen; //=> ["a", "b"]
 */
export class JobQueue<T> implements TakeEnd<T>, AsyncIterable<T, undefined>, Receivable<T> {
  readonly #channel: Channel<T>;
  readonly #emptied: Deferred<void>;
  readonly #producers = new HandleCount(() => this.close());
  #cause: unknown = undefined;

  constructor(options: JobQueueOptions<T>) {
    const capacity = requireInteger("capacity", options.capacity, 0);
    this.#channel = new Channel<T>(capacity, options);
    this.#emptied = new Deferred<void>(bareRuntime(), "drain", this.#channel.resource);
  }

  /** How many values may wait in it. */
  get capacity(): number {
    return this.#channel.capacity;
  }

  /** How many values wait in it now; those of waiting puts are not counted. */
  get size(): number {
    return this.#channel.size;
  }

  /** How many puts wait for room, and how many takes for a value; never both at once. */
  get waiting(): QueueWaiting {
    const { senders, receivers } = this.#channel.waiting;
    return { puts: senders, takes: receivers };
  }

  /** How many values were dropped, or merged into another, for lack of room. */
  get dropped(): number {
    return this.#channel.dropped;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  /**
   * Counts one more producer: the queue closes when all that were counted are done. Count them all before the first can
   * be done, or leave that to {@link produceConsume}.
   */
  producer(): QueueProducer<T> {
    if (this.closed) throw this.#refusal();
    return new QueueProducer<T>(this, this.#producers.open());
  }

  /** Puts a value in, or waits until there is room. */
  async put(value: T, options?: CancelOptions): Promise<void> {
    try {
      await this.#channel.send(value, options);
    } catch (error) {
      const refused = error instanceof ClosedError && error !== endingOf(options)?.reason;
      throw refused ? this.#refusal() : error;
    }
  }

  /** Puts a value in if there is room, and says whether there was. */
  tryPut(value: T): boolean {
    if (this.closed) throw this.#refusal();
    return this.#channel.trySend(value);
  }

  /** Takes the oldest value, or waits for one. `done` is true once the queue is closed and empty. */
  async take(options?: CancelOptions): Promise<Received<T>> {
    const taken = await this.#channel.receive(options);
    this.#noticeEmpty();
    return taken;
  }

  /** Takes the oldest value if there is one; `undefined` means that it would have to wait. */
  tryTake(): Received<T> | undefined {
    const taken = this.#channel.tryReceive();
    this.#noticeEmpty();
    return taken;
  }

  /** Takes out all that is in it now, and gives it back. Puts that wait get in. */
  clear(): T[] {
    const cleared: T[] = [];
    for (let left = this.size; left > 0; left--) {
      const taken = this.tryTake();
      if (taken !== undefined && taken.done !== true) cleared.push(taken.value);
    }
    return cleared;
  }

  /**
   * No more input: what waits to be put fails with `ClosedError`. The last producer does it; without counted producers,
   * whoever owns the queue. Does nothing the second time.
   */
  close(cause?: unknown): void {
    if (this.closed) return;
    this.#cause = cause;
    this.#channel.close();
    this.#noticeEmpty();
  }

  /**
   * Closes it, and waits until the last value has been taken. To wait until all has been worked on, see
   * {@link ConsumerTeam.wait}.
   *
   * **Cancellation** Gives up the wait; the queue is closed in any case.
   */
  drain(options?: CancelOptions): Promise<void> {
    this.close();
    return this.#emptied.wait(options);
  }

  /** Takes until the queue is closed and empty. Leaving the loop early drops nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.take() };
  }

  /** For select. */
  get receiveSide(): ReceiveSide<T> {
    return receiveSideOf(this.#channel, () => this.tryTake());
  }

  /** Closes it, so that nobody waits any more. It does not drain: there may be nobody left who takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #noticeEmpty(): void {
    if (this.closed && this.size === 0) this.#emptied.settle({ ok: true, value: undefined });
  }

  #refusal(): ClosedError {
    const cause = this.#cause;
    return new ClosedError("put on closed queue", cause === undefined ? undefined : { cause });
  }
}

/**
 * One counted producer, made by {@link JobQueue.producer}. It is done when it was closed and its puts have settled.
 *
 * @example
 * const queue = new JobQueue<number>({ capacity: 2 });
 * const producer = queue.producer();
 * await producer.put(1);
 * producer.close();
 * queue.closed; //=> true
 */
export class QueueProducer<T> {
  readonly #queue: JobQueue<T>;
  readonly #handle: CountedHandle;

  /** @internal */
  constructor(queue: JobQueue<T>, handle: CountedHandle) {
    this.#queue = queue;
    this.#handle = handle;
  }

  /** As {@link JobQueue.put}. Fails with `ClosedError` also once this producer is closed. */
  async put(value: T, options?: CancelOptions): Promise<void> {
    this.#requireOpen();
    await this.#handle.hold(() => this.#queue.put(value, options));
  }

  /** As {@link JobQueue.tryPut}. */
  tryPut(value: T): boolean {
    this.#requireOpen();
    return this.#queue.tryPut(value);
  }

  /** No more input from here; puts that wait still get in. Does nothing the second time. */
  close(): void {
    this.#handle.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): void {
    if (this.#handle.closed) throw new ClosedError("put on closed producer");
  }
}
