/**
 * A bounded stock of items with an order of its own: what the queues have in common that are more than a channel.
 *
 * Invariants
 *   I1  An item that has entered and not left is in one place: delayed, in line, or with a taker.
 *   I2  `room` holds a token for each of them, so there are never more than `capacity`; whoever waits to enter is a
 *       sender of that channel.
 *   I3  A taker waits only while the line is empty. Once it is closed and all have left, nobody waits.
 *   I4  An item enters in the step in which there is room for it, and not when its caller goes on: so whoever clears or
 *       closes the stock meanwhile finds it there.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import type { Timer } from "../../core/clock.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError } from "../../core/errors.ts";
import { completed } from "../../core/fairness.ts";
import { begin, type Resource } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { Channel, type Received } from "../../sync/channel.ts";
import type { Sender } from "../../sync/ports.ts";
import { FairLine, type Item } from "./fair-line.ts";
import type { QueueWaiting } from "./take-end.ts";

/** A put that waits for room. */
class PutWaiter extends Waiter<void> implements Sender<undefined> {
  readonly value: undefined = undefined;
  readonly #enter: () => void;
  readonly #refusal: () => ClosedError;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    told: { readonly enter: () => void; readonly refusal: () => ClosedError },
  ) {
    super(runtime, "put", resource, options);
    this.#enter = told.enter;
    this.#refusal = told.refusal;
  }

  accepted(): void {
    this.#enter();
    this.grant();
  }

  refused(): void {
    this.fail(this.#refusal());
  }
}

/** `T` is what goes in, `R` what a taker gets. */
export class Stock<T, R> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #room: Channel<undefined>;
  readonly #line = new FairLine<T>();
  readonly #delayed = new Map<Item<T>, Timer>();
  readonly #takers = new WaiterQueue<Waiter<Received<R>>>();
  readonly #emptied: Deferred<void>;
  readonly #taken: (item: Item<T>) => R;
  #serving = false;
  #cause: unknown;

  /** `taken` is called in the step in which an item goes to its taker. */
  constructor(capacity: number, name: string | undefined, taken: (item: Item<T>) => R) {
    this.#room = new Channel<undefined>(capacity, { name });
    this.#emptied = new Deferred<void>(this.#runtime, "drain", this.#room.resource);
    this.#taken = taken;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get capacity(): number {
    return this.#room.capacity;
  }

  /** How many have entered and not left. */
  get size(): number {
    return this.#room.size;
  }

  get ready(): number {
    return this.#line.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  get oldestMs(): number {
    const { oldest } = this.#line;
    return oldest === undefined ? 0 : this.#runtime.clock.now() - oldest.sinceMs;
  }

  get waiting(): QueueWaiting {
    return { puts: this.#room.waiting.senders, takes: this.#takers.size };
  }

  get closed(): boolean {
    return this.#room.closed;
  }

  /** Waits until there is room for an item. It can be taken when the delay is over, which begins when it is in. */
  put(item: Item<T>, delayMs: number, options: CancelOptions | undefined): Promise<void> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      if (this.closed) return Promise.reject(this.#refusal());
      if (this.tryPut(item, delayMs)) return completed(this.#runtime, undefined);
      const putter = new PutWaiter(this.#runtime, this.#room.resource, options, {
        enter: () => this.offer(item, delayMs),
        refusal: () => this.#refusal(),
      });
      this.#room.sendSide.enrollSender(putter);
      return putter.promise;
    });
  }

  /** Puts an item in if there is room. */
  tryPut(item: Item<T>, delayMs: number): boolean {
    if (this.closed) throw this.#refusal();
    if (!this.#room.trySend(undefined)) return false;
    this.offer(item, delayMs);
    return true;
  }

  /** An item that is in can be taken, now or when the delay is over. */
  offer(item: Item<T>, delayMs: number): void {
    if (delayMs <= 0) this.#offer(item);
    else {
      const timer = this.#runtime.clock.after(delayMs, () => {
        this.#delayed.delete(item);
        this.#offer(item);
      });
      this.#delayed.set(item, timer);
    }
  }

  take(options: CancelOptions | undefined): Promise<Received<R>> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      const taken = this.tryTake();
      if (taken !== undefined) return completed(this.#runtime, taken);
      const taker = new Waiter<Received<R>>(this.#runtime, "take", this.#room.resource, options);
      this.#takers.push(taker);
      return taker.promise;
    });
  }

  tryTake(): Received<R> | undefined {
    const item = this.#line.shift();
    if (item !== undefined) return { value: this.#taken(item), done: false };
    return this.closed && this.size === 0 ? { value: undefined, done: true } : undefined;
  }

  /** An item has gone for good: there is room for another. */
  leave(): void {
    this.#room.tryReceive();
    this.#noticeEmpty();
  }

  /** Takes out all that are in line or delayed, and gives them back. */
  clear(): T[] {
    const cleared: T[] = [];
    for (let item = this.#line.shift(); item !== undefined; item = this.#line.shift())
      cleared.push(item.value);
    for (const [item, timer] of this.#delayed) {
      timer.cancel();
      cleared.push(item.value);
    }
    this.#delayed.clear();
    for (let left = cleared.length; left > 0; left--) this.leave();
    return cleared;
  }

  close(cause: unknown): void {
    if (this.closed) return;
    this.#cause = cause;
    this.#room.close();
    this.#noticeEmpty();
  }

  drain(options: CancelOptions | undefined): Promise<void> {
    this.close(undefined);
    return this.#emptied.wait(options);
  }

  #offer(item: Item<T>): void {
    this.#line.push(item, this.#runtime.clock.now());
    if (!this.#serving) this.#serve();
  }

  /** What is taken may let the next one in: that one is served here too, however many there are. */
  #serve(): void {
    this.#serving = true;
    while (this.#takers.size > 0) {
      const item = this.#line.shift();
      if (item === undefined) break;
      this.#takers.shift()?.grant({ value: this.#taken(item), done: false });
    }
    this.#serving = false;
  }

  #noticeEmpty(): void {
    if (!this.closed || this.size > 0) return;
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      taker.grant({ value: undefined, done: true });
    }
    this.#emptied.settle({ ok: true, value: undefined });
  }

  #refusal(): ClosedError {
    const cause = this.#cause;
    return new ClosedError("put on closed queue", cause === undefined ? undefined : { cause });
  }
}
