/**
 * Keeps what a flight gave, for a while.
 *
 * Invariants
 *   I1  At most `capacity` values are kept, in the order of their use: the one that was not used for longest is the first.
 *   I2  An error is never kept. A value whose load was under way when its key was deleted is not kept.
 *   I3  At most one load a key is under way that may still be kept, and at most one refresh a key.
 */
import { requireDuration, requireFunction, requireInteger } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { completed } from "../../core/fairness.ts";
import { begin } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, spawnTask } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { background, type CancelableContext, type Context, withCancel } from "../../sync/context.ts";
import { type Flight, SingleFlight } from "./flights.ts";

/** For how long a {@link LoadingCache} keeps what, and how much. */
export interface LoadingCacheOptions<K> {
  /** For how long a value is fresh, in milliseconds: 0 or more; `Infinity` for ever. */
  readonly ttlMs: number;
  /** How many values are kept: at least 1; default 1000. Beyond that, the one that was not used for longest goes. */
  readonly capacity?: number | undefined;
  /** For how long after that a value is still given, at once, while a new one is loaded; default 0. */
  readonly staleWhileRevalidateMs?: number | undefined;
  /** For how long after `ttlMs` a value is given if a new one cannot be loaded; default 0. */
  readonly staleIfErrorMs?: number | undefined;
  /**
   * Takes what a load threw, once, if a stale value hid it, and the key. Required with the two above, so that no failure
   * gets lost. What this throws becomes an uncaught exception of the host.
   */
  readonly onError?: ((error: unknown, key: K) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** Loads the value of a key. Its context ends when nobody waits for it any more. */
export type CacheLoader<K, V> = (key: K, ctx: Context) => V | PromiseLike<V>;

/** How a load ended; the same object for all who waited for it. */
interface Loaded<V> {
  readonly outcome: Outcome<V>;
  /** Whether `onError` has been told. */
  told: boolean;
}

interface Entry<V> {
  readonly value: V;
  readonly loadedMs: number;
}

/**
 * A cache that loads what it does not have, once for all who ask at the same time.
 *
 * **Guarantees** Failures are not kept: the next call tries again. A value is kept before any caller goes on with it. What
 * a load that began before {@link LoadingCache.delete} gives goes to those who wait for it, and is not kept.
 * **Units and ranges** `key`: any value, compared as a `Map` does. Age is counted from the end of the load.
 * **Cancellation** A caller who is cancelled leaves at once; the load goes on as long as anybody waits for it, as with
 * {@link SingleFlight}. A refresh behind a stale value goes on without callers, until `delete` or `clear` of its key.
 * **Errors** What the load throws, unless there is a value that `staleIfErrorMs` still allows.
 * **Cost** O(1) a call. No timer: what is too old goes when its key is asked for, or when room is needed.
 * **Not for** values that must be released when they go: see `resource-pooling`.
 * **Source** The loading cache of Guava and Caffeine; the stale modes are those of RFC 5861.
 *
 * @example
 * let loads = 0;
 * const users = new LoadingCache((id: string) => `${id} ${++loads}`, { ttlMs: 60_000 });
 * await Promise.all([users.get("ada"), users.get("ada")]);
 * await users.get("ada"); //=> "ada 1"
 */
export class LoadingCache<K, V> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #load: CacheLoader<K, V>;
  readonly #ttlMs: number;
  readonly #staleWhileRevalidateMs: number;
  readonly #staleIfErrorMs: number;
  readonly #capacity: number;
  readonly #onError: ((error: unknown, key: K) => void) | undefined;
  readonly #context: AsyncContext | undefined;
  readonly #flights: SingleFlight<K, Loaded<V>>;
  readonly #entries = new Map<K, Entry<V>>();
  readonly #refreshes = new Map<K, CancelableContext>();
  /** The loads under way that may be kept. */
  readonly #loading = new Map<K, symbol>();

  constructor(load: CacheLoader<K, V>, options: LoadingCacheOptions<K>) {
    requireFunction("load", load);
    this.#load = load;
    this.#ttlMs = requireDuration("ttlMs", options.ttlMs);
    this.#capacity = requireInteger("capacity", options.capacity ?? 1000, 1);
    this.#staleWhileRevalidateMs = requireDuration(
      "staleWhileRevalidateMs",
      options.staleWhileRevalidateMs ?? 0,
    );
    this.#staleIfErrorMs = requireDuration("staleIfErrorMs", options.staleIfErrorMs ?? 0);
    const hides = this.#staleWhileRevalidateMs > 0 || this.#staleIfErrorMs > 0;
    if (hides || options.onError !== undefined) requireFunction("onError", options.onError);
    this.#onError = options.onError;
    this.#context = options.onError === undefined ? undefined : new AsyncContext();
    this.#flights = new SingleFlight({ name: options.name });
  }

