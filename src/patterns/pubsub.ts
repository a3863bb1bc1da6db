/**
 * Tells every subscriber of a topic what is published on it.
 *
 * Invariants
 *   I1  A topic is in the map exactly as long as it has subscribers.
 *   I2  A publisher waits only for subscribers who block, are full, and are still subscribed.
 *   I3  Once the bus is closed, no publisher waits and nobody is subscribed.
 */
import { requireFunction } from "../core/arguments.ts";
import { type CancelOptions, endingOf, rejectIfCancelled } from "../core/cancellation.ts";
import { ClosedError } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { begin } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { outcomeOf, spawnTask } from "../core/task.ts";
import { reportUncaught } from "../core/uncaught.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import type { Channel } from "../sync/channel.ts";
import { WaitGroup } from "../sync/wait-group.ts";
import { PublishWaiter } from "./pubsub/publish-waiter.ts";
import { type SubscribeOptions, Subscription } from "./pubsub/subscription.ts";

export type { Overflow, SubscribeOptions, Subscription } from "./pubsub/subscription.ts";

/** How a handler is called. */
export interface ListenOptions<T> extends SubscribeOptions {
  /** Takes what the handler throws; without it, that becomes an uncaught exception of the host. */
  readonly onError?: ((error: unknown, message: T) => void) | undefined;
}

/** A handler's subscription, made by {@link PubSub.on}. */
export interface Listener {
  /** See {@link Subscription.dropped}. */
  readonly dropped: number;
  /** See {@link Subscription.unsubscribe}. The handler is not called any more. */
  unsubscribe(): void;
  /** Unsubscribes. */
  [Symbol.dispose](): void;
}

/** The names of the topics of `M`, a type from topic to message. */
export type Topic<M> = keyof M & string;

/**
 * A bus of topics.
 *
 * **Guarantees** Every subscriber of a topic gets every message published on it from then on, in the order of each
 * publisher who waits for one publish before the next. One slow subscriber holds up publishers, if it blocks, but never
 * the other subscribers of the same message, nor {@link PubSub.close}. Without a subscriber, nothing is kept.
 * **Units and ranges** Topics are any strings; messages are any values, also `undefined` and `null`.
 * **Cancellation** A cancelled publish is withdrawn from those who have not taken the message; the others keep it.
 * **Errors** `ClosedError` for a publish once the bus is closed, or that waits when it closes.
 * **Cost** O(subscribers of the topic) a message; a topic without subscribers costs nothing.
 * **Not for** sharing work, where one of many gets each value: see `producer-consumer`.
 * **Source** Publish-subscribe as in K. Birman's "news" service (1987); the policies are those of Effect's `PubSub`.
 *
 * @example
 * const bus = new PubSub<{ news: string }>();
 * const inbox = bus.subscribe("news");
 * await bus.publish("news", "hello");
 * bus.close();
 * const seen: string[] = [];
 * for await (const message of inbox) seen.push(message);
 * seen; //=> ["hello"]
 */
