/**
 * The inside of a pool: what there is of resources, and who gets which.
 *
 * Invariants
 *   I1  idle + active <= size <= max. The difference to `size` is what is being made, checked, reset or destroyed. Only
 *       after `resize` may there be more than `max`, until enough have come back.
 *   I2  Somebody waits only while nothing is idle, or as many are being checked for them.
 *   I3  At least as many are coming as wait, unless `max` or a pause after a failure forbids it.
 *   I4  A timer is set only while one is idle that may go, or somebody waits for the end of a pause.
 *   I5  Once closed, nobody waits, nothing is idle, no timer is set, and nothing more is made. Once drained, `size` is 0.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { FullError } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { background, type CancelableContext, withCancel } from "../../sync/context.ts";
import { Backoff } from "./backoff.ts";
import { Factory } from "./factory.ts";
import { IdleLimit } from "./idle-limit.ts";
import { type Lease, LeaseWaiter, type Refusal, type Return } from "./lease.ts";
import { Loans } from "./loans.ts";
import type { PoolLimits, ResourcePoolStats, ResourcePoolOptions, WatchedLease } from "./options.ts";
import { type Entry, newShelf, type Shelf } from "./shelf.ts";
import { Wear } from "./wear.ts";

export class Stock<R> {
  readonly drained: Deferred<void>;
  limits: PoolLimits;
  readonly #runtime: Runtime;
  readonly #resource: Resource | undefined;
  readonly #factory: Factory<R>;
  readonly #backoff: Backoff | undefined;
  readonly #wear: Wear;
  readonly #idleLimit: IdleLimit<R> | undefined;
  readonly #scope: CancelableContext = withCancel(background);
  readonly #waiters = new WaiterQueue<LeaseWaiter<R>>();
  readonly #idle: Shelf<R>;
  readonly #making = new Set<Deferred<void>>();
  readonly #loans: Loans<R>;
  #checking = 0;
  #resetting = 0;
  #ending = 0;
  #size = 0;
  #created = 0;
  #destroyed = 0;
  #failed = 0;
  #state: "open" | "closed" = "open";
  #serving = false;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: ResourcePoolOptions<R>,
    limits: PoolLimits,
  ) {
    this.#runtime = runtime;
    this.#resource = resource;
    this.limits = limits;
    this.#idle = newShelf(limits.order);
    this.#factory = new Factory(runtime, options, options.name ?? "pool");
    this.#loans = new Loans(resource, (entry, end) => this.#takeBack(entry, end));
    this.drained = new Deferred(runtime, "drain", resource);
    this.#wear = new Wear(runtime, limits);
    const owner = {
      maySpare: (): boolean => this.#kept > this.limits.min,
      end: (entry: Entry<R>): void => this.#destroy(entry),
    };
    if (limits.idleTimeoutMs !== Number.POSITIVE_INFINITY)
      this.#idleLimit = new IdleLimit(runtime.clock, limits.idleTimeoutMs, this.#idle, owner);
    if (options.backoff !== undefined)
      this.#backoff = new Backoff(runtime.clock, options.backoff, () => this.#serve());
  }

  get stats(): ResourcePoolStats {
    return {
      size: this.#size,
      idle: this.#idle.size,
      active: this.#loans.size,
      waiting: this.#waiters.size,
      created: this.#created,
      destroyed: this.#destroyed,
      failed: this.#failed,
    };
  }

  /** Whether nothing may be lent unchecked. */
  get checks(): boolean {
    return this.#factory.checks;
  }

  /** Lends one that is idle, if there is one and nobody waits. */
  lendIdle(watched: WatchedLease | undefined): Lease<R> | undefined {
    if (this.#waiters.size > 0) return undefined;
    while (this.#idle.size > 0) {
      const entry = this.#idle.shift();
      this.#idleLimit?.tend();
      if (!this.#wear.isOver(entry))
        return this.#loans.lend(entry, { task: this.#runtime.scheduler?.current, watched });
      this.#destroy(entry);
    }
    return undefined;
  }

  /** Why one more need not wait, if that is so: nothing can come, or there is no room to wait. */
  refusal(): Refusal | undefined {
    if (this.#isHopeless()) return { error: this.#backoff?.error };
    if (this.#idle.size > 0 || this.#size < this.limits.max) return undefined;
    if (this.#waiters.size - this.#coming < this.limits.capacity) return undefined;
    const text = `resource pool is full: ${this.#size} in use and ${this.#waiters.size} wait`;
    return { error: new FullError(text) };
  }

  wait(options: CancelOptions | undefined, watched: WatchedLease | undefined): Promise<Lease<R>> {
    const patience = { timeoutMs: this.limits.acquireTimeoutMs, left: () => this.#serve() };
    const waiter = new LeaseWaiter<R>(this.#runtime, this.#resource, options, patience, watched);
    this.#waiters.push(waiter);
    this.#serve();
    return waiter.promise;
  }

  /** Makes what is missing to `min`. Says why it cannot, while it pauses. */
  fill(): Refusal | undefined {
    while (this.#size < this.limits.min) {
      if (this.#backoff?.pausing === true) return { error: this.#backoff.error };
      this.#make();
    }
    return undefined;
  }

  /** What is being made now. */
  get making(): readonly Deferred<void>[] {
    return [...this.#making];
  }

  resize(limits: PoolLimits): void {
    this.limits = limits;
    while (this.#idle.size > 0 && this.#isSurplus()) this.#destroy(this.#idle.takeOldest());
    this.#serve();
  }

  /** Lends no more. */
  close(error: Error): void {
    this.#state = "closed";
    for (let waiter = this.#waiters.first; waiter !== undefined; waiter = this.#waiters.first)
      waiter.fail(error);
    while (this.#idle.size > 0) this.#destroy(this.#idle.shift());
    this.#scope.cancel(error);
    this.#backoff?.await(false);
    this.#serve();
  }

  /** Takes away what is lent. */
  revoke(cause: unknown): void {
    this.#loans.revoke(cause);
  }

  /** How many will be there for those who wait, unless something goes wrong. */
  get #coming(): number {
    return this.#making.size + this.#checking + this.#resetting;
  }

  /** Whether a waiter would wait for nothing: none is left, and none may be made now. */
  #isHopeless(): boolean {
    return this.#kept === 0 && this.#backoff?.pausing === true;
  }

  /** Lets go on whatever can: hands out what is idle, and makes more, as long as somebody waits for it. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#idle.size > 0 && this.#checking < this.#waiters.size && this.#nextWaiter() !== undefined) {
      this.#offer(this.#idle.shift());
    }
    if (this.#state === "open") this.#makeForWaiters();
    else if (this.#size === 0) this.drained.settle(DONE);
    this.#idleLimit?.tend();
    this.#serving = false;
  }

  #makeForWaiters(): void {
    const wanted = (): boolean => this.#coming < this.#waiters.size && this.#size < this.limits.max;
    while (wanted() && this.#backoff?.pausing !== true) this.#make();
    this.#backoff?.await(wanted());
  }

  /** Who is served next. One who is being cancelled will leave, and then those who wait are served again. */
  #nextWaiter(): LeaseWaiter<R> | undefined {
    const waiter = this.#waiters.first;
    return waiter?.givenUp === true ? undefined : waiter;
  }

  #make(): void {
    const made = new Deferred<void>(this.#runtime, "ready", this.#resource);
    let late: unknown;
    this.#making.add(made);
    this.#size++;
    this.#factory.create(this.#scope.ctx, {
      overdue: (error) => {
        late = error;
        this.#making.delete(made);
        this.#failWaiter(error, made);
        this.#serve();
      },
      settled: (outcome) => {
        this.#making.delete(made);
        if (outcome.ok) this.#accept(this.#newEntry(outcome.value));
        else this.#size--;
        if (outcome.ok) this.#backoff?.succeeded();
        else if (late === undefined) this.#failWaiter(outcome.error, made);
        else if (late !== outcome.error) this.#factory.report(outcome.error, "create");
        made.settle(DONE);
        this.#serve();
      },
    });
  }

  /** Fails one who waits in vain, if there is one. That a create gives up when it is told to is no error. */
  #failWaiter(error: unknown, made: Deferred<void>): void {
    made.settle({ ok: false, error });
    if (this.#state === "closed" && error === this.#scope.ctx.cause) return;
    this.#failed++;
    this.#backoff?.failed(error);
    if (this.#coming >= this.#waiters.size) return this.#factory.report(error, "create");
    this.#waiters.first?.fail(error);
    while (this.#waiters.first !== undefined && this.#isHopeless()) this.#waiters.first.fail(error);
  }

  #newEntry(value: R): Entry<R> {
    return { id: ++this.#created, value, expiresMs: this.#wear.endMs(), uses: 0, idleSinceMs: 0 };
  }

  /** Hands out an idle one, if it is still good. */
  #offer(entry: Entry<R>): void {
    if (this.#wear.isOver(entry)) return this.#destroy(entry);
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
    if (this.#state === "closed" || this.#isSurplus()) this.#destroy(entry);
    else if (waiter === undefined) this.#shelve(entry);
    else waiter.grant(this.#loans.lend(entry, waiter));
  }

  #takeBack(entry: Entry<R>, end: Return): void {
    if (end.how === "discard") this.#destroy(entry, end.cause);
    else if (this.#state === "closed" || this.#wear.isOver(entry) || this.#isSurplus()) this.#destroy(entry);
    else if (this.#factory.resets) this.#reset(entry);
    else this.#shelve(entry);
    this.#serve();
  }

  #reset(entry: Entry<R>): void {
    this.#resetting++;
    this.#factory.reset(entry.value, (clean) => {
      this.#resetting--;
      if (clean && this.#state === "open" && !this.#isSurplus()) this.#shelve(entry);
      else this.#destroy(entry);
      this.#serve();
    });
  }

  #shelve(entry: Entry<R>): void {
    this.#idleLimit?.begin(entry);
    this.#idle.push(entry);
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
      this.#destroyed++;
      this.#serve();
    });
  }
}

const DONE = { ok: true, value: undefined } as const;
