/**
 * A pool for each key: each host, each tenant, each database.
 *
 * Invariants
 *   I1  There is a tenant for each key that has a resource or somebody who waits, and for no more than `max` others:
 *       those that pause after a failure of `create`.
 *   I2  Once closed and drained, there is none.
 */
import { requireFunction, requireInteger } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError } from "../../core/errors.ts";
import { begin, observe, type Resource } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { Context } from "../../sync/context.ts";
import { untilDrained } from "./drained.ts";
import { type Lease, useLease } from "./lease.ts";
import {
  durationOf,
  limitsOf,
  type ResourcePoolDrainOptions,
  type PoolLimits,
  type ResourceCareOptions,
  type ResourcePoolStats,
} from "./options.ts";
import type { Share } from "./share.ts";
import { SharedPlaces, Tenant } from "./shared-places.ts";
import { Stock } from "./stock.ts";

/** How a keyed pool makes, keeps and ends its resources: as a `ResourcePool` does, but for what is said here. */
export interface KeyedResourcePoolOptions<K, R> extends ResourceCareOptions<R> {
  /** Makes a resource of a key; see `ResourcePoolOptions.create`. */
  create(key: K, ctx: Context): R | PromiseLike<R>;
  /** How many resources there are at most, of all keys and in whatever state: at least 1. */
  readonly max: number;
  /** How many resources of one key there are at most: from 1 to `max`, the default. */
  readonly maxPerKey?: number | undefined;
  /** How many callers may wait, of all keys, when nothing can be made for them: at least 0; default 1000. */
  readonly capacity?: number | undefined;
}

/** What a keyed pool has and has done, for all keys together. */
export interface KeyedResourcePoolStats extends ResourcePoolStats {
  /** How many keys have a resource, or somebody who waits for one. */
  readonly keys: number;
}

/**
 * A pool of resources for each key, with a bound for each and one for all.
 *
 * **Guarantees** There are never more than `max` resources, nor more than `maxPerKey` of a key, counting those that are
 * being made or destroyed. The callers of a key are served first come, first served; keys that need more than there is get
 * places in turn, a key that has nothing before one that has something. If all places are taken, what has been idle for
 * longest goes for another key; and if a key has nothing, also what comes back goes for it. So no key keeps another from
 * its first resource. A key is forgotten when it has nothing and nobody waits.
 * **Cancellation** A caller who leaves takes nothing.
 * **Errors** As those of `ResourcePool`, each key for itself: a dead host fails its own callers, and its pauses are its
 * own. Such a pause is remembered of no more than `max` keys that have nothing.
 * **Cost** That of a `ResourcePool`, and a few numbers more. A look at each key that has a resource when one must go for
 * another key, and when a caller may be refused.
 * **Not for** more keys in use at a time than `max`: each use then ends one resource and makes another.
 * **Source** The connection limits of browsers: some for each host, and some for all.
 *
 * @example
 * const pool = new KeyedResourcePool({ create: (host: string) => `socket to ${host}`, max: 3, maxPerKey: 2 });
 * const used = await Promise.all(["a", "a", "a", "b"].map((host) => pool.use(host, (socket) => socket)));
 * const { keys, size } = pool.stats;
 * await pool.drain();
 * [used[3], keys, size]; //=> ["socket to b", 2, 3]
 */
