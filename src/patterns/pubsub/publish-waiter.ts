/**
 * A publisher who waits for the slow ones among the subscribers.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import type { ResourceInfo, TaskRecord } from "../../core/scheduler.ts";
import { Waiter } from "../../core/waiter.ts";
import { QueueNode } from "../../core/waiter-queue.ts";
import type { Sender, SendSide } from "../../sync/ports.ts";

/** Where a message waits for room. */
type Place = Pick<SendSide<unknown>, "resource" | "enrollSender">;

/** A message on its way to those who have no room for it yet. */
export interface Delivery {
  /** What the publisher waits for, for reports. */
  readonly resource: ResourceInfo | undefined;
  /** It waits, and so does its publisher, who is told when it is settled. */
  begin(publisher: PublishWaiter): void;
  /** Nobody who has not taken it gets it. Does nothing if it is settled. */
  withdraw(): void;
}

/** A message on its way to one subscriber. */
export class InboxDelivery extends QueueNode implements Delivery, Sender<unknown> {
  readonly #place: Place;
  /** The message as this subscriber gets it. */
  readonly value: unknown;
  #publisher: PublishWaiter | undefined;

  constructor(place: Place, value: unknown) {
    super();
    this.#place = place;
    this.value = value;
  }

  get task(): TaskRecord | undefined {
    return this.#publisher?.task;
  }

  get resource(): ResourceInfo | undefined {
    return this.#place.resource;
  }

  begin(publisher: PublishWaiter): void {
    this.#publisher = publisher;
    this.#place.enrollSender(this);
  }

  withdraw(): void {
    this.queue?.remove(this);
  }

  accepted(): void {
    this.#publisher?.settled(1);
  }

  refused(): void {
    this.#publisher?.settled(0);
  }
}

/** Waits until each of them has taken the message or has left; gives how many took it. */
export class PublishWaiter extends Waiter<number> {
  readonly #deliveries: readonly Delivery[];
  #open: number;
  #accepted: number;

  constructor(
    runtime: BareRuntime,
    options: CancelOptions | undefined,
    accepted: number,
    deliveries: readonly Delivery[],
  ) {
    super(runtime, "publish", runtime.scheduler && resourcesOf(deliveries), options);
    this.#accepted = accepted;
    this.#open = deliveries.length;
    this.#deliveries = deliveries;
    for (const delivery of deliveries) delivery.begin(this);
  }

  /** A delivery is settled: so many took the message, the others have left. */
  settled(accepted: number): void {
    this.#accepted += accepted;
    if (--this.#open === 0) this.grant(this.#accepted);
  }

  protected override leave(): void {
    super.leave();
    for (const delivery of this.#deliveries) delivery.withdraw();
  }
}

function resourcesOf(deliveries: readonly Delivery[]): ResourceInfo[] {
  return deliveries.flatMap(({ resource }) => resource ?? []);
}
