/**
 * Tells every subscriber of a topic what is published on it.
 *
 * Invariants
 *   I1  A publisher waits only for subscribers who block, are full, and are still subscribed.
 *   I2  Once the bus is closed, no publisher waits and nobody is subscribed.
 */
import { requireFunction } from "../../core/arguments.ts";
import { type CancelOptions, endingOf, rejectIfCancelled } from "../../core/cancellation.ts";
import { ClosedError } from "../../core/errors.ts";
import { completed } from "../../core/fairness.ts";
import { begin } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { spawnTask } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import type { Registration } from "../../sync/registration.ts";
import { WaitGroup } from "../../sync/wait-group.ts";
import { Directory, type Member } from "./directory.ts";
import { HandlerLog } from "./handler-log.ts";
import { handleAll, type Handling } from "./handling.ts";
import { type Delivery, PublishWaiter } from "./publish-waiter.ts";
import { blocks, capacityOf, type SubscribeOptions, Subscription } from "./subscription.ts";
import type { TopicMessage, TopicPattern } from "./topics.ts";

/** How a handler is called. */
export interface ListenOptions<T> extends SubscribeOptions<T> {
  /**
   * Takes what the handler threw, and the message on which it failed; then the next message is handled. What this throws
   * becomes an uncaught exception of the host. Without it, every failure does.
   */
  readonly onError?: ((error: unknown, message: T) => void) | undefined;
}

/** A handler's subscription, made by {@link PubSub.on}. Once that is taken back, the handler is not called any more. */
export interface Listener extends Registration {
  /** See {@link Subscription.dropped}. */
  readonly dropped: number;
}

/** What is called with each message. The next one waits until it has returned. */
export type MessageHandler<T> = (message: T) => void | PromiseLike<void>;

/** The names of the topics of `M`, a type from topic to message. */
export type Topic<M> = keyof M & string;

/** What a subscriber to `S` gets, a topic of `M` or a pattern of them. */
export type MessageOf<M, S> =
  S extends TopicPattern<infer P> ? TopicMessage<M, P> : S extends keyof M ? M[S] : never;

