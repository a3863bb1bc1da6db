/**
 * Shares a bounded number of things that are costly to make.
 *
 * Invariants
 *   I1  idle + active <= size <= max. The difference to `size` is what is being made, checked or destroyed.
 *   I2  Somebody waits only while nothing is idle, or as many are being checked for them.
 *   I3  At least as many are being made or checked as wait, unless `max` forbids it.
 *   I4  Once closed, nobody waits, nothing is idle, and nothing more is made. Once drained, `size` is 0.
 */
import { requireFunction } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { ClosedError, FullError } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { background, type CancelableContext, withCancel } from "../sync/context.ts";
import { Factory } from "./resource-pooling/factory.ts";
import { Lease, LeaseWaiter, type Return } from "./resource-pooling/lease.ts";
import { limitsOf, type PoolLimits, type ResourcePoolOptions } from "./resource-pooling/options.ts";
import { type Entry, newShelf, type Shelf } from "./resource-pooling/shelf.ts";

export { Lease } from "./resource-pooling/lease.ts";
export type { PoolCallback, ResourcePoolOptions } from "./resource-pooling/options.ts";

/**
 * A pool of resources: connections, sessions, browsers.
 *
 * **Guarantees** There are never more than `max` resources, counting those that are being made or destroyed. Callers
 * are served first come, first served. Nothing is made before somebody needs it: the first `acquire`, or `ready`, makes
 * `min` of them; if they get fewer, the next `acquire` makes them up.
 * **Cancellation** A caller who leaves takes nothing. What is being made for them goes to the next who needs it.
 * **Errors** A `create` that fails rejects one caller: the one who has waited longest, unless enough others are being
 * made for all. It is not tried again for them, so a dead server sees one attempt a caller and no storm.
 * **Cost** O(1) to acquire, release and cancel. An idle pool has no timer.
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
  readonly #limits: PoolLimits;
  readonly #resource: Resource | undefined;
  readonly #factory: Factory<R>;
  readonly #scope: CancelableContext;
  readonly #waiters = new WaiterQueue<LeaseWaiter<R>>();
  readonly #idle: Shelf<R>;
  readonly #making = new Set<Deferred<void>>();
  readonly #drained: Deferred<void>;
  #checking = 0;
  #active = 0;
  #size = 0;
  #created = 0;
  #state: "open" | "closed" = "open";

  constructor(options: ResourcePoolOptions<R>) {
    this.#limits = limitsOf(options);
    this.#idle = newShelf(this.#limits.order);
    this.#resource = observe(this.#runtime, "pool", options.name, this.#limits.max);
    this.#factory = new Factory(this.#runtime, options, options.name ?? "pool");
    this.#scope = withCancel(background);
    this.#drained = new Deferred(this.#runtime, "drain", this.#resource);
  }

  /** How many resources there are, in whatever state. */
  get size(): number {
    return this.#size;
  }

  /** How many are there for the taking. */
  get idle(): number {
    return this.#idle.size;
  }

  /** How many are lent. */
  get active(): number {
    return this.#active;
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** How many have been made so far. */
  get created(): number {
    return this.#created;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /**
   * Borrows a resource: an idle one, a new one if there are fewer than `max`, or the next that comes back.
   *
   * **Errors** Rejects with the error of `create`; with a `TimeoutError` after `acquireTimeoutMs`; with a `FullError` if
   * all are in use and `capacity` callers wait; with a `ClosedError` if the pool is closed, or is closed meanwhile.
   */
  acquire(options?: CancelOptions): Promise<Lease<R>> {
    return begin(this.#runtime, () => {
      const refused = rejectIfCancelled(options) ?? this.#rejectIfClosed();
      if (refused !== undefined) return refused;
      this.#fill();
      const lease = this.#factory.checks ? undefined : this.tryAcquire();
      if (lease !== undefined) return completed(this.#runtime, lease);
      if (this.#isFull()) {
        const text = `resource pool is full: ${this.#size} in use and ${this.#waiters.size} wait`;
        return Promise.reject(new FullError(text));
      }
      const patience = { timeoutMs: this.#limits.acquireTimeoutMs, left: () => this.#serve() };
      const waiter = new LeaseWaiter<R>(this.#runtime, this.#resource, options, patience);
      this.#waiters.push(waiter);
      this.#serve();
      return waiter.promise;
    });
  }

  /**
   * Borrows an idle resource, if there is one and nobody waits. Makes none and checks none, as both take time.
   *
   * **Errors** Throws `ClosedError` if the pool is closed.
   */
  tryAcquire(): Lease<R> | undefined {
    if (this.#state === "closed") throw closedError();
    if (this.#idle.size === 0 || this.#waiters.size > 0) return undefined;
    return this.#lend(this.#idle.shift(), this.#runtime.scheduler?.current);
  }

  /**
   * Calls `work` with a resource and gives it back, however that ends. If the resource is broken, `lease.discard()`.
   *
   * **Cancellation** `options` gives up the wait for the resource. It does not stop the work.
   */
  use<T>(work: (resource: R, lease: Lease<R>) => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    requireFunction("work", work);
    return this.#use(work, options);
  }

  /** Makes `min` resources, if there are fewer, and waits for all that are being made. Rejects if one cannot be made. */
  async ready(options?: CancelOptions): Promise<void> {
    await (rejectIfCancelled(options) ?? this.#rejectIfClosed());
    this.#fill();
    await Promise.all([...this.#making].map((made) => made.wait(options)));
  }

  /**
   * Lends no more: those who wait fail with `ClosedError`, and what is idle is destroyed; what is lent, once it comes
   * back. Closing it again does nothing.
   */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    const error = closedError();
    for (let waiter = this.#waiters.first; waiter !== undefined; waiter = this.#waiters.first)
      waiter.fail(error);
    while (this.#idle.size > 0) this.#destroy(this.#idle.shift());
    this.#scope.cancel(error);
    this.#serve();
  }

  /** Closes, and waits until every resource has come back and is destroyed. A caller who is cancelled leaves. */
  drain(options?: CancelOptions): Promise<void> {
    this.close();
    return this.#drained.wait(options);
  }

  /** The same as {@link ResourcePool.drain}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #use<T>(
    work: (resource: R, lease: Lease<R>) => T | PromiseLike<T>,
    options: CancelOptions | undefined,
  ): Promise<T> {
    const lease = await this.acquire(options);
    try {
      return await work(lease.value, lease);
    } finally {
      lease.release();
    }
  }

  #rejectIfClosed(): Promise<never> | undefined {
    return this.#state === "closed" ? Promise.reject(closedError()) : undefined;
  }

  /** Whether there is nothing to be had for one more, and no room to wait. */
  #isFull(): boolean {
    if (this.#idle.size > 0 || this.#size < this.#limits.max) return false;
    return this.#waiters.size - this.#making.size - this.#checking >= this.#limits.capacity;
  }

  #fill(): void {
    while (this.#size < this.#limits.min) this.#make();
  }

  /** Lets go on whatever can: hands out what is idle, and makes more, as long as somebody waits for it. */
  #serve(): void {
    while (this.#idle.size > 0 && this.#checking < this.#waiters.size && this.#nextWaiter() !== undefined) {
      this.#offer(this.#idle.shift());
    }
    if (this.#state === "open") {
      while (this.#making.size + this.#checking < this.#waiters.size && this.#size < this.#limits.max)
        this.#make();
    } else if (this.#size === 0) this.#drained.settle(DONE);
  }

  /** Who is served next. One who is being cancelled will leave, and then those who wait are served again. */
  #nextWaiter(): LeaseWaiter<R> | undefined {
    const waiter = this.#waiters.first;
    return waiter?.givenUp === true ? undefined : waiter;
  }

  #make(): void {
    const made = new Deferred<void>(this.#runtime, "ready", this.#resource);
    this.#making.add(made);
    this.#size++;
    this.#factory.create(this.#scope.ctx, (outcome) => {
      this.#making.delete(made);
      if (outcome.ok) this.#accept({ id: ++this.#created, value: outcome.value });
      else this.#failed(outcome.error);
      made.settle(outcome.ok ? DONE : outcome);
      this.#serve();
    });
  }

  /** Fails one who waits in vain, if there is one. That a create gives up when it is told to is no error. */
  #failed(error: unknown): void {
    this.#size--;
    const inVain = this.#making.size + this.#checking < this.#waiters.size;
    if (inVain) this.#waiters.first?.fail(error);
    else if (error !== this.#scope.ctx.cause) this.#factory.report(error, "create");
  }

  /** Hands out an idle one, if it is still good. */
  #offer(entry: Entry<R>): void {
    if (!this.#factory.checks) return this.#accept(entry);
    this.#checking++;
    this.#factory.check(entry.value, (valid) => {
      this.#checking--;
      if (valid) this.#accept(entry);
      else this.#destroy(entry);
      this.#serve();
    });
  }

  /** Gives one that is good to whoever needs it. */
  #accept(entry: Entry<R>): void {
    const waiter = this.#nextWaiter();
    if (this.#state === "closed") this.#destroy(entry);
    else if (waiter === undefined) this.#idle.push(entry);
    else waiter.grant(this.#lend(entry, waiter.task));
  }

  #lend(entry: Entry<R>, task: TaskRecord | undefined): Lease<R> {
    const item = { r: this.#resource?.id ?? 0, units: 1, item: entry.id };
    this.#active++;
    this.#resource?.emit({ k: "hold", ...item }, task?.id);
    return new Lease(entry.value, (how) => {
      this.#active--;
      this.#resource?.emit({ k: "free", ...item });
      this.#takeBack(entry, how);
    });
  }

  #takeBack(entry: Entry<R>, end: Return): void {
    if (end.how === "discard") this.#destroy(entry, end.cause);
    else if (this.#state === "closed") this.#destroy(entry);
    else this.#idle.push(entry);
    this.#serve();
  }

  /** Its place is free for another once it is really gone. */
  #destroy(entry: Entry<R>, cause?: unknown): void {
    this.#factory.destroy(entry.value, cause, () => {
      this.#size--;
      this.#serve();
    });
  }
}

const DONE = { ok: true, value: undefined } as const;

function closedError(): ClosedError {
  return new ClosedError("resource pool is closed");
}
