/**
 * Gives those who subscribe later what was published last.
 *
 * Invariant
 *   I1  It holds the last messages that were published since it was made, the oldest first, and at most `last` of them.
 */
import { requireInteger } from "../../core/arguments.ts";
import { RingBuffer } from "../../core/ring-buffer.ts";
import type { MessageOf, PubSub, Topic } from "./bus.ts";
import type { Member } from "./directory.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";
import type { TopicPattern } from "./topics.ts";

interface Published {
  readonly message: unknown;
  readonly topic: string;
}

/**
 * Keeps the last messages on a topic, or on all topics of a pattern, for those who subscribe through it.
 *
 * **Guarantees** A new subscriber gets the messages that are kept and then all that follow: none twice, and none between
 * them lost. With `last` of 1 it is the present state, and then its changes.
 * **Units and ranges** `last`: at least 1. A subscriber gets no more of them than its capacity has room for: the newest.
 * **Errors** `RangeError` if `last` is none of these; `ClosedError` once the bus is closed.
 * **Cost** O(1) a message; O(last) a subscriber.
 * **Not for** messages that must survive the process.
 * **Source** The `ReplaySubject` and `BehaviorSubject` of Reactive Extensions.
 *
 * @example
 * const bus = new PubSub<{ celsius: number }>();
 * const history = new TopicReplay(bus, "celsius", 2);
 * for (const celsius of [19, 20, 21]) await bus.publish("celsius", celsius);
 * const late = history.subscribe();
 * await bus.publish("celsius", 22);
 * bus.close();
 * const seen: number[] = [];
 * for await (const celsius of late) seen.push(celsius);
 * seen; //=> [20, 21, 22]
 */
export class TopicReplay<M extends object, S extends Topic<M> | TopicPattern = Topic<M>> {
  readonly #bus: PubSub<M>;
  readonly #on: S;
  readonly #last: number;
  readonly #kept = new RingBuffer<Published>();
  readonly #recorder: Member = {
    subscribers: 0,
    full: false,
    offer: (message, topic) => this.#keep({ message, topic }),
    finish: () => {},
  };

  constructor(bus: PubSub<M>, on: S, last: number) {
    this.#last = requireInteger("last", last, 1);
    this.#bus = bus;
    this.#on = on;
    bus.attach(on, this.#recorder);
  }

  /** How many messages it holds. */
  get size(): number {
    return this.#kept.size;
  }

  /** Subscribes, in this call, and puts what is kept into the buffer. */
  subscribe(options: SubscribeOptions<MessageOf<M, S>> = {}): Subscription<MessageOf<M, S>> {
    const inbox = this.#bus.enroll(this.#on, options, (message) => message as MessageOf<M, S>);
    const tooMany = this.#kept.size - inbox.capacity;
    for (let index = 0, size = this.#kept.size; index < size; index++) {
      const published = this.#kept.shift();
      this.#kept.push(published);
      if (index >= tooMany) inbox.offer(published.message, published.topic);
    }
    return inbox;
  }

  /** Keeps nothing any more, and forgets what it has. Those who have subscribed stay subscribed. */
  stop(): void {
    this.#bus.detach(this.#on, this.#recorder);
    this.#kept.clear();
  }

  /** Stops. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #keep(published: Published): 0 {
    if (this.#kept.size === this.#last) this.#kept.shift();
    this.#kept.push(published);
    return 0;
  }
}
