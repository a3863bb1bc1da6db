/**
 * The two ends of a channel as interfaces, and those who wait at them.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import type { QueueNode } from "../core/waiter-queue.ts";

/** What a receive gives: a value, or `done` when the channel is closed and empty. */
export type Received<T> = IteratorResult<T, undefined>;

/** The end that takes values in. A `Channel<T>` is one; hand out this type to those who only send. */
export interface SendPort<in T> {
  /** See `Channel.send`. */
  send(value: T, options?: CancelOptions): Promise<void>;
  /** See `Channel.trySend`. */
  trySend(value: T): boolean;
  /** See `Channel.close`. */
  close(): void;
  /** Whether it has been closed. */
  readonly closed: boolean;
}

/** The end that gives values out. A `Channel<T>` is one; hand out this type to those who only receive. */
export interface ReceivePort<out T> extends AsyncIterable<T, undefined> {
  /** See `Channel.receive`. */
  receive(options?: CancelOptions): Promise<Received<T>>;
  /** See `Channel.tryReceive`. */
  tryReceive(): Received<T> | undefined;
}

/** Someone who waits to receive: a plain receive, or a case of a select. */
export interface Receiver<T> extends QueueNode {
  readonly task: TaskRecord | undefined;
  deliver(result: Received<T>): void;
}

/** Someone who waits to send: a plain send, or a case of a select. */
export interface Sender<T> extends QueueNode {
  readonly task: TaskRecord | undefined;
  readonly value: T;
  accepted(): void;
  refused(error: Error): void;
}
