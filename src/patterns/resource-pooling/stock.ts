/**
 * The inside of a pool: what there is of resources, and who gets which.
 *
 * Invariants
 *   I1  idle + active <= size <= max. The difference to `size` is what is being made, checked, reset or destroyed. Only
 *       after `resize` may there be more than `max`, until enough have come back.
 *   I2  Somebody waits only while nothing is idle, or as many are being checked for them.
 *   I3  At least as many are coming as wait, unless `max`, a pause after a failure or the lack of a place that is shared
 *       with others forbids it.
 *   I4  A timer is set only while one is idle that may go, or somebody waits for the end of a pause.
 *   I5  Once closed, nobody waits, nothing is idle, no timer is set, and nothing more is made. Once drained, `size` is 0.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { FullError } from "../../core/errors.ts";
import { completed } from "../../core/fairness.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { background, type CancelableContext, withCancel } from "../../sync/context.ts";
import { Backoff } from "./backoff.ts";
import { Callers } from "./callers.ts";
import { Entry } from "./entry.ts";
import { Factory } from "./factory.ts";
import { IdleShelf } from "./idle-shelf.ts";
import type { Lease, Refusal, Return } from "./lease.ts";
import { Loans } from "./loans.ts";
import { Makings } from "./makings.ts";
import type { PoolLimits, ResourcePoolStats, ResourcePoolOptions, WatchedLease } from "./options.ts";
import type { Share, Tally } from "./share.ts";
import { Wear } from "./wear.ts";

export class Stock<R> {
  readonly drained: Deferred<void>;
  readonly makings: Makings<R>;
  limits: PoolLimits;
  readonly #runtime: Runtime;
  readonly #factory: Factory<R>;
  readonly #share: Share | undefined;
  readonly #backoff: Backoff | undefined;
  readonly #wear: Wear;
  readonly #scope: CancelableContext = withCancel(background);
  readonly #waiters: Callers<R>;
  readonly #idle: IdleShelf<R>;
  readonly #loans: Loans<R>;
  #ending = 0;
  #size = 0;
  readonly #counts = { created: 0, destroyed: 0, failed: 0 };
  #state: "open" | "closed" = "open";
  #serving = false;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: ResourcePoolOptions<R>,
    limits: PoolLimits,
    share?: Share,
  ) {
    this.#runtime = runtime;
    this.limits = limits;
    this.#share = share;
    this.#factory = new Factory(runtime, options, options.name ?? "pool", share?.context);
    this.makings = new Makings(runtime, resource, this.#factory, {
      made: (value) => this.#accept(this.#newEntry(value)),
      failed: (error) => this.#failWaiter(error),
      gone: () => this.#size--,
      changed: () => this.#serve(),
    });
    const patience = { timeoutMs: limits.acquireTimeoutMs, left: () => this.#serve() };
    this.#waiters = new Callers(runtime, resource, patience);
    this.#loans = new Loans(resource, (entry, end) => this.#takeBack(entry, end));
    this.drained = new Deferred(runtime, "drain", resource);
    this.#wear = new Wear(runtime, limits);
    this.#idle = new IdleShelf(runtime.clock, limits, share !== undefined, {
      maySpare: () => this.#kept > this.limits.min,
      end: (entry) => this.#destroy(entry),
    });
    if (options.backoff !== undefined)
      this.#backoff = new Backoff(runtime.clock, options.backoff, () => this.#serve());
  }

  get stats(): ResourcePoolStats {
    return {
      size: this.#size,
      idle: this.#idle.size,
      active: this.#loans.size,
      waiting: this.#waiters.size,
      ...this.#counts,
    };
  }

  /** Lends one, now or when it can. */
  acquire(options: CancelOptions | undefined, watched: WatchedLease | undefined): Promise<Lease<R>> {
    const lease = this.#factory.checks ? undefined : this.lendIdle(watched);
    if (lease !== undefined) return completed(this.#runtime, lease);
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal.error);
    const waited = this.#waiters.push(options, watched);
    this.#serve();
    return waited;
  }

  /** Lends one that is idle, if there is one and nobody waits. */
  lendIdle(watched: WatchedLease | undefined): Lease<R> | undefined {
    if (this.#waiters.size > 0) return undefined;
    while (this.#idle.size > 0) {
      const entry = this.#idle.shift();
      if (!this.#wear.isOver(entry))
        return this.#loans.lend(entry, this.#runtime.scheduler?.current, watched);
      this.#destroy(entry);
    }
    return undefined;
  }

  /** Why one more need not wait, if that is so: nothing can come, or there is no room to wait. */
  #refusal(): Refusal | undefined {
    if (this.hopeless) return { error: this.#backoff?.error };
    if (this.#idle.size > 0) return undefined;
    if ((this.#share?.unserved ?? this.#unserved) < this.limits.capacity) return undefined;
    if (this.#size < this.limits.max && this.#share?.spare !== false) return undefined;
    const text = `resource pool is full: ${this.#size} in use and ${this.#waiters.size} wait`;
    return { error: new FullError(text) };
  }

  /** Makes what is missing to `min`. Says why it cannot, while it pauses. */
  fill(): Refusal | undefined {
    while (this.#size < this.limits.min) {
      if (!this.#mayMake) return { error: this.#backoff?.error };
      this.make();
    }
    return undefined;
  }

  /** Makes one more. */
  make(): void {
    this.#size++;
    this.makings.begin(this.#scope.ctx);
  }

  /** What those need to know with whom it shares places. */
  get tally(): Tally {
    const missing = Math.min(this.#unserved, this.limits.max - this.#size);
    return {
      size: this.#size,
      ending: this.#ending,
      unserved: this.#unserved,
      idleSinceMs: this.#idle.oldest?.idleSinceMs,
      missing: missing > 0 && this.#mayMake ? missing : 0,
    };
  }

  /** Destroys the one that has been idle for longest: there is one. */
  evict(): void {
    this.#destroy(this.#idle.takeOldest());
    this.#serve();
  }

  resize(limits: PoolLimits): void {
    this.limits = limits;
    while (this.#idle.size > 0 && this.#isSurplus()) this.#destroy(this.#idle.takeOldest());
    this.#serve();
  }

  /** Lends no more. */
  close(error: Error): void {
    this.#state = "closed";
    while (this.#waiters.size > 0) this.#waiters.failFirst(error);
    while (this.#idle.size > 0) this.#destroy(this.#idle.shift());
    this.#scope.cancel(error);
    this.#backoff?.await(false);
    this.#serve();
  }

  /** Takes away what is lent. */
  revoke(cause: unknown): void {
    this.#loans.revoke(cause);
  }

  /** Whether there is no pause after a failure. */
  get #mayMake(): boolean {
    return this.#backoff?.pausing !== true;
  }

  /** For how many of those who wait nothing is coming. */
  get #unserved(): number {
    return this.#waiters.size - this.#coming;
  }

  /** How many will be there for those who wait, unless something goes wrong. */
  get #coming(): number {
    return this.makings.size + this.#factory.checking + this.#factory.resetting;
  }

  /** Whether a waiter would wait for nothing: none is left, and none may be made now. */
  get hopeless(): boolean {
    return this.#kept === 0 && !this.#mayMake;
  }

  /** Lets go on whatever can: hands out what is idle, and makes more, as long as somebody waits for it. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (
      this.#idle.size > 0 &&
      this.#factory.checking < this.#waiters.size &&
      this.#waiters.next !== undefined
    ) {
      this.#offer(this.#idle.shift());
    }
    if (this.#state === "open") this.#makeForWaiters();
    else if (this.#size === 0) this.drained.settle(DONE);
    this.#idle.tend();
    this.#serving = false;
    this.#share?.tend();
  }

  /** Where places are shared, it is told when to make one. */
  #makeForWaiters(): void {
    while (this.#share === undefined && this.#lacks && this.#mayMake) this.make();
    this.#backoff?.await(this.#lacks && !this.#mayMake);
  }

  /** Whether one more is wanted, and allowed. */
  get #lacks(): boolean {
    return this.#size < this.limits.max && this.#unserved > 0;
  }

  /** Fails one who waits in vain, if there is one. That a create gives up when it is told to is no error. */
  #failWaiter(error: unknown): void {
    if (this.#state === "closed" && error === this.#scope.ctx.cause) return;
    this.#counts.failed++;
    this.#backoff?.failed(error);
    if (this.#coming >= this.#waiters.size) return this.#factory.report(error, "create");
    this.#waiters.failFirst(error);
    while (this.#waiters.size > 0 && this.hopeless) this.#waiters.failFirst(error);
  }

  #newEntry(value: R): Entry<R> {
    this.#backoff?.succeeded();
    return new Entry(++this.#counts.created, value, this.#wear.endMs(), this.#loans);
  }

  /** Hands out an idle one, if it is still good. */
  #offer(entry: Entry<R>): void {
    if (this.#wear.isOver(entry)) return this.#destroy(entry);
    if (!this.#factory.checks) return this.#accept(entry);
    this.#factory.check(entry.value, (valid) => {
      if (valid) this.#accept(entry);
      else this.#destroy(entry);
      this.#serve();
    });
  }

  /** Gives one that is good to whoever needs it. */
  #accept(entry: Entry<R>): void {
    const waiter = this.#waiters.next;
    if (this.#state === "closed" || this.#isSurplus()) this.#destroy(entry);
    else if (waiter === undefined) this.#idle.push(entry);
    else waiter.grant(this.#loans.lend(entry, waiter.task, waiter.watched));
  }

  #takeBack(entry: Entry<R>, end: Return): void {
    if (end.how === "discard") this.#destroy(entry, end.cause);
    else if (this.#state === "closed" || this.#wear.isOver(entry) || this.#isSurplus()) this.#destroy(entry);
    else if (this.#share?.claimed === true) this.#destroy(entry);
    else if (this.#factory.resets) this.#reset(entry);
    else if (this.#factory.checks) this.#idle.push(entry);
    else this.#accept(entry);
    this.#serve();
  }

  #reset(entry: Entry<R>): void {
    this.#factory.reset(entry.value, (clean) => {
      if (clean && this.#state === "open" && !this.#isSurplus()) this.#idle.push(entry);
      else this.#destroy(entry);
      this.#serve();
    });
  }

  /** How many there are, but for those that are on their way out. */
  get #kept(): number {
    return this.#size - this.#ending;
  }

  #isSurplus(): boolean {
    return this.#kept > this.limits.max;
  }

  /** Its place is free for another once it is really gone. */
  #destroy(entry: Entry<R>, cause?: unknown): void {
    this.#ending++;
    this.#factory.destroy(entry.value, cause, () => {
      this.#ending--;
      this.#size--;
      this.#counts.destroyed++;
      this.#serve();
    });
  }
}

const DONE = { ok: true, value: undefined } as const;
