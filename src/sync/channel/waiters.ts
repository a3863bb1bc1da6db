/**
 * Those who wait at a channel in a plain send or receive.
 */
import type { BareRuntime } from "../../core/bare-runtime.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Resource } from "../../core/resource.ts";
import { Waiter } from "../../core/waiter.ts";
import type { Received, Receiver, Sender } from "../ports.ts";

/** Who waits at a channel. */
export interface ChannelWaiting {
  /** How many wait for room, or for a receiver. */
  readonly senders: number;
  /** How many wait for a value. */
  readonly receivers: number;
}

export class ReceiveWaiter<T> extends Waiter<Received<T>> implements Receiver<T> {
  deliver(result: Received<T>): void {
    this.grant(result);
  }

  refused(error: unknown): void {
    this.fail(error);
  }
}

export class SendWaiter<T> extends Waiter<void> implements Sender<T> {
  // Declared: see `QueueNode`.
  declare readonly value: T;

  constructor(
    runtime: BareRuntime,
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

  refused(error: unknown): void {
    this.fail(error);
  }
}
