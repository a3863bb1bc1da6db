/**
 * A typed, bounded queue between tasks, as Go's `chan`.
 *
 * Invariants
 *   I1  A receiver waits only while the buffer is empty and no sender waits.
 *   I2  A sender waits only while the buffer is full.
 *   I3  Once closed, nobody waits, and what is left in the buffer can still be received.
 */
import { requireLimit } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ClosedError, MisuseError } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { preview } from "../core/preview.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { RingBuffer } from "../core/ring-buffer.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import type { Received, Receiver, ReceivePort, Sender, SendPort } from "./ports.ts";

export type { Received, ReceivePort, SendPort } from "./ports.ts";

/** Names a channel in reports and in the event log. */
export interface ChannelOptions {
  /** A short name; by default `chan#` and a number. */
  readonly name?: string | undefined;
}

class ReceiveWaiter<T> extends Waiter<Received<T>> implements Receiver<T> {
  deliver(result: Received<T>): void {
    this.grant(result);
  }
}

class SendWaiter<T> extends Waiter<void> implements Sender<T> {
  readonly value: T;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    value: T,
  ) {
    super(runtime, "send", resource, options);
    this.value = value;
  }

  accepted(): void {
    this.grant();
  }

  refused(error: Error): void {
    this.fail(error);
  }
}

/**
 * A channel.
 *
 * **Guarantees** First in, first out, three ways: values, waiting receivers, waiting senders. Each value is received
 * exactly once. At most `capacity` values are buffered; a sender beyond that waits.
 * **Units and ranges** `capacity`: a whole number of at least 0, or Infinity. 0, the default, is a rendezvous: a send
 * completes only together with a receive.
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
export class Channel<T> implements SendPort<T>, ReceivePort<T> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #capacity: number;
  readonly #resource: Resource | undefined;
  readonly #buffer = new RingBuffer<T>();
  readonly #receivers = new WaiterQueue<Receiver<T>>();
  readonly #senders = new WaiterQueue<Sender<T>>();
  #closed = false;
  /** Values put and taken so far: as values keep their order, the count is a message's id in the event log. */
  #puts = 0;
  #takes = 0;

  constructor(capacity = 0, options: ChannelOptions = {}) {
    this.#capacity = requireLimit("capacity", capacity, 0);
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
  get waiting(): { readonly senders: number; readonly receivers: number } {
    return { senders: this.#senders.size, receivers: this.#receivers.size };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a value: to a waiting receiver, into the buffer, or waits until there is room.
   *
   * **Cancellation** Rejects with the signal's reason; the value is not sent and never will be.
   * **Errors** Rejects with `ClosedError` if the channel is closed, or is closed while this waits.
   */
  send(value: T, options?: CancelOptions): Promise<void> {
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#send(value, options));
    return this.#send(value, options);
  }

  /**
   * Sends a value if that needs no waiting, and says whether it did.
   *
   * **Errors** Throws `ClosedError` if the channel is closed, as a send in Go panics, also with room in the buffer.
   */
  trySend(value: T): boolean {
    if (this.#closed) throw sendOnClosed();
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      this.#tracePut(value, this.#runtime.scheduler?.current);
      this.#traceTake(receiver.task);
      receiver.deliver({ value, done: false });
      return true;
    }
    if (this.#buffer.size >= this.#capacity) return false;
    this.#buffer.push(value);
    this.#tracePut(value, this.#runtime.scheduler?.current);
    return true;
  }

  /**
   * Receives the next value, or waits for one. `done` is true once the channel is closed and empty.
   *
   * **Cancellation** Rejects with the signal's reason; no value was taken.
   */
  receive(options?: CancelOptions): Promise<Received<T>> {
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#receive(options));
    return this.#receive(options);
  }

  /** Receives if that needs no waiting; `undefined` means that it would have to wait. */
  tryReceive(): Received<T> | undefined {
    if (this.#buffer.size > 0) {
      const value = this.#buffer.shift();
      this.#traceTake(this.#runtime.scheduler?.current);
      this.#admitSender();
      return { value, done: false };
    }
    const sender = this.#senders.shift();
    if (sender !== undefined) {
      this.#tracePut(sender.value, sender.task);
      this.#traceTake(this.#runtime.scheduler?.current);
      sender.accepted();
      return { value: sender.value, done: false };
    }
    return this.#closed ? { value: undefined, done: true } : undefined;
  }

  /**
   * No more input. What is buffered can still be received; waiting receivers get `done`; waiting senders fail with
   * `ClosedError` and their values are never delivered.
   *
   * **Errors** Throws `MisuseError` if it is closed already: two who close do not know of each other, and one of
   * them may yet send.
   */
  close(): void {
    if (this.#closed) throw new MisuseError("close of closed channel");
    this.#closed = true;
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    for (let node = this.#receivers.shift(); node !== undefined; node = this.#receivers.shift()) {
      node.deliver({ value: undefined, done: true });
    }
    if (this.#senders.size === 0) return;
    const error = sendOnClosed();
    for (let node = this.#senders.shift(); node !== undefined; node = this.#senders.shift())
      node.refused(error);
  }

  /**
   * Receives until the channel is closed and empty. Leaving the loop early leaves the channel open and drops nothing:
   * no value is taken ahead.
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.receive() };
  }

  /** Whether a receive would not wait. @internal */
  get receivable(): boolean {
    return this.#buffer.size > 0 || this.#senders.size > 0 || this.#closed;
  }

  /** Whether a send would not wait; one on a closed channel fails at once. @internal */
  get sendable(): boolean {
    return this.#receivers.size > 0 || this.#buffer.size < this.#capacity || this.#closed;
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
    if (this.#closed) return Promise.reject(sendOnClosed());
    if (this.trySend(value)) return completed(this.#runtime, undefined);
    const waiter = new SendWaiter<T>(this.#runtime, this.#resource, options, value);
    this.#senders.push(waiter);
    return waiter.promise;
  }

  #receive(options: CancelOptions | undefined): Promise<Received<T>> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const result = this.tryReceive();
    if (result !== undefined) return completed(this.#runtime, result);
    const waiter = new ReceiveWaiter<T>(this.#runtime, "recv", this.#resource, options);
    this.#receivers.push(waiter);
    return waiter.promise;
  }

  /** A slot is free: the value of the sender who has waited longest enters behind those already there. */
  #admitSender(): void {
    const sender = this.#senders.shift();
    if (sender === undefined) return;
    this.#buffer.push(sender.value);
    this.#tracePut(sender.value, sender.task);
    sender.accepted();
  }

  #tracePut(value: T, task: TaskRecord | undefined): void {
    if (this.#resource?.traced !== true) return;
    const message = { m: this.#puts++, value: preview(value), n: this.#buffer.size };
    this.#resource.emit({ k: "msg.put", r: this.#resource.id, ...message }, task?.id);
  }

  #traceTake(task: TaskRecord | undefined): void {
    if (this.#resource?.traced !== true) return;
    const message = { m: this.#takes++, n: this.#buffer.size };
    this.#resource.emit({ k: "msg.take", r: this.#resource.id, ...message }, task?.id);
  }
}

function sendOnClosed(): ClosedError {
  return new ClosedError("send on closed channel");
}
