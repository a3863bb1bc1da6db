/**
 * Many who are one subscriber together: each message goes to one of them. A queue group, as NATS says.
 *
 * Invariants
 *   I1  Every message is in the buffer of the group until a member takes it. So a member who leaves loses none.
 *   I2  A member who has left waits for nothing.
 */
import {
  type CancelLink,
  type CancelOptions,
  linkCancel,
  rejectIfCancelled,
} from "../../core/cancellation.ts";
import { background, type CancelableContext, withCancel } from "../../sync/context.ts";
import type { Received, ReceivePort } from "../../sync/ports.ts";
import type { Registration } from "../../sync/registration.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Shares the messages of one subscription among its members.
 *
 * **Guarantees** Each message goes to one member: to the one who has waited longest, or to the next who asks. So a slow
 * member holds up none of the others, and what it has not taken, they get.
 * **Units and ranges** The buffer and its policy are the subscription's, and are those of all members together. It is
 * subscribed also while it has no member.
 * **Cancellation** A member who leaves, in any way, takes nothing with it.
 * **Cost** As reading the subscription, and a context for a read that takes `options`.
 * **Not for** work that must be done: a message that a member has taken and then fails on is not given to another.
 * **Source** The queue groups of NATS, but with one buffer for all, where NATS gives each member one of its own.
 *
 * @example
 * const bus = new PubSub<{ job: number }>();
 * const workers = new QueueGroup(bus.subscribe("job"));
 * const done: string[] = [];
 * const work = async (name: string) => {
 *   for await (const job of workers.join()) done.push(`${name} ${job}`);
 * };
 * const working = [work("ada"), work("bob")];
 * for (const job of [1, 2]) await bus.publish("job", job);
 * bus.close();
 * await Promise.all(working);
 * done.toSorted(); //=> ["ada 1", "bob 2"]
 */
export class QueueGroup<T> implements Registration {
  readonly #inbox: Subscription<T>;
  #members = 0;

  constructor(inbox: Subscription<T>) {
    this.#inbox = inbox;
  }

  /** How many members it has. */
  get members(): number {
    return this.#members;
  }

  /** How many messages wait for a member. */
  get size(): number {
    return this.#inbox.size;
  }

  /** How many messages were lost for lack of room. */
  get dropped(): number {
    return this.#inbox.dropped;
  }

  /**
   * A new member, until it leaves.
   *
   * **Cancellation** When `signal` aborts, it leaves, and reading rejects with the reason.
   */
  join(options?: CancelOptions): GroupMember<T> {
    this.#members++;
    return new GroupMember(this.#inbox, options, () => this.#members--);
  }

  /** Ends the group: nothing more comes, and its members see the end. What is in the buffer is given up. */
  unsubscribe(): void {
    this.#inbox.unsubscribe();
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }
}

/**
 * A member of a {@link QueueGroup}, made by its `join`.
 *
 * **Guarantees** Leaving a loop over it leaves the group. When the group ends, it is `done`.
 *
 * @example
 * const bus = new PubSub<{ job: string }>();
 * const workers = new QueueGroup(bus.subscribe("job"));
 * await bus.publish("job", "a");
 * const member = workers.join();
 * const { value } = await member.receive();
 * member.leave();
 * [value, workers.members]; //=> ["a", 0]
 */
export class GroupMember<T> implements ReceivePort<T> {
  readonly #inbox: Subscription<T>;
  /** Ends when it leaves, so that it waits no longer. */
  readonly #scope: CancelableContext = withCancel(background);
  readonly #link: CancelLink | undefined;
  readonly #gone: () => void;
  #state: "member" | "left" = "member";
  #failure: { readonly reason: unknown } | undefined;

  /** @internal */
  constructor(inbox: Subscription<T>, options: CancelOptions | undefined, gone: () => void) {
    this.#inbox = inbox;
    this.#gone = gone;
    const onCancel = (reason: unknown): void => {
      this.#failure = { reason };
      this.leave();
    };
    if (options?.signal?.aborted === true) onCancel(options.signal.reason);
    else this.#link = linkCancel(options, { onCancel });
  }

  /** Takes the next message, or waits for one. `done` is true once the group has ended, or this member has left. */
  async receive(options?: CancelOptions): Promise<Received<T>> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#state === "left") return this.#ended();
    const wait = withCancel(this.#scope.ctx);
    const link = linkCancel(options, { onCancel: wait.cancel });
    try {
      return this.#seen(await this.#inbox.receive(wait.ctx));
    } catch (error) {
      const { ctx } = this.#scope;
      if (ctx.error !== undefined && error === ctx.cause) return this.#ended();
      // If nobody gave up, it is the subscription that has failed, and it will not give anything more.
      if (wait.ctx.error === undefined) this.leave();
      throw error;
    } finally {
      link?.release();
      wait.cancel();
    }
  }

  /** Takes a message if that needs no waiting; `undefined` means that it would have to wait. */
  tryReceive(): Received<T> | undefined {
    if (this.#state === "left") return this.#ended();
    const received = this.#inbox.tryReceive();
    return received === undefined ? undefined : this.#seen(received);
  }

  /** Leaves at once. Who waits to read gets `done`. Does nothing the second time. */
  leave(): void {
    if (this.#state === "left") return;
    this.#state = "left";
    this.#link?.release();
    this.#gone();
    this.#scope.cancel();
  }

  /** Leaves. */
  [Symbol.dispose](): void {
    this.leave();
  }

  /** Leaving the loop leaves the group. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const left = async (): Promise<Received<T>> => {
      this.leave();
      return { value: undefined, done: true };
    };
    return { next: () => this.receive(), return: left };
  }

  #seen(received: Received<T>): Received<T> {
    if (received.done === true) this.leave();
    return received;
  }

  #ended(): Received<T> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    return { value: undefined, done: true };
  }
}
