/**
 * A typed, bounded queue between tasks, as Go's `chan`.
 *
 * Invariants
 *   I1  A receiver waits only while the buffer is empty and no sender waits.
 *   I2  A sender waits only while the buffer is full, and only if no policy says what happens then.
 *   I3  Once closed, nobody waits, and what is left in the buffer can still be received.
 */
import { requireLimit } from "../core/arguments.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ClosedError, MisuseError } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { RingBuffer } from "../core/ring-buffer.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { type ChannelWaiting, ReceiveWaiter, SendWaiter } from "./channel/waiters.ts";
import { type OverflowHandler, overflowHandler, type OverflowOptions } from "./channel/overflow.ts";
import type { Received, ReceiveEnd, Receiver, ReceiveSide, SendEnd, Sender, SendSide } from "./ports.ts";

export type {
  Conflate,
  ConflateBy,
  DropReason,
  OverflowOptions,
  OverflowPolicy,
} from "./channel/overflow.ts";
export type { ChannelWaiting } from "./channel/waiters.ts";
export type { Received, ReceiveEnd, ReceivePort, SendEnd, SendPort } from "./ports.ts";

/** What a channel is called, and what it does with a value for which it has no room. */
export interface ChannelOptions<T = unknown> extends OverflowOptions<T> {
  /** A short name for reports and for the event log; by default `chan#` and a number. */
  readonly name?: string | undefined;
}

/**
 * A channel.
 *
 * **Guarantees** First in, first out, three ways: values, waiting receivers, waiting senders. Each value is received
 * exactly once. At most `capacity` values are buffered; a sender beyond that waits.
 * **Units and ranges** `capacity`: a whole number of at least 0, or Infinity. 0, the default, is a rendezvous: a send
 * completes only together with a receive.
 * **Overflow** With `overflow`, no send waits: see {@link OverflowPolicy}. Such a send is done also when its value was
 * dropped; `trySend` tells the difference.
 * **Cancellation** A cancelled receive has taken no value; a cancelled send delivers none, ever. Either leaves at once.
 * **Errors** `ClosedError` for a send on a closed channel; `MisuseError` for closing it twice.
 * **Cost** Every operation is O(1); one that does not wait makes no waiter.
 * **Not for** telling every listener the same thing (see `pubsub`): each value goes to one receiver.
 * **Source** C. A. R. Hoare, Communicating Sequential Processes (1978), in the form of Go's channels. Unlike Go there
 * is no nil channel: a select case that is `undefined` takes its place.
 *
 * @example
 * const jobs = new Channel<number>(2);
 * await jobs.send(1);
 * await jobs.send(2);
 * jobs.close();
 * const seen: number[] = [];
 * for await (const job of jobs) seen.push(job);
 * seen; //=> [1, 2]
 */
export class Channel<T> implements SendEnd<T>, ReceiveEnd<T> {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #capacity: number;
  readonly #resource: Resource | undefined;
  readonly #buffer = new RingBuffer<T>();
  readonly #receivers = new WaiterQueue<Receiver<T>>();
  readonly #senders = new WaiterQueue<Sender<T>>();
  readonly #overflow: OverflowHandler<T> | undefined;
  /** What its closing was blamed on, if on anything; undefined as long as it is open. */
  #end: { readonly cause?: unknown } | undefined;
  #dropped = 0;

  constructor(capacity = 0, options: ChannelOptions<T> = {}) {
    this.#overflow = overflowHandler(options);
    this.#capacity = requireLimit("capacity", capacity, this.#overflow?.leastCapacity ?? 0);
    this.#resource = observe(this.#runtime, "chan", options.name, capacity);
  }

  /** How many values may be buffered. */
  get capacity(): number {
    return this.#capacity;
  }

  /** How many values are buffered now; those of waiting senders are not counted. */
  get size(): number {
    return this.#buffer.size;
  }

