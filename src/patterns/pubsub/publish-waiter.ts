/**
 * A publisher who waits for the slow ones among the subscribers.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { TaskRecord } from "../../core/scheduler.ts";
import { Waiter } from "../../core/waiter.ts";
import { QueueNode } from "../../core/waiter-queue.ts";
import type { Sender } from "../../sync/ports.ts";
import type { Pending } from "./directory.ts";

/** A message on its way to one subscriber who has no room for it yet. */
class Delivery extends QueueNode implements Sender<unknown> {
  readonly value: unknown;
  readonly #publisher: PublishWaiter;

  constructor(publisher: PublishWaiter, value: unknown) {
    super();
    this.#publisher = publisher;
    this.value = value;
  }

  get task(): TaskRecord | undefined {
    return this.#publisher.task;
  }

  accepted(): void {
    this.#publisher.settled(1);
  }

  refused(): void {
    this.#publisher.settled(0);
  }
}

/** Waits until each of them has taken the message or has left; gives how many took it. */
export class PublishWaiter extends Waiter<number> {
  readonly #deliveries: readonly Delivery[];
  #open: number;
  #accepted: number;

  constructor(
    runtime: Runtime,
    options: CancelOptions | undefined,
    accepted: number,
    pending: readonly Pending[],
  ) {
    const about = pending.flatMap(({ channel }) =>
      channel.resource === undefined ? [] : [channel.resource],
    );
    super(runtime, "publish", about, options);
    this.#accepted = accepted;
    this.#open = pending.length;
    this.#deliveries = pending.map(({ channel, value }) => {
      const delivery = new Delivery(this, value);
      channel.enrollSender(delivery);
      return delivery;
    });
  }

  /** One of them has taken the message, or has left. */
  settled(accepted: 0 | 1): void {
    this.#accepted += accepted;
    if (--this.#open === 0) this.grant(this.#accepted);
  }

  protected override leave(): void {
    super.leave();
    for (const delivery of this.#deliveries) delivery.queue?.remove(delivery);
  }
}