export class PubSub<M extends object = Record<string, unknown>> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #topics = new Map<string, Set<Subscription<unknown>>>();
  readonly #publishers = new WaiterQueue<PublishWaiter<unknown>>();
  readonly #readers = new WaitGroup({ name: "subscribers" });
  #state: "open" | "closed" = "open";

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /** How many publishers wait for a slow subscriber. */
  get waiting(): number {
    return this.#publishers.size;
  }

  /** How many subscribers a topic has. */
  subscribers(topic: Topic<M>): number {
    return this.#topics.get(topic)?.size ?? 0;
  }

  /**
   * Subscribes, in this call: what is published from now on is in the buffer, even before the first read.
   *
   * **Errors** Throws `ClosedError` once the bus is closed; the signal's reason if that has aborted already.
   */
  subscribe<K extends Topic<M>>(topic: K, options: SubscribeOptions = {}): Subscription<M[K]> {
    if (this.#state === "closed") throw new ClosedError("subscribe on closed bus");
    const ending = endingOf(options);
    if (ending !== undefined) throw ending.reason;
    const members = this.#topics.get(topic) ?? new Set<Subscription<unknown>>();
    const subscription = new Subscription<M[K]>(topic, options, () => {
      members.delete(subscription);
      if (members.size === 0 && this.#topics.get(topic) === members) this.#topics.delete(topic);
      this.#readers.done();
    });
    this.#topics.set(topic, members.add(subscription));
    this.#readers.add();
    return subscription;
  }

  /**
   * Calls `handler` with each message, one at a time, in a task of its own.
   *
   * **Errors** A handler that fails disturbs nobody and is called with the next message; see {@link ListenOptions}.
   *
   * @example
   * const bus = new PubSub<{ news: string }>();
   * const seen: string[] = [];
   * bus.on("news", (message) => void seen.push(message));
   * await bus.publish("news", "hello");
   * await bus.drain();
   * seen; //=> ["hello"]
   */
  on<K extends Topic<M>>(
    topic: K,
    handler: (message: M[K]) => void | PromiseLike<void>,
    options: ListenOptions<M[K]> = {},
  ): Listener {
    requireFunction("handler", handler);
    const { onError = reportUncaught } = options;
    const inbox = this.subscribe(topic, options);
    const listen = async (): Promise<void> => {
      for await (const message of inbox) {
        const handled = await outcomeOf(() => handler(message));
        if (!handled.ok) onError(handled.error, message);
      }
    };
    spawnTask(this.#runtime, { name: `on ${topic}` }, listen, (ended) => {
      if (!ended.ok && ended.error !== endingOf(options)?.reason) reportUncaught(ended.error);
    });
    return inbox;
  }

  /**
   * Gives a message to every subscriber, and waits until each has room for it or has left.
   *
   * @returns how many took it: without those that dropped it or have left.
   */
  publish<K extends Topic<M>>(topic: K, message: M[K], options?: CancelOptions): Promise<number> {
    return begin(this.#runtime, () => this.#publish(topic, message, options));
  }

  /** Publishes if that needs no waiting, and says whether it did: to all subscribers or to none. */
  tryPublish<K extends Topic<M>>(topic: K, message: M[K]): boolean {
    if (this.#state === "closed") throw publishOnClosed();
    const members = [...(this.#topics.get(topic) ?? [])];
    if (members.some(({ full }) => full)) return false;
    for (const member of members) member.offer(message);
    return true;
  }

  /**
   * No more messages. Publishers who wait fail with `ClosedError`; subscribers can read what is in their buffers. Does
   * nothing the second time.
   */
  close(): void {
    this.#state = "closed";
    for (let waiter = this.#publishers.shift(); waiter !== undefined; waiter = this.#publishers.shift()) {
      waiter.fail(publishOnClosed());
    }
    for (const members of this.#topics.values()) for (const member of members) member.finish();
    this.#topics.clear();
  }

  /**
   * Closes it, and waits until every subscriber has read all that it has, seen the end, or left; so also until every
   * handler has returned.
   *
   * **Cancellation** Gives up the wait; the bus is closed in any case. A subscriber who neither reads nor leaves holds
   * this up: set a deadline where that can be.
   */
  drain(options?: CancelOptions): Promise<void> {
    this.close();
    return this.#readers.wait(options);
  }

  /** Closes it. It does not drain: there may be nobody left who reads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #publish(topic: string, message: unknown, options: CancelOptions | undefined): Promise<number> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#state === "closed") return Promise.reject(publishOnClosed());
    const slow: Channel<unknown>[] = [];
    let accepted = 0;
    for (const member of this.#topics.get(topic) ?? []) {
      const offered = member.offer(message);
      if (offered === "full") slow.push(member.channel);
      else if (offered === "accepted") accepted++;
    }
    if (slow.length === 0) return completed(this.#runtime, accepted);
    const waiter = new PublishWaiter<unknown>(this.#runtime, options, message, accepted, slow);
    this.#publishers.push(waiter);
    return waiter.promise;
  }
}

function publishOnClosed(): ClosedError {
  return new ClosedError("publish on closed bus");
}