  /** How many senders and receivers wait now; never both at once. */
  get waiting(): ChannelWaiting {
    return { senders: this.#senders.size, receivers: this.#receivers.size };
  }

  /** How many values were dropped, or merged into another, for lack of room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Sends a value: to a waiting receiver, into the buffer, or waits until there is room.
   *
   * **Cancellation** Rejects with the signal's reason; the value is not sent and never will be.
   * **Errors** Rejects with `ClosedError` if the channel is closed, or is closed while this waits; its `cause` is what
   * {@link Channel.close} was given. With the policy `error`, rejects with `FullError` if there is no room.
   */
  send(value: T, options?: CancelOptions): Promise<void> {
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#send(value, options));
    return this.#send(value, options);
  }

  /**
   * Sends a value if that needs no waiting, and says whether it did: false also for a value that was dropped.
   *
   * **Errors** Throws `ClosedError` if the channel is closed, as a send in Go panics, also with room in the buffer; with
   * the policy `error`, `FullError` if there is none.
   */
  trySend(value: T): boolean {
    if (this.#end !== undefined) throw this.#refusal();
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      this.#resource?.put(value, this.#buffer.size);
      this.#resource?.took(this.#buffer.size, receiver.task);
      receiver.deliver({ value, done: false });
      return true;
    }
    if (this.#buffer.size >= this.#capacity) return this.#overflowed(value, this.#overflow);
    this.#enter(value);
    return true;
  }

  /**
   * Receives the next value, or waits for one. `done` is true once the channel is closed and empty.
   *
   * **Cancellation** Rejects with the signal's reason; no value was taken.
   * **Errors** Once the channel is empty, rejects with the error with which it was closed, if it was.
   */
  receive(options?: CancelOptions): Promise<Received<T>> {
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#receive(options));
    return this.#receive(options);
  }

  /**
   * Receives if that needs no waiting; `undefined` means that it would have to wait.
   *
   * **Errors** Once the channel is empty, throws the error with which it was closed, if it was.
   */
  tryReceive(): Received<T> | undefined {
    const taken = this.#take();
    if (taken !== undefined || this.#end === undefined) return taken;
    if (this.#end.cause !== undefined) throw this.#end.cause;
    return { value: undefined, done: true };
  }

  /**
   * No more input. What is buffered can still be received, and then receivers get `done` or, if an error is given, fail
   * with that: for ever, also those in a select. Waiting senders fail with `ClosedError` and their values are never
   * delivered.
   *
   * **Errors** Throws `MisuseError` if it is closed already: two who close do not know of each other, and one of
   * them may yet send.
   */
  close(error?: unknown): void {
    if (this.#end !== undefined) throw new MisuseError("close of closed channel");
    this.#end = error === undefined ? {} : { cause: error };
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    for (let node = this.#receivers.shift(); node !== undefined; node = this.#receivers.shift()) {
      if (error === undefined) node.deliver({ value: undefined, done: true });
      else node.refused(error);
    }
    if (this.#senders.size === 0) return;
    const refusal = this.#refusal();
    for (let node = this.#senders.shift(); node !== undefined; node = this.#senders.shift())
      node.refused(refusal);
  }

  /**
   * Receives until the channel is closed and empty. Leaving the loop early leaves the channel open and drops nothing:
   * no value is taken ahead.
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.receive() };
  }

  /** For select. */
  get receiveSide(): ReceiveSide<T> {
    return this;
  }

  /** For select. */
  get sendSide(): SendSide<T> {
    return this;
  }

  /** Whether a receive would not wait. @internal */
  get receivable(): boolean {
    return this.#buffer.size > 0 || this.#senders.size > 0 || this.closed;
  }

  /** Whether a send would not wait; one on a closed channel fails at once. @internal */
  get sendable(): boolean {
    const room = this.#receivers.size > 0 || this.#buffer.size < this.#capacity;
    return room || this.#overflow !== undefined || this.closed;
  }

  /** What reports and the event log know of it. @internal */
  get resource(): Resource | undefined {
    return this.#resource;
  }

  /** Lets a receiver wait who has seen that this is not receivable. @internal */
  enrollReceiver(receiver: Receiver<T>): void {
    this.#receivers.push(receiver);
  }

  /** Lets a sender wait who has seen that this is not sendable. @internal */
  enrollSender(sender: Sender<T>): void {
    this.#senders.push(sender);
  }

  #send(value: T, options: CancelOptions | undefined): Promise<void> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    try {
      // With a policy no send waits.
      if (this.trySend(value) || this.#overflow !== undefined) return completed(this.#runtime, undefined);
    } catch (refusal) {
      return Promise.reject(refusal);
    }
    const waiter = new SendWaiter<T>(this.#runtime, this.#resource, options, value);
    this.#senders.push(waiter);
    return waiter.promise;
  }

  /** There is no room: false if the value is not in, for its sender to wait or because it was dropped. */
  #overflowed(value: T, policy: OverflowHandler<T> | undefined): boolean {
    if (policy === undefined) return false;
    const fate = policy.meet(value, this.#buffer);
    this.#dropped++;
    this.#resource?.dropped(fate === "room" ? "oldest" : "newest", this.#buffer.size, policy.why);
    if (fate === "room") this.#enter(value);
    return fate !== "dropped";
  }

  /** There is room: a value comes in behind the others. */
  #enter(value: T, task?: TaskRecord): void {
    this.#buffer.push(value);
    this.#resource?.put(value, this.#buffer.size, task);
  }

  #receive(options: CancelOptions | undefined): Promise<Received<T>> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    try {
      const received = this.tryReceive();
      if (received !== undefined) return completed(this.#runtime, received);
    } catch (error) {
      return Promise.reject(error);
    }
    const waiter = new ReceiveWaiter<T>(this.#runtime, "recv", this.#resource, options);
    this.#receivers.push(waiter);
    return waiter.promise;
  }

  /** The next value, if there is one. */
  #take(): Received<T> | undefined {
    if (this.#buffer.size > 0) {
      const value = this.#buffer.shift();
      this.#resource?.took(this.#buffer.size);
      this.#admitSender();
      return { value, done: false };
    }
    const sender = this.#senders.shift();
    if (sender === undefined) return undefined;
    this.#resource?.put(sender.value, 0, sender.task);
    this.#resource?.took(0);
    sender.accepted();
    return { value: sender.value, done: false };
  }

  /** A slot is free: the value of the sender who has waited longest enters behind those already there. */
  #admitSender(): void {
    const sender = this.#senders.shift();
    if (sender === undefined) return;
    this.#enter(sender.value, sender.task);
    sender.accepted();
  }

  #refusal(): ClosedError {
    return new ClosedError("send on closed channel", this.#end);
  }
}
