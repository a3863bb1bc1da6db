/**
 * What all queues here have: an end from which a team takes, and those who wait.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Received } from "../../sync/channel.ts";

/** What a team can consume: every queue here, and what stands on one, such as batches. */
export interface TakeEnd<out T> {
  /** Takes the next value, or waits for one. `done`: there will be none. A cancelled take has taken nothing. */
  take(options?: CancelOptions): Promise<Received<T>>;
  /** Takes the next value if there is one; `undefined` means that it would have to wait. */
  tryTake(): Received<T> | undefined;
  /** No more input. `cause` is what puts that fail because of it are told. */
  close(cause?: unknown): void;
}

/** Who waits at a queue. */
export interface QueueWaiting {
  /** How many puts wait for room. */
  readonly puts: number;
  /** How many takes wait for a value. */
  readonly takes: number;
}
