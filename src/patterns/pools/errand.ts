/**
 * What a handler may give in the place of a promise: work that is done elsewhere, and whose end is told by a call. For
 * handlers of this library alone, where a promise and the context of the job would cost more than all the rest of it.
 *
 * Invariant
 *   I1  Whoever has sent it is told once how it ended, and after that it is tied to nobody.
 */
import type { Cancelable } from "../../core/cancellation.ts";
import { QueueNode } from "../../core/waiter-queue.ts";

/** Who has sent it. */
export interface Sender<O> {
  readonly succeeded: (value: O) => void;
  readonly failed: (error: unknown) => void;
}

export abstract class Errand<O> extends QueueNode implements Cancelable {
  declare private sender: Sender<O> | undefined;

  constructor() {
    super();
    this.sender = undefined;
  }

  /** Says who is to be told. Called in the same step in which it was made. */
  sentBy(sender: Sender<O>): void {
    this.sender = sender;
  }

  /** Nobody wants its result any more. It still has to end, as its sender waits for that. */
  abstract onCancel(reason: unknown): void;

  /** Ends it well. Does nothing if it has ended. */
  grant(value: O): void {
    this.leave()?.succeeded(value);
  }

  /** Ends it with an error. Does nothing if it has ended. */
  fail(error: unknown): void {
    this.leave()?.failed(error);
  }

  /** Leaves its queue, and whatever else it holds, and gives who is to be told. */
  protected leave(): Sender<O> | undefined {
    const { sender } = this;
    this.sender = undefined;
    this.queue?.remove(this);
    return sender;
  }
}
