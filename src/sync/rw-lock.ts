/**
 * Lets many readers in together, or one writer alone, into a section that spans an `await`.
 *
 * Invariants
 *   I1  While a writer is inside, nobody else is.
 *   I2  A reader waits only while a writer is inside or waits.
 *   I3  A writer waits only while somebody is inside.
 * A waiter that is being cancelled counts as gone, also before it has been told.
 */
import { requireFunction } from "../core/arguments.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { completed } from "../core/fairness.ts";
import { type Permit, permitOf } from "../core/permit.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";

export type { Permit } from "../core/permit.ts";

/** Names a lock in reports and in the event log. */
export interface RwLockOptions {
  /** A short name; by default `rw lock#` and a number. */
  readonly name?: string | undefined;
}

/** How many of each kind. */
export interface ReadersAndWriters {
  /** Any number may be inside together. */
  readonly readers: number;
  /** At most one is inside, and then no reader. */
  readonly writers: number;
}

class WriteWaiter extends Waiter<Permit> {
  readonly #left: () => void;

  constructor(
    runtime: BareRuntime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    left: () => void,
  ) {
    super(runtime, "write lock", resource, options);
    this.#left = left;
  }

  /** The readers that it kept out may enter. */
  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#left();
  }
}

/**
 * A lock that readers share and a writer has alone.
 *
 * **Guarantees** Starves nobody: a waiting writer keeps new readers out, and when a writer leaves, all readers that wait
 * enter together, before the next writer. So a reader waits for one writer at most, once those inside have left, and a
 * writer for the writers before it with one round of readers between them. Writers enter in the order in which they
 * came. Not re-entrant: a reader that asks again while a writer waits, waits for itself.
 * **Cancellation** Who is cancelled never holds the lock. With the last waiting writer gone, the readers that it kept out
 * enter at once.
 * **Errors** None from unlocking: each permit unlocks once, and only what it stands for.
 * **Cost** O(1) to lock, unlock and cancel.
 * **Not for** code without an `await`, which is never interrupted; nor for reads that are short: a `Mutex` is simpler.
 * **Source** Go's `sync.RWMutex`, with the unlock as a value.
 *
 * @example
 * const lock = new RwLock();
 * const prices = new Map([["tea", 2]]);
 * const reads = [1, 2].map(() => lock.withReadLock(() => prices.get("tea")));
 * await lock.withWriteLock(() => prices.set("tea", 3));
 * [...(await Promise.all(reads)), prices.get("tea")]; //=> [2, 2, 3]
 */
export class RwLock {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #resource: Resource | undefined;
  readonly #waitingReaders = new WaiterQueue<Waiter<Permit>>();
  readonly #waitingWriters = new WaiterQueue<WriteWaiter>();
  #readers = 0;
  #writing = false;

  constructor(options: RwLockOptions = {}) {
    this.#resource = observe(this.#runtime, "rw lock", options.name);
  }

  /** How many are inside now: any number of readers, or one writer. */
  get active(): ReadersAndWriters {
    return { readers: this.#readers, writers: this.#writing ? 1 : 0 };
  }

  /** How many wait. */
  get waiting(): ReadersAndWriters {
    return { readers: this.#waitingReaders.size, writers: this.#waitingWriters.size };
  }

  /** Waits until no writer is inside or waits, then holds the lock together with other readers. Gives the unlock. */
  readLock(options?: CancelOptions): Promise<Permit> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      const permit = this.tryReadLock();
      if (permit !== undefined) return completed(this.#runtime, permit);
      const waiter = new Waiter<Permit>(this.#runtime, "read lock", this.#resource, options);
      this.#waitingReaders.push(waiter);
      return waiter.promise;
    });
  }

  /** Waits until nobody is inside, then holds the lock alone. Gives the unlock. */
  writeLock(options?: CancelOptions): Promise<Permit> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      const permit = this.tryWriteLock();
      if (permit !== undefined) return completed(this.#runtime, permit);
      const waiter = new WriteWaiter(this.#runtime, this.#resource, options, () => this.#serve());
      this.#waitingWriters.push(waiter);
      return waiter.promise;
    });
  }

  /** Holds the lock as a reader if that needs no waiting; `undefined` if it does, also because a writer waits. */
  tryReadLock(): Permit | undefined {
    if (this.#writing || this.#waitingWriters.size > 0) return undefined;
    return this.#holdAsReader(this.#runtime.scheduler?.current);
  }

  /** Holds the lock alone if nobody is inside; `undefined` if somebody is. */
  tryWriteLock(): Permit | undefined {
    if (this.#writing || this.#readers > 0) return undefined;
    return this.#holdAsWriter(this.#runtime.scheduler?.current);
  }

  /** Runs `task` as a reader and unlocks, however it ends. `options` gives up the wait, not the task. */
  withReadLock<T>(task: () => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    requireFunction("task", task);
    return holding(this.readLock(options), task);
  }

  /** Runs `task` as the writer and unlocks, however it ends. `options` gives up the wait, not the task. */
  withWriteLock<T>(task: () => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    requireFunction("task", task);
    return holding(this.writeLock(options), task);
  }

  #holdAsReader(task: TaskRecord | undefined): Permit {
    this.#readers++;
    this.#trace("hold", task);
    return permitOf(() => {
      this.#readers--;
      this.#trace("free");
      this.#serve();
    });
  }

  #holdAsWriter(task: TaskRecord | undefined): Permit {
    this.#writing = true;
    this.#trace("hold", task);
    return permitOf(() => {
      this.#writing = false;
      this.#trace("free");
      this.#admitReaders();
      this.#serve();
    });
  }

  /** Lets in whoever may enter now: the next writer into an empty room, the readers if no writer waits. */
  #serve(): void {
    if (this.#writing) return;
    while (this.#waitingWriters.first?.givenUp === true) this.#waitingWriters.shift();
    const writer = this.#waitingWriters.first;
    if (writer === undefined) this.#admitReaders();
    else if (this.#readers === 0) writer.grant(this.#holdAsWriter(writer.task));
  }

  #admitReaders(): void {
    const readers = this.#waitingReaders;
    for (let reader = readers.shift(); reader !== undefined; reader = readers.shift()) {
      if (!reader.givenUp) reader.grant(this.#holdAsReader(reader.task));
    }
  }

  #trace(k: "hold" | "free", task?: TaskRecord): void {
    this.#resource?.emit({ k, r: this.#resource.id, units: 1 }, task?.id);
  }
}

async function holding<T>(lock: Promise<Permit>, task: () => T | PromiseLike<T>): Promise<T> {
  const unlock = await lock;
  try {
    return await task();
  } finally {
    unlock();
  }
}
