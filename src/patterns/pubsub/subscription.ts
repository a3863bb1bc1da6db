/**
 * One subscriber's side of a bus: a bounded buffer, and what happens when it is full.
 */
import { requireInteger } from "../../core/arguments.ts";
import { type CancelLink, type CancelOptions, linkCancel } from "../../core/cancellation.ts";
import {
  Channel,
  type Conflate,
  type ConflateBy,
  type OverflowPolicy,
  type Received,
  type ReceiveEnd,
} from "../../sync/channel.ts";
import { type ReceiveSide, receiveSideOf } from "../../sync/ports.ts";
import type { Registration } from "../../sync/registration.ts";
import type { Member } from "./directory.ts";
import { type Delivery, InboxDelivery } from "./publish-waiter.ts";

/**
 * What happens to a message for which a subscriber has no room. `block`: its publisher waits. `drop-oldest`: the oldest
 * message in the buffer makes room. `drop-newest`: the message itself is dropped. `disconnect`: the subscriber is
 * unsubscribed, can read what it has, and then fails with `FullError`. An object with `conflateBy`: it replaces the older
 * message about the same. An object with `conflate`: it is merged into the newest.
 */
export type SubscriptionOverflow<T> =
  | "block"
  | "drop-oldest"
  | "drop-newest"
  | "disconnect"
  | Conflate<T>
  | ConflateBy<T>;

/** How a subscriber is told. */
export interface SubscribeOptions<T = unknown> extends CancelOptions {
  /** How many messages may wait to be read: at least 0, or 1 to drop the oldest or conflate; default 16. */
  readonly capacity?: number | undefined;
  /** What happens when that is full; default `block`. */
  readonly overflow?: SubscriptionOverflow<T> | undefined;
  /** A short name for reports and for the event log; by default the topic. */
  readonly name?: string | undefined;
}

/**
 * The messages of one subscriber, made by {@link PubSub.subscribe}. Several tasks that read the same one share its
 * messages.
 *
 * **Guarantees** Gets what is published from the moment it was made, in each publisher's order. Leaving a loop over it
 * unsubscribes. When the bus closes, what is in the buffer can still be read, and then it is `done`.
 * **Cancellation** When the signal of `subscribe` aborts, it is unsubscribed and reading rejects with the reason.
 * **Errors** With `disconnect`, once it was too slow and what it has is read, reading fails with `FullError`. What a
 * function of its policy throws ends it in the same way.
 *
 * @example
 * const bus = new PubSub<{ news: string }>();
 * const inbox = bus.subscribe("news", { capacity: 1, overflow: "drop-oldest" });
 * await bus.publish("news", "old");
 * await bus.publish("news", "new");
 * [(await inbox.receive()).value, inbox.dropped]; //=> ["new", 1]
 */
export class Subscription<T> implements ReceiveEnd<T>, Registration, Member {
  /** @internal */
  readonly subscribers = 1;
  readonly #channel: Channel<T>;
  readonly #blocks: boolean;
  readonly #shape: (message: unknown, topic: string) => T;
  readonly #link: CancelLink | undefined;
  readonly #left: () => void;
  #state: "subscribed" | "finishing" | "finished" | "left" = "subscribed";
  /** Why reading fails, if it does not just end. */
  #failure: { readonly reason: unknown } | undefined;

  /** `shape` makes of a message what this subscriber gets; `left` is told once, when nothing more is to come. @internal */
  constructor(
    name: string,
    options: SubscribeOptions<T>,
    shape: (message: unknown, topic: string) => T,
    left: () => void,
  ) {
    const overflow = policyOf(options.overflow);
    this.#channel = new Channel<T>(capacityOf(options), { overflow, name: options.name ?? name });
    this.#blocks = blocks(options);
    this.#shape = shape;
    this.#left = left;
    this.#link = linkCancel(options, {
      onCancel: (reason) => {
        this.#failure = { reason };
        this.unsubscribe();
      },
    });
  }

  /** How many messages may wait to be read. */
  get capacity(): number {
    return this.#channel.capacity;
  }

  /** How many messages wait to be read. */
  get size(): number {
    return this.#state === "left" ? 0 : this.#channel.size;
  }

  /** How many messages it has missed for lack of room. */
  get dropped(): number {
    return this.#channel.dropped;
  }

  /** Reads the next message, or waits for one. `done` is true once the bus is closed and all has been read. */
  async receive(options?: CancelOptions): Promise<Received<T>> {
    return this.#read(await this.#channel.receive(options));
  }

  /** Reads if that needs no waiting; `undefined` means that it would have to wait. */
  tryReceive(): Received<T> | undefined {
    const received = this.#channel.tryReceive();
    return received === undefined ? undefined : this.#read(received);
  }

  /**
   * Leaves, at once: nothing more comes, what is in the buffer is given up, who waits to read gets `done`, and a
   * publisher who waits for this subscriber goes on. Does nothing the second time.
   */
  unsubscribe(): void {
    this.#end("left");
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  /** Leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const left = async (): Promise<Received<T>> => {
      this.unsubscribe();
      return { value: undefined, done: true };
    };
    return { next: () => this.receive(), return: left };
  }

  /** For select. */
  get receiveSide(): ReceiveSide<T> {
    return receiveSideOf(this.#channel, () => this.tryReceive());
  }

  /** @internal */
  get full(): boolean {
    return !this.#channel.sendable;
  }

  /** What a policy throws ends the subscription, not the publisher: this is how `disconnect` works. @internal */
  offer(message: unknown, topic: string, pending?: Delivery[]): 0 | 1 {
    const value = this.#shape(message, topic);
    try {
      if (this.#channel.trySend(value)) return 1;
      if (this.#blocks) pending?.push(new InboxDelivery(this.#channel, value));
    } catch (reason) {
      this.#failure = { reason };
      this.#end("finished");
    }
    return 0;
  }

  /** @internal */
  finish(): void {
    const awaited = this.#channel.waiting.receivers > 0;
    this.#close();
    if (awaited) this.#end("finished");
  }

  #close(): void {
    if (this.#state !== "subscribed") return;
    this.#state = "finishing";
    this.#channel.close(this.#failure?.reason);
  }

  #end(state: "finished" | "left"): void {
    if (this.#state === "finished" || this.#state === "left") return;
    this.#close();
    this.#state = state;
    this.#link?.release();
    this.#left();
  }

  /** What a read gives to its caller: nothing any more, if this was left while the message was on its way. */
  #read(received: Received<T>): Received<T> {
    if (received.done !== true && this.#state !== "left") return received;
    this.#end("finished");
    if (this.#failure !== undefined) throw this.#failure.reason;
    return { value: undefined, done: true };
  }
}

/** How many messages may wait to be read. */
export function capacityOf<T>(options: SubscribeOptions<T>): number {
  return requireInteger("capacity", options.capacity ?? 16, 0);
}

/** Whether a publisher waits for who is full. */
export function blocks<T>({ overflow }: SubscribeOptions<T>): boolean {
  return overflow === undefined || overflow === "block";
}

/** The same in the words of a channel, which checks it. */
function policyOf<T>(overflow: SubscriptionOverflow<T> | undefined): OverflowPolicy<T> | undefined {
  if ((overflow as unknown) === "error") throw new TypeError('overflow "error" is called "disconnect" here');
  return overflow === "disconnect" ? "error" : overflow;
}