/**
 * A bus of topics.
 *
 * **Guarantees** Every subscriber of a topic gets every message published on it from then on, in the order of each
 * publisher who waits for one publish before the next. One slow subscriber holds up publishers, if it blocks, but never
 * the other subscribers of the same message, nor {@link PubSub.close}. Without a subscriber, nothing is kept.
 * **Units and ranges** Topics are any strings; messages are any values, also `undefined` and `null`.
 * **Cancellation** A cancelled publish is withdrawn from those who have not taken the message; the others keep it.
 * **Errors** `ClosedError` for a publish once the bus is closed, or that waits when it closes.
 * **Cost** O(subscriptions to the topic + patterns) a message; a topic without subscribers costs nothing. All handlers of
 * a topic who block read one log: a publish costs as much as for one of them, and a wake-up for each who had read everything.
 * One that has to wait looks once at each.
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
  readonly #directory = new Directory();
  readonly #publishers = new WaiterQueue<PublishWaiter>();
  /** Of each topic that has handlers who can share one. */
  readonly #logs = new Map<string, HandlerLog>();
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

  /** How many subscribers a topic has, patterns included. */
  subscribers(topic: Topic<M>): number {
    return this.#directory.membersOf(topic).subscribers;
  }

  /**
   * Subscribes, in this call: what is published from now on is in the buffer, even before the first read.
   *
   * **Errors** Throws `ClosedError` once the bus is closed; the signal's reason if that has aborted already.
   */
  subscribe<K extends Topic<M>>(topic: K, options?: SubscribeOptions<M[K]>): Subscription<M[K]>;
  /** Subscribes to all topics that a pattern stands for: see `topics` of `pubsub/topics`. */
  subscribe<P extends string>(
    pattern: TopicPattern<P>,
    options?: SubscribeOptions<TopicMessage<M, P>>,
  ): Subscription<TopicMessage<M, P>>;
  subscribe<T>(on: string | TopicPattern, options?: SubscribeOptions<T>): Subscription<T> {
    return this.enroll(on, options, (message) => message as T);
  }

  /**
   * Calls `handler` with each message, one at a time, in a task of its own.
   *
   * **Errors** A handler that fails disturbs nobody and is called with the next message; see {@link ListenOptions}. If its
   * subscription itself fails, as with `disconnect`, that is an uncaught exception of the host.
   *
   * @example
   * const bus = new PubSub<{ news: string }>();
   * const seen: string[] = [];
   * bus.on("news", (message) => void seen.push(message));
   * await bus.publish("news", "hello");
   * await bus.drain();
   * seen; //=> ["hello"]
   */
  on<K extends Topic<M>>(topic: K, handler: MessageHandler<M[K]>, options?: ListenOptions<M[K]>): Listener;
  /** Calls `handler` with each message on all topics that a pattern stands for. */
  on<P extends string>(
    pattern: TopicPattern<P>,
    handler: MessageHandler<TopicMessage<M, P>>,
    options?: ListenOptions<TopicMessage<M, P>>,
  ): Listener;
  on<T>(on: string | TopicPattern, handler: MessageHandler<T>, options: ListenOptions<T> = {}): Listener {
    requireFunction("handler", handler);
    const { onError = reportUncaught } = options;
    requireFunction("onError", onError);
    const handling = { handler, onError };
    const [listener, listen] = this.#canShareLog(on, options)
      ? this.#readLog(on, options, handling)
      : this.#readInbox(on, options, handling);
    spawnTask(this.#runtime, { name: `on ${nameOf(on)}` }, listen, (ended) => {
      if (!ended.ok && ended.error !== endingOf(options)?.reason) reportUncaught(ended.error);
    });
    return listener;
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
    const members = this.#directory.membersOf(topic);
    if (members.full) return false;
    members.offer(message, topic);
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
    for (const member of this.#directory.takeAll()) member.finish();
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

  #requireOpen(options?: CancelOptions): void {
    if (this.#state === "closed") throw new ClosedError("subscribe on closed bus");
    const ending = endingOf(options);
    if (ending !== undefined) throw ending.reason;
  }

  /** A simulation sees each message of each subscriber; what drops, or hears several topics, has a buffer of its own. */
  #canShareLog<T>(on: string | TopicPattern, options: SubscribeOptions<T>): on is string {
    const { scheduler, tracer } = this.#runtime;
    return scheduler === undefined && tracer === undefined && typeof on === "string" && blocks(options);
  }

  #readLog<T>(topic: string, options: CancelOptions, handling: Handling<T>): [Listener, () => Promise<void>] {
    this.#requireOpen(options);
    const capacity = capacityOf(options);
    const reader = this.#logOf(topic).add(capacity, handling as Handling<unknown>, options);
    this.#readers.add();
    return [reader, () => reader.listen()];
  }

  /** A topic has its log as long as that has readers. */
  #logOf(topic: string): HandlerLog {
    const found = this.#logs.get(topic);
    if (found !== undefined) return found;
    const log = new HandlerLog(this.#runtime, () => {
      this.#readers.done();
      if (log.subscribers > 0) return;
      this.#logs.delete(topic);
      this.detach(topic, log);
    });
    this.#logs.set(topic, log);
    this.#directory.add(topic, log);
    return log;
  }

  #readInbox<T>(
    on: string | TopicPattern,
    options: SubscribeOptions<T>,
    handling: Handling<T>,
  ): [Listener, () => Promise<void>] {
    const inbox = this.enroll(on, options, (message) => message as T);
    return [inbox, () => handleAll(this.#runtime, inbox, handling)];
  }

  /**
   * Subscribes; `shape` makes of each message what this subscriber gets, and is called for every one that is offered.
   * @internal
   */
  enroll<T>(
    on: string | TopicPattern,
    options: SubscribeOptions<T> | undefined,
    shape: (message: unknown) => T,
  ): Subscription<T> {
    this.#requireOpen(options);
    const shaped =
      typeof on === "string" ? shape : (message: unknown, topic: string) => shape({ topic, message });
    const subscription = new Subscription<T>(nameOf(on), options ?? {}, shaped, () => {
      this.detach(on, subscription);
      this.#readers.done();
    });
    this.#directory.add(on, subscription);
    this.#readers.add();
    return subscription;
  }

  /** Adds a member that is told in passing and is no subscriber. @internal */
  attach(on: string | TopicPattern, member: Member): void {
    this.#requireOpen();
    this.#directory.add(on, member);
  }

  /** Takes a member out. @internal */
  detach(on: string | TopicPattern, member: Member): void {
    this.#directory.remove(on, member);
  }

  #publish(topic: string, message: unknown, options: CancelOptions | undefined): Promise<number> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#state === "closed") return Promise.reject(publishOnClosed());
    const pending: Delivery[] = [];
    const accepted = this.#directory.membersOf(topic).offer(message, topic, pending);
    if (pending.length === 0) return completed(this.#runtime, accepted);
    const waiter = new PublishWaiter(this.#runtime, options, accepted, pending);
    this.#publishers.push(waiter);
    return waiter.promise;
  }
}

function nameOf(on: string | TopicPattern): string {
  return typeof on === "string" ? on : on.text;
}

function publishOnClosed(): ClosedError {
  return new ClosedError("publish on closed bus");
}
