/**
 * A publisher who waits for the slow ones among the subscribers.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { TaskRecord } from "../../core/scheduler.ts";
import { Waiter } from "../../core/waiter.ts";
import { QueueNode } from "../../core/waiter-queue.ts";
import type { Channel } from "../../sync/channel.ts";
import type { Sender } from "../../sync/ports.ts";

/** A message on its way to one subscriber who has no room for it yet. */
class Delivery<T> extends QueueNode implements Sender<T> {
  readonly value: T;
  readonly #publisher: PublishWaiter<T>;

  constructor(publisher: PublishWaiter<T>, value: T) {
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
export class PublishWaiter<T> extends Waiter<number> {
  readonly #deliveries: readonly Delivery<T>[];
  #open: number;
  #accepted: number;

  constructor(
    runtime: Runtime,
    options: CancelOptions | undefined,
    message: T,
    accepted: number,
    slow: readonly Channel<T>[],
  ) {
    const about = slow.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
    super(runtime, "publish", about, options);
    this.#accepted = accepted;
    this.#open = slow.length;
    this.#deliveries = slow.map((channel) => {
      const delivery = new Delivery<T>(this, message);
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