  /** How many values are kept, also those that are too old but have not been asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The value of a key: the one that is kept, or else a new one.
   *
   * **Cancellation** Rejects with the signal's reason, also if a value is kept.
   */
  get(key: K, options?: CancelOptions): Promise<V> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      const entry = this.#use(key);
      if (entry === undefined) return this.#fetch(key, options);
      const staleMs = this.#staleMs(entry);
      if (staleMs < 0) return completed(this.#runtime, entry.value);
      if (staleMs >= this.#staleWhileRevalidateMs) return this.#fetch(key, options, entry);
      this.#refresh(key);
      return completed(this.#runtime, entry.value);
    });
  }

  /** The value that is kept, if it is fresh. Loads nothing, and does not count as use. */
  peek(key: K): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#staleMs(entry) < 0 ? entry.value : undefined;
  }

  /**
   * Forgets the value of a key, and gives up its refresh: the next call loads anew, also if a load is under way.
   *
   * @returns whether a value was kept.
   */
  delete(key: K): boolean {
    this.#loading.delete(key);
    this.#flights.forget(key);
    this.#refreshes.get(key)?.cancel();
    this.#refreshes.delete(key);
    return this.#entries.delete(key);
  }

  /** Forgets all. */
  clear(): void {
    const keys = new Set([...this.#entries.keys(), ...this.#loading.keys(), ...this.#refreshes.keys()]);
    for (const key of keys) this.delete(key);
  }

  /** For how long an entry has been stale; negative if it is fresh. */
  #staleMs(entry: Entry<V>): number {
    return this.#runtime.clock.now() - entry.loadedMs - this.#ttlMs;
  }

  /** What is kept; it becomes the one that was used last. */
  #use(key: K): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  #keep(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, loadedMs: this.#runtime.clock.now() });
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Loads; a failure is hidden by a value that is not too old for that. Only the caller's own cancellation rejects. */
  async #fetch(key: K, options: CancelOptions | undefined, stale?: Entry<V>): Promise<V> {
    const { value: loaded } = await this.#flights.do(key, (ctx) => this.#loadAndKeep(key, ctx), options);
    if (loaded.outcome.ok) return loaded.outcome.value;
    if (stale === undefined || this.#staleMs(stale) >= this.#staleIfErrorMs) throw loaded.outcome.error;
    this.#tell(key, loaded);
    return stale.value;
  }

  /** Loads in a task of its own, for which nobody waits. */
  #refresh(key: K): void {
    if (this.#refreshes.has(key)) return;
    const scope = withCancel(background);
    this.#refreshes.set(key, scope);
    const load = (): Promise<Flight<Loaded<V>>> =>
      this.#flights.do(key, (ctx) => this.#loadAndKeep(key, ctx), scope.ctx);
    spawnTask(this.#runtime, { name: "refresh" }, load, (flown) => {
      if (this.#refreshes.get(key) === scope) this.#refreshes.delete(key);
      scope.cancel();
      if (flown.ok) this.#tell(key, flown.value.value);
    });
  }

  async #loadAndKeep(key: K, ctx: Context): Promise<Loaded<V>> {
    const mark = Symbol("load");
    this.#loading.set(key, mark);
    const outcome = await outcomeOf(() => this.#load(key, ctx));
    if (this.#loading.get(key) === mark) {
      this.#loading.delete(key);
      if (outcome.ok) this.#keep(key, outcome.value);
    }
    return { outcome, told: false };
  }

  /** Tells of a failure, once, and later: what `onError` throws must not become a caller's failure. */
  #tell(key: K, loaded: Loaded<V>): void {
    const { outcome } = loaded;
    if (outcome.ok || loaded.told) return;
    loaded.told = true;
    this.#context?.run(() => this.#onError?.(outcome.error, key)).catch(reportUncaught);
  }
}
