/**
 * Shares a bounded number of things that are costly to make.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ClosedError } from "../core/errors.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { untilDrained } from "./resource-pooling/drained.ts";
import { type Lease, useLease } from "./resource-pooling/lease.ts";
import {
  durationOf,
  type LeaseWatch,
  limitsOf,
  type ResourcePoolDrainOptions,
  type ResourcePoolSize,
  type ResourcePoolStats,
  type ResourcePoolOptions,
  type WatchedLease,
} from "./resource-pooling/options.ts";
import { Stock } from "./resource-pooling/stock.ts";

export { Lease } from "./resource-pooling/lease.ts";
export type {
  LeaseWatch,
  ResourceCareOptions,
  ResourcePoolCallback,
  ResourcePoolDrainOptions,
  ResourcePoolSize,
  ResourcePoolStats,
  ResourcePoolOptions,
  WatchedLease,
} from "./resource-pooling/options.ts";

/**
 * A pool of resources: connections, sessions, browsers.
 *
 * **Guarantees** There are never more than `max` resources, counting those that are being made or destroyed. Callers
 * are served first come, first served. Nothing is made before somebody needs it: the first `acquire`, or `ready`, makes
 * `min` of them; if they get fewer, the next `acquire` makes them up.
 * **Cancellation** A caller who leaves takes nothing. What is being made for them goes to the next who needs it.
 * **Errors** A `create` that fails rejects one caller: the one who has waited longest, unless enough others are being
 * made for all. It is not tried again for them, so a dead server sees one attempt a caller and no storm; with `backoff`
 * fewer than that.
 * **Cost** O(1) to acquire, release and cancel. A timer only while something is idle that may go by `idleTimeoutMs`, while
 * a caller waits who has a limit, and while something is made that has one. Only that of idleness keeps no process alive.
 * **Not for** bounding work that has nothing to share: see `Semaphore`.
 * **Source** Go's `database/sql`; what its peers got wrong, such as creating for ever against a dead server.
 *
 * @example
 * let opened = 0;
 * const pool = new ResourcePool({ create: () => ++opened, max: 2 });
 * const used = await Promise.all([1, 2, 3, 4].map(() => pool.use((connection) => connection)));
 * await pool.drain();
 * [used, opened]; //=> [[1, 2, 1, 2], 2]
 */
export class ResourcePool<R> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #resource: Resource | undefined;
  readonly #stock: Stock<R>;
  readonly #leaks: LeaseWatch | undefined;
  readonly #name: string;
  #state: "open" | "closed" = "open";

  constructor(options: ResourcePoolOptions<R>) {
    const limits = limitsOf(options);
    this.#leaks = options.leaks;
    this.#name = options.name ?? "pool";
    this.#resource = observe(this.#runtime, "pool", options.name, limits.max);
    this.#stock = new Stock(this.#runtime, this.#resource, options, limits);
  }

  /** How many resources there are, in whatever state. */
  get size(): number {
    return this.stats.size;
  }

  /** How many are there for the taking. */
  get idle(): number {
    return this.stats.idle;
  }

  /** How many are lent. */
  get active(): number {
    return this.stats.active;
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.stats.waiting;
  }

  /** How many have been made so far. */
  get created(): number {
    return this.stats.created;
  }

  /** All of these numbers, and more, at one moment. */
  get stats(): ResourcePoolStats {
    return this.#stock.stats;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /**
   * Borrows a resource: an idle one, a new one if there are fewer than `max`, or the next that comes back.
   *
   * **Errors** Rejects with the error of `create`; with a `TimeoutError` after `acquireTimeoutMs`, or if what was made for
   * it took longer than `createTimeoutMs`; with a `FullError` if all are in use and `capacity` callers wait; with a
   * `ClosedError` if the pool is closed, or is closed meanwhile.
   */
  acquire(options?: CancelOptions): Promise<Lease<R>> {
    const watched = this.#leaks?.note(this.#name);
    return this.#resource === undefined ? this.#acquire(options, watched) : this.#begun(options, watched);
  }

  /**
   * Borrows an idle resource, if there is one and nobody waits. Makes none and checks none, as both take time.
   *
   * **Errors** Throws `ClosedError` if the pool is closed.
   */
  tryAcquire(): Lease<R> | undefined {
    if (this.#state === "closed") throw closedError();
    return this.#stock.lendIdle(this.#leaks?.note(this.#name));
  }

  /**
   * Calls `work` with a resource and gives it back, however that ends. If the resource is broken, `lease.discard()`.
   *
   * **Cancellation** `options` gives up the wait for the resource. It does not stop the work.
   */
  use<T>(work: (resource: R, lease: Lease<R>) => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    requireFunction("work", work);
    return useLease(this.acquire(options), work);
  }

  /**
   * Makes `min` resources, if there are fewer, and waits for all that are being made.
   *
   * **Errors** Rejects with the error of a `create` that fails; also with that of the last one, while the pool pauses
   * after it.
   */
  async ready(options?: CancelOptions): Promise<void> {
    await (rejectIfCancelled(options) ?? this.#rejectIfClosed());
    const failure = this.#stock.fill();
    if (failure !== undefined) await rejected(failure.error);
    await Promise.all(this.#stock.makings.all.map((made) => made.wait(options)));
  }

  /**
   * Changes how many resources there are. More serve those who wait. Fewer take nothing away from anybody: what is idle
   * is destroyed, and what is lent, once it comes back.
   *
   * **Errors** `RangeError` for numbers that the constructor would refuse; `ClosedError` if the pool is closed.
   */
  resize({ max, min }: ResourcePoolSize): void {
    if (this.#state === "closed") throw closedError();
    const before = this.#stock.limits;
    requireInteger("max", max, 1);
    const least = requireInteger("min", min ?? Math.min(before.min, max), 0, max);
    this.#stock.resize({ ...before, max, min: least });
  }

  /**
   * Lends no more: those who wait fail with `ClosedError`, and what is idle is destroyed; what is lent, once it comes
   * back. Closing it again does nothing.
   */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    this.#stock.close(closedError());
  }

  /**
   * Closes, and waits until every resource has come back and is destroyed. With `forceAfterMs`, what has not come back by
   * then is taken away: its lease ends as if it had been discarded, with a `TimeoutError` as the reason.
   *
   * **Cancellation** A caller who is cancelled leaves; then nothing is taken away for them.
   */
  drain(options: ResourcePoolDrainOptions = {}): Promise<void> {
    durationOf(options, "forceAfterMs");
    this.close();
    return untilDrained(this.#runtime, this.#stock, options);
  }

  /** The same as {@link ResourcePool.drain}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  /** As an acquire is begun where there is a scheduler. Apart, for the reason for which `completedLater` is. */
  #begun(options: CancelOptions | undefined, watched: WatchedLease | undefined): Promise<Lease<R>> {
    return begin(this.#runtime, () => this.#acquire(options, watched));
  }

  #acquire(options: CancelOptions | undefined, watched: WatchedLease | undefined): Promise<Lease<R>> {
    const refused = rejectIfCancelled(options) ?? this.#rejectIfClosed();
    if (refused !== undefined) return refused;
    this.#stock.fill();
    return this.#stock.acquire(options, watched);
  }

  #rejectIfClosed(): Promise<never> | undefined {
    return this.#state === "closed" ? Promise.reject(closedError()) : undefined;
  }
}

function rejected(error: unknown): Promise<never> {
  return Promise.reject(error);
}

function closedError(): ClosedError {
  return new ClosedError("resource pool is closed");
}
