/**
 * The two ends of a channel as interfaces, and those who wait at them.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import type { ResourceInfo, TaskRecord } from "../core/scheduler.ts";
import type { QueueNode } from "../core/waiter-queue.ts";

/** What a receive gives: a value, or `done` when the channel is closed and empty. */
export type Received<T> = IteratorResult<T, undefined>;

/** Anything that takes values in. A `Channel<T>` is one; hand out this type to those who only send. */
export interface SendPort<in T> {
  /** See `Channel.send`. */
  send(value: T, options?: CancelOptions): Promise<void>;
  /** See `Channel.trySend`. */
  trySend(value: T): boolean;
  /** See `Channel.close`. */
  close(error?: unknown): void;
  /** Whether it has been closed. */
  readonly closed: boolean;
}

/** Anything that gives values out. A `Channel<T>` is one; hand out this type to those who only receive. */
export interface ReceivePort<out T> extends AsyncIterable<T, undefined> {
  /** See `Channel.receive`. Once it has failed, and not because of `options`, every later one fails too. */
  receive(options?: CancelOptions): Promise<Received<T>>;
  /** See `Channel.tryReceive`. */
  tryReceive(): Received<T> | undefined;
}

/** What a select can receive from: a channel, and what stands on one, such as a ticker or a subscription. */
export interface Receivable<out T> {
  /** Where a select finds out and takes its place. */
  readonly receiveSide: ReceiveSide<T>;
}

/** What a select can send to: a channel. */
export interface Sendable<in T> {
  /** Where a select finds out and takes its place. */
  readonly sendSide: SendSide<T>;
}

/** The receive-only end of a channel, Go's `<-chan T`: for tasks that receive, also in a select. */
export interface ReceiveEnd<out T> extends ReceivePort<T>, Receivable<T> {}

/** The send-only end of a channel, Go's `chan<- T`: for tasks that send, also in a select. */
export interface SendEnd<in T> extends SendPort<T>, Sendable<T> {}

/** How a select receives. */
export interface ReceiveSide<out T> {
  /** What it concerns, for reports. */
  readonly resource: ResourceInfo | undefined;
  /** Whether a receive would not wait. */
  readonly receivable: boolean;
  /** Receives if that needs no waiting. Of one that was receivable, undefined says that another thread was faster. */
  tryReceive(): Received<T> | undefined;
  /** Lets a receiver wait who has seen that this is not receivable. */
  enrollReceiver(receiver: Receiver<T>): void;
}

/** As `end`, for what stands on it and does something of its own with what is received without waiting. */
export function receiveSideOf<T>(
  end: ReceiveSide<T>,
  tryReceive: () => Received<T> | undefined,
): ReceiveSide<T> {
  return {
    resource: end.resource,
    get receivable() {
      return end.receivable;
    },
    tryReceive,
    enrollReceiver: (receiver) => end.enrollReceiver(receiver),
  };
}

/** How a select sends. */
export interface SendSide<T> {
  /** What it concerns, for reports. */
  readonly resource: ResourceInfo | undefined;
  /** Whether a send would not wait. */
  readonly sendable: boolean;
  /**
   * Whether other threads have ends of it, too: then `trySend` may find that there is no room after all. Otherwise, one
   * that was sendable and gives false has dropped the value, and the send is done.
   */
  readonly shared?: true;
  /** Sends if that needs no waiting. */
  trySend(value: T): boolean;
  /** Lets a sender wait who has seen that this is not sendable. */
  enrollSender(sender: Sender<T>): void;
}

/** Someone who waits to receive: a plain receive, or a case of a select. */
export interface Receiver<T> extends QueueNode {
  readonly task: TaskRecord | undefined;
  deliver(result: Received<T>): void;
  refused(error: unknown): void;
}

/** Someone who waits to send: a plain send, or a case of a select. */
export interface Sender<T> extends QueueNode {
  readonly task: TaskRecord | undefined;
  readonly value: T;
  accepted(): void;
  refused(error: unknown): void;
}
