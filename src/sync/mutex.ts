/**
 * Lets one task at a time into a section that spans an `await`.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import { type Permit, Semaphore, type SemaphoreOptions } from "./semaphore.ts";

/**
 * A lock.
 *
 * **Guarantees** At most one holder. The lock goes to whoever has waited longest; nobody barges in. Not re-entrant: a
 * holder who locks again waits for itself.
 * **Cancellation** A cancelled `lock` never holds it, also if it races with the unlock.
 * **Errors** None from unlocking: what `lock` gives unlocks once, and only by its holder.
 * **Cost** O(1).
 * **Not for** code without an `await`: that is never interrupted.
 * **Source** Go's `sync.Mutex`, with the unlock as a value, so that unlocking an unlocked mutex cannot be written.
 *
 * @example
 * const mutex = new Mutex();
 * let balance = 100;
 * await Promise.all([1, 2].map(() => mutex.withLock(async () => {
 *   const seen = balance;
 *   await sleep(1);
 *   balance = seen - 50;
 * })));
 * balance; //=> 0
 */
export class Mutex {
  readonly #semaphore: Semaphore;

  constructor(options: SemaphoreOptions = {}) {
    this.#semaphore = new Semaphore(1, { name: options.name ?? "mutex" });
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.#semaphore.available === 0;
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#semaphore.waiting;
  }

  /** Waits until the lock is free, then holds it. Gives the unlock. */
  lock(options?: CancelOptions): Promise<Permit> {
    return this.#semaphore.acquire(1, options);
  }

  /** Holds it if it is free; gives the unlock, or `undefined`. */
  tryLock(): Permit | undefined {
    return this.#semaphore.tryAcquire(1);
  }

  /** Runs `task` with the lock and unlocks, however it ends. `options` gives up the wait, not the task. */
  withLock<T>(task: () => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    return this.#semaphore.withPermit(task, options);
  }
}
