/**
 * Waits, with a lock given up meanwhile, until another task says that something has changed.
 */
import { requireFunction, requireObject } from "../core/arguments.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { MisuseError } from "../core/errors.ts";
import type { Permit } from "../core/permit.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import type { Mutex } from "./mutex.ts";

/** Names a condition in reports and in the event log. */
export interface CondOptions {
  /** A short name; by default `cond#` and a number. */
  readonly name?: string | undefined;
}

/** What ended a wait: a signal is for one, and must not be lost; a broadcast is for all. */
type Wake = "signal" | "broadcast";

/**
 * A condition over what a mutex protects.
 *
 * Most programs need {@link Cond.withLockWhen} alone, and {@link Cond.signal} or {@link Cond.broadcast} after each change:
 * it locks, waits until the condition holds, runs a task under the lock, and unlocks. {@link Cond.wait} is the bare
 * operation, for loops of your own.
 *
 * **Guarantees** Woken in the order in which they began to wait. Nobody is woken without a signal or a broadcast. A
 * signal that nobody waits for is lost. Between the wake-up and the lock others may lock, so a condition is to be
 * looked at again; `lockWhen` does.
 * **Cancellation** Who is cancelled does not hold the lock, and need not wait for it to leave. If it had been signalled
 * already, the signal goes to the next.
 * **Cost** O(1) to wait, signal and cancel; a wake-up costs a lock.
 * **Not for** passing values: a `Channel` does that, and remembers.
 * **Source** Go's `sync.Cond`; `lockWhen` is that of Abseil's `Mutex`, after C. A. R. Hoare's monitors (1974). Unlike
 * Go a wait ends without the lock if it is cancelled.
 *
 * @example
 * const mutex = new Mutex();
 * const filled = new Cond(mutex);
 * const items: string[] = [];
 * const taken = filled.withLockWhen(() => items.length > 0, () => items.shift());
 * await mutex.withLock(() => {
 *   items.push("tea");
 *   filled.signal();
 * });
 * await taken; //=> "tea"
 */
export class Cond {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #mutex: Mutex;
  readonly #resource: Resource | undefined;
  readonly #waiters = new WaiterQueue<Waiter<Wake>>();

  /** `mutex` protects what the condition is about. Several conditions may share it. */
  constructor(mutex: Mutex, options: CondOptions = {}) {
    requireObject("mutex", mutex, "a Mutex");
    this.#mutex = mutex;
    this.#resource = observe(this.#runtime, "cond", options.name);
  }

  /** How many wait to be woken; those who have been, and wait for the lock, are not counted. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Unlocks, waits to be woken, and locks again. Takes the unlock that `mutex.lock` gave, and gives a new one: the old
   * one is spent in any case.
   *
   * **Cancellation** Rejects with the signal's reason, without the lock. The old unlock does nothing by then, so a
   * `finally` that calls it does no harm.
   * **Errors** `MisuseError` if nobody holds the lock.
   *
   * @example
   * const mutex = new Mutex();
   * const opened = new Cond(mutex);
   * let open = false;
   * const pass = async () => {
   *   let unlock = await mutex.lock();
   *   try {
   *     while (!open) unlock = await opened.wait(unlock);
   *     return mutex.locked;
   *   } finally {
   *     unlock();
   *   }
   * };
   * const passed = pass();
   * await mutex.withLock(() => {
   *   open = true;
   *   opened.broadcast();
   * });
   * await passed; //=> true
   */
  wait(unlock: Permit, options?: CancelOptions): Promise<Permit> {
    requireFunction("unlock", unlock);
    return begin(this.#runtime, () => this.#wait(unlock, options));
  }

  /**
   * Locks once `condition` holds, and gives the unlock. `condition` is looked at under the lock: first, and after each
   * wake-up.
   *
   * **Errors** What `condition` throws; then the lock is free.
   */
  lockWhen(condition: () => boolean, options?: CancelOptions): Promise<Permit> {
    requireFunction("condition", condition);
    return this.#lockWhen(condition, options);
  }

  /**
   * Runs `task` with the lock once `condition` holds, and unlocks, however it ends.
   *
   * **Cancellation** `options` gives up the wait. It does not stop the task.
   */
  withLockWhen<T>(
    condition: () => boolean,
    task: () => T | PromiseLike<T>,
    options?: CancelOptions,
  ): Promise<T> {
    requireFunction("condition", condition);
    requireFunction("task", task);
    return this.#withLockWhen(condition, task, options);
  }

  /**
   * Wakes the one who has waited longest, if anybody waits. Whoever calls may hold the lock, and need not. But what the
   * condition is about is to be changed under the lock: else it may change between a look at it and the wait.
   */
  signal(): void {
    this.#resource?.used();
    let waiter = this.#waiters.shift();
    while (waiter?.givenUp === true) waiter = this.#waiters.shift();
    waiter?.grant("signal");
  }

  /** Wakes all who wait. The lock may be held, and need not be, as for {@link Cond.signal}; the change is under it. */
  broadcast(): void {
    this.#resource?.used();
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (!waiter.givenUp) waiter.grant("broadcast");
    }
  }

  async #wait(unlock: Permit, options: CancelOptions | undefined): Promise<Permit> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) {
      unlock();
      return cancelled;
    }
    if (!this.#mutex.locked) throw new MisuseError("wait on a condition without its lock");
    const waiter = new Waiter<Wake>(this.#runtime, "wait", this.#resource, options);
    this.#waiters.push(waiter);
    unlock();
    const wake = await waiter.promise;
    try {
      return await this.#mutex.lock(options);
    } catch (error) {
      if (wake === "signal") this.signal();
      throw error;
    }
  }

  async #lockWhen(condition: () => boolean, options: CancelOptions | undefined): Promise<Permit> {
    let unlock = await this.#mutex.lock(options);
    try {
      while (!condition()) unlock = await this.wait(unlock, options);
    } catch (error) {
      unlock();
      throw error;
    }
    return unlock;
  }

  async #withLockWhen<T>(
    condition: () => boolean,
    task: () => T | PromiseLike<T>,
    options: CancelOptions | undefined,
  ): Promise<T> {
    const unlock = await this.#lockWhen(condition, options);
    try {
      return await task();
    } finally {
      unlock();
    }
  }
}