export class KeyedResourcePool<K, R> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #options: KeyedResourcePoolOptions<K, R>;
  readonly #limits: PoolLimits;
  readonly #name: string;
  readonly #max: number;
  readonly #resource: Resource | undefined;
  readonly #drained: Deferred<void>;
  readonly #places: SharedPlaces<R>;
  readonly #tenants = new Map<K, Tenant<R>>();
  /** Those that have nothing and pause, by how long ago they were used. */
  readonly #resting = new Map<Tenant<R>, K>();
  readonly #past = { created: 0, destroyed: 0, failed: 0 };
  #state: "open" | "closed" = "open";

  constructor(options: KeyedResourcePoolOptions<K, R>) {
    this.#max = requireInteger("max", options.max, 1);
    const maxPerKey = requireInteger("maxPerKey", options.maxPerKey ?? this.#max, 1, this.#max);
    this.#limits = limitsOf<R>({ ...options, min: 0, max: maxPerKey });
    this.#options = options;
    this.#name = options.name ?? "pool";
    this.#resource = observe(this.#runtime, "pool", options.name, this.#max);
    this.#drained = new Deferred(this.#runtime, "drain", this.#resource);
    this.#places = new SharedPlaces(this.#max);
  }

  /** All numbers at one moment: those of all keys together, also of keys that have been forgotten. */
  get stats(): KeyedResourcePoolStats {
    const sum = { size: 0, idle: 0, active: 0, waiting: 0, ...this.#past };
    for (const { stock } of this.#tenants.values()) addTo(sum, stock.stats);
    return { ...sum, keys: this.#tenants.size - this.#resting.size };
  }

  /** The numbers of one key, since it was last forgotten; undefined if it is. */
  statsOf(key: K): ResourcePoolStats | undefined {
    return this.#tenants.get(key)?.stock.stats;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Borrows a resource of a key; see `ResourcePool.acquire`. */
  acquire(key: K, options?: CancelOptions): Promise<Lease<R>> {
    const watched = this.#options.leaks?.note(this.#name);
    return begin(this.#runtime, () => {
      const refused = rejectIfCancelled(options) ?? this.#rejectIfClosed();
      if (refused !== undefined) return refused;
      const tenant = this.#tenantOf(key);
      const lease = tenant.stock.acquire(options, watched);
      // It was refused: the tenant is none.
      if (tenant.vacant) tenant.tend();
      return lease;
    });
  }

  /** Borrows an idle resource of a key, if there is one and nobody waits for it. Makes none and checks none. */
  tryAcquire(key: K): Lease<R> | undefined {
    if (this.#state === "closed") throw closedError();
    return this.#tenants.get(key)?.stock.lendIdle(this.#options.leaks?.note(this.#name));
  }

  /**
   * Calls `work` with a resource of a key and gives it back, however that ends. If the resource is broken,
   * `lease.discard()`.
   *
   * **Cancellation** `options` gives up the wait for the resource. It does not stop the work.
   */
  use<T>(
    key: K,
    work: (resource: R, lease: Lease<R>) => T | PromiseLike<T>,
    options?: CancelOptions,
  ): Promise<T> {
    requireFunction("work", work);
    return useLease(this.acquire(key, options), work);
  }

  /** Lends no more, of no key; see `ResourcePool.close`. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#resource?.emit({ k: "res.close", r: this.#resource.id });
    this.#places.close();
    for (const { stock } of this.#tenants.values()) stock.close(closedError());
    this.#settleIfEmpty();
  }

  /** Closes, and waits until every resource has come back and is destroyed; see `ResourcePool.drain`. */
  drain(options: ResourcePoolDrainOptions = {}): Promise<void> {
    durationOf(options, "forceAfterMs");
    this.close();
    const revoke = (cause: unknown): void => {
      for (const { stock } of this.#tenants.values()) stock.revoke(cause);
    };
    return untilDrained(this.#runtime, { drained: this.#drained, revoke }, options);
  }

  /** The same as {@link KeyedResourcePool.drain}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  /** That of a key, from now on in use. */
  #tenantOf(key: K): Tenant<R> {
    const known = this.#tenants.get(key);
    if (known !== undefined) this.#resting.delete(known);
    if (known !== undefined) return known;
    const stockWith = (share: Share): Stock<R> => this.#stock(key, share);
    const tenant = new Tenant(this.#places, stockWith, (vacated) => this.#vacated(key, vacated));
    this.#tenants.set(key, tenant);
    return tenant;
  }

  #stock(key: K, share: Share): Stock<R> {
    const name = `${this.#name} ${String(key)}`;
    const resource = observe(this.#runtime, "pool", name, this.#limits.max);
    const create = (ctx: Context): R | PromiseLike<R> => this.#options.create(key, ctx);
    return new Stock(this.#runtime, resource, { ...this.#options, create, name }, this.#limits, share);
  }

  /** It is forgotten, unless it is to be remembered that nothing is to be made now. */
  #vacated(key: K, tenant: Tenant<R>): void {
    this.#resting.delete(tenant);
    if (this.#state === "closed" || !tenant.stock.hopeless) return this.#forget(key, tenant);
    this.#resting.set(tenant, key);
    if (this.#resting.size <= this.#max) return;
    for (const [oldest, itsKey] of this.#resting) return this.#forget(itsKey, oldest);
  }

  #forget(key: K, tenant: Tenant<R>): void {
    this.#resting.delete(tenant);
    if (this.#tenants.get(key) !== tenant) return;
    this.#tenants.delete(key);
    addTo(this.#past, tenant.stock.stats);
    this.#settleIfEmpty();
  }

  #settleIfEmpty(): void {
    if (this.#state === "closed" && this.#tenants.size === 0)
      this.#drained.settle({ ok: true, value: undefined });
  }

  #rejectIfClosed(): Promise<never> | undefined {
    return this.#state === "closed" ? Promise.reject(closedError()) : undefined;
  }
}

function closedError(): ClosedError {
  return new ClosedError("resource pool is closed");
}

/** Adds those numbers that `sum` has. */
function addTo(sum: Partial<Record<keyof ResourcePoolStats, number>>, stats: ResourcePoolStats): void {
  for (const name of Object.keys(sum) as (keyof ResourcePoolStats)[])
    sum[name] = (sum[name] ?? 0) + stats[name];
}
