/**
 * Waits until a number of things are done, as Go's `sync.WaitGroup`.
 */
import { requireInteger } from "../core/arguments.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { MisuseError } from "../core/errors.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";

/** Names a wait group in reports and in the event log. */
export interface WaitGroupOptions {
  /** A short name; by default `wait group#` and a number. */
  readonly name?: string | undefined;
}

/**
 * A counter that can be waited for to be zero.
 *
 * **Guarantees** Everybody who waits is woken when the counter reaches zero, in the order in which they came. It can be
 * used again afterwards.
 * **Cancellation** Who is cancelled leaves; the counter is unchanged.
 * **Errors** `MisuseError` "negative WaitGroup counter"; the counter keeps its value.
 * **Not for** starting tasks, or collecting results or errors: see `TaskGroup`.
 * **Source** Go's `sync.WaitGroup`. Unlike Go's it has no `go`: a task that can fail has an owner who hears of it.
 *
 * @example
 * const group = new WaitGroup();
 * group.add(2);
 * queueMicrotask(() => group.done());
 * queueMicrotask(() => group.done());
 * await group.wait();
 * group.count; //=> 0
 */
export class WaitGroup {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #resource: Resource | undefined;
  readonly #waiters = new WaiterQueue<Waiter<void>>();
  #count = 0;

  constructor(options: WaitGroupOptions = {}) {
    this.#resource = observe(this.#runtime, "wait group", options.name);
  }

  /** How many are not done. */
  get count(): number {
    return this.#count;
  }

  /** How many wait for zero. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Adds to the counter; `delta` may be negative. */
  add(delta = 1): void {
    const count = this.#count + requireInteger("delta", delta, Number.MIN_SAFE_INTEGER);
    if (count < 0) throw new MisuseError("negative WaitGroup counter");
    if (count > Number.MAX_SAFE_INTEGER) throw new MisuseError("WaitGroup counter too large");
    this.#count = count;
    this.#resource?.used();
    if (count > 0) return;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift())
      waiter.grant();
  }

  /** One of them is done. */
  done(): void {
    this.add(-1);
  }

  /** Waits for zero; at once if it is. */
  wait(options?: CancelOptions): Promise<void> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      if (this.#count === 0) return Promise.resolve();
      const waiter = new Waiter<void>(this.#runtime, "wait", this.#resource, options);
      this.#waiters.push(waiter);
      return waiter.promise;
    });
  }
}
