/**
 * Tells a subscriber that drops where messages are missing, among the messages themselves.
 */
import { requireOneOf } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Received, ReceivePort } from "../../sync/ports.ts";
import type { Registration } from "../../sync/registration.ts";
import type { MessageOf, PubSub, Topic } from "./bus.ts";
import type { Subscription } from "./subscription.ts";
import type { TopicPattern } from "./topics.ts";

/** A message, and what was lost before it. */
export interface GapMessage<T> {
  /** The message. */
  readonly message: T;
  /** How many messages were lost between the one that was read before and this one: 0 if none. */
  readonly missed: number;
}

/** How a subscriber who may lose messages is told. */
export interface GapOptions extends CancelOptions {
  /** How many messages may wait to be read: at least 0, or 1 with `drop-oldest`; default 16. */
  readonly capacity?: number | undefined;
  /** Which messages go when that is full; default `drop-oldest`. */
  readonly overflow?: "drop-oldest" | "drop-newest" | undefined;
  /** A short name for reports and for the event log; by default the topic. */
  readonly name?: string | undefined;
}

interface Numbered<T> {
  readonly number: number;
  readonly message: T;
}

/**
 * The messages of one subscriber, each with the number of those that are missing before it. Made by
 * {@link subscribeWithGaps}.
 *
 * **Guarantees** What was read and what was missed add up to what was published, but for what was dropped after the last
 * message that was read; `dropped` counts that too. Otherwise it is as a {@link Subscription}.
 *
 * @example
 * const bus = new PubSub<{ log: string }>();
 * const lines = subscribeWithGaps(bus, "log", { capacity: 1, overflow: "drop-newest" });
 * for (const line of ["a", "b", "c"]) await bus.publish("log", line);
 * await lines.receive();
 * await bus.publish("log", "d");
 * (await lines.receive()).value; //=> { message: "d", missed: 2 }
 */
export class GapSubscription<T> implements ReceivePort<GapMessage<T>>, Registration {
  readonly #inbox: Subscription<Numbered<T>>;
  /** The number of the message that comes next if none is missing. */
  #next = 0;

  /** @internal */
  constructor(inbox: Subscription<Numbered<T>>) {
    this.#inbox = inbox;
  }

  /** See {@link Subscription.size}. */
  get size(): number {
    return this.#inbox.size;
  }

  /** See {@link Subscription.dropped}. */
  get dropped(): number {
    return this.#inbox.dropped;
  }

  /** See {@link Subscription.receive}. */
  async receive(options?: CancelOptions): Promise<Received<GapMessage<T>>> {
    return this.#notice(await this.#inbox.receive(options));
  }

  /** See {@link Subscription.tryReceive}. */
  tryReceive(): Received<GapMessage<T>> | undefined {
    const received = this.#inbox.tryReceive();
    return received === undefined ? undefined : this.#notice(received);
  }

  /** See {@link Subscription.unsubscribe}. */
  unsubscribe(): void {
    this.#inbox.unsubscribe();
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  /** Leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterator<GapMessage<T>, undefined> {
    const left = async (): Promise<Received<GapMessage<T>>> => {
      this.unsubscribe();
      return { value: undefined, done: true };
    };
    return { next: () => this.receive(), return: left };
  }

  #notice(received: Received<Numbered<T>>): Received<GapMessage<T>> {
    if (received.done === true) return received;
    const { number, message } = received.value;
    const missed = number - this.#next;
    this.#next = number + 1;
    return { value: { message, missed }, done: false };
  }
}

/**
 * Subscribes to a topic, or to a pattern, with a notice of what is missing: for readers who must do something about a gap,
 * such as load the state anew.
 *
 * **Errors** As `PubSub.subscribe`.
 * **Cost** An object more for each message.
 * **Not for** a select: it has no `receiveSide`.
 * **Source** The notices of lag in Rust's tokio `broadcast`.
 *
 * @example
 * const bus = new PubSub<{ position: number }>();
 * const positions = subscribeWithGaps(bus, "position", { capacity: 2 });
 * for (const position of [1, 2, 3, 4, 5]) await bus.publish("position", position);
 * bus.close();
 * const seen: string[] = [];
 * for await (const { message, missed } of positions) seen.push(missed > 0 ? `${missed} missed, ${message}` : `${message}`);
 * seen; //=> ["3 missed, 4", "5"]
 */
export function subscribeWithGaps<M extends object, S extends Topic<M> | TopicPattern>(
  bus: PubSub<M>,
  on: S,
  options: GapOptions = {},
): GapSubscription<MessageOf<M, S>> {
  const policies = ["drop-oldest", "drop-newest"] as const;
  const overflow = requireOneOf("overflow", options.overflow ?? "drop-oldest", policies);
  const { capacity, name, signal } = options;
  let count = 0;
  const number = (message: unknown): Numbered<MessageOf<M, S>> => {
    return { number: count++, message: message as MessageOf<M, S> };
  };
  return new GapSubscription(bus.enroll(on, { capacity, name, signal, overflow }, number));
}
