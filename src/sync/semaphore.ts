/**
 * Bounds how much runs at once by handing out permits.
 *
 * Invariants
 *   I1  0 <= available <= permits. What is missing is held; after a resize more may be held than there are permits.
 *   I2  Waiters are served first come, first served; if any waits, the first of them needs more than is available.
 *   I3  Nobody waits for more than all permits.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ConcurrencyError } from "../core/errors.ts";
import { completed } from "../core/fairness.ts";
import { asPermit, type Permit } from "../core/permit.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";

export type { Permit } from "../core/permit.ts";

/** Names a lock in reports and in the event log. */
export interface SemaphoreOptions {
  /** A short name; by default the kind and a number. */
  readonly name?: string | undefined;
}

class AcquireWaiter extends Waiter<Permit> {
  readonly weight: number;
  readonly #left: () => void;

  constructor(
    runtime: BareRuntime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    weight: number,
    left: () => void,
  ) {
    super(runtime, "acquire", resource, options);
    this.weight = weight;
    this.#left = left;
  }

  /** The ones behind may fit where this one did not. */
  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#left();
  }
}

/**
 * A weighted semaphore that serves in the order of arrival.
 *
 * **Guarantees** A large request is never overtaken by smaller ones, so it cannot starve; the price is that permits may
 * be free while it waits.
 * **Units and ranges** `permits` and `weight`: whole numbers of at least 1, in units of your choice.
 * **Cancellation** A cancelled acquire holds nothing, and those behind it get in at once if they now fit.
 * **Errors** `RangeError` at the call if `weight` is above `permits`, as waiting could never succeed. In Go such a
 * request waits until its context ends.
 * **Cost** O(1) to acquire, release and cancel.
 * **Not for** limits per unit of time: see `rate-limiting`.
 * **Source** golang.org/x/sync/semaphore; the idea is E. W. Dijkstra's (EWD35, 1962). Unlike Go's, no permits and a
 * weight of nothing are refused.
 *
 * @example
 * const gate = new Semaphore(2);
 * const doubled = await Promise.all([1, 2, 3].map((n) => gate.withPermit(() => n * 2)));
 * doubled; //=> [2, 4, 6]
 */
export class Semaphore {
  readonly #runtime: BareRuntime = bareRuntime();
  #permits: number;
  readonly #resource: Resource | undefined;
  readonly #waiters = new WaiterQueue<AcquireWaiter>();
  #held = 0;

  constructor(permits: number, options: SemaphoreOptions = {}) {
    this.#permits = requireInteger("permits", permits, 1);
    this.#resource = observe(this.#runtime, "sem", options.name, permits);
  }

  /** How many permits there are. */
  get permits(): number {
    return this.#permits;
  }

  /** How many permits nobody holds. */
  get available(): number {
    return Math.max(0, this.#permits - this.#held);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Waits until `weight` permits are free and all who came earlier have got theirs, then holds them. */
  acquire(weight = 1, options?: CancelOptions): Promise<Permit> {
    // Most want one, for which the check takes a twentieth of the whole.
    const wanted = weight === 1 ? 1 : requireInteger("weight", weight, 1, this.#permits);
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#acquire(wanted, options));
    return this.#acquire(wanted, options);
  }

  /** Holds `weight` permits if that needs no waiting; `undefined` if it does, also because others wait already. */
  tryAcquire(weight = 1): Permit | undefined {
    const wanted = requireInteger("weight", weight, 1, this.#permits);
    return this.#fits(wanted) ? this.#hold(wanted, this.#runtime.scheduler?.current) : undefined;
  }

  /**
   * Changes how many permits there are. More let waiters in at once. Fewer take nothing away from those who hold some:
   * nobody gets in until enough have come back.
   *
   * **Errors** A request that waits for more than there are now fails at once with a `ConcurrencyError` of code `LIMIT`:
   * it would wait for ever. Those behind it move up.
   * **Cost** O(waiting) if there are fewer than before.
   *
   * @example
   * const gate = new Semaphore(1);
   * const first = await gate.acquire();
   * const second = gate.acquire();
   * gate.resize(2);
   * (await second)();
   * first();
   * gate.available; //=> 2
   */
  resize(permits: number): void {
    const fewer = requireInteger("permits", permits, 1) < this.#permits;
    this.#permits = permits;
    if (fewer) this.#refuseTooHeavy();
    this.#serve();
  }

  /**
   * Runs `task` with one permit and gives the permit back, however it ends.
   *
   * **Cancellation** `options` gives up the wait for the permit. It does not stop the task.
   */
  withPermit<T>(task: () => T | PromiseLike<T>, options?: CancelOptions): Promise<T> {
    requireFunction("task", task);
    return this.#withPermit(task, options);
  }

  async #withPermit<T>(task: () => T | PromiseLike<T>, options: CancelOptions | undefined): Promise<T> {
    const release = await this.acquire(1, options);
    try {
      return await task();
    } finally {
      release();
    }
  }

  #acquire(weight: number, options: CancelOptions | undefined): Promise<Permit> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (weight > this.#permits) return Promise.reject(tooHeavy(weight, this.#permits));
    if (this.#fits(weight))
      return completed(this.#runtime, this.#hold(weight, this.#runtime.scheduler?.current));
    const waiter = new AcquireWaiter(this.#runtime, this.#resource, options, weight, this.#serve);
    this.#waiters.push(waiter);
    return waiter.promise;
  }

  #fits(weight: number): boolean {
    return this.#waiters.size === 0 && weight <= this.#permits - this.#held;
  }

  #hold(weight: number, task: TaskRecord | undefined): Permit {
    this.#held += weight;
    this.#resource?.emit({ k: "hold", r: this.#resource.id, units: weight }, task?.id);
    let held = true;
    return asPermit(() => {
      if (!held) return;
      held = false;
      this.#held -= weight;
      this.#resource?.emit({ k: "free", r: this.#resource.id, units: weight });
      if (this.#waiters.size > 0) this.#serve();
    });
  }

  /**
   * Lets in from the front as many as fit. One who is being cancelled will leave, and then this is asked again. One
   * function for all who wait, and not one for each.
   */
  readonly #serve = (): void => {
    for (;;) {
      const waiter = this.#waiters.first;
      if (waiter === undefined || waiter.givenUp || waiter.weight > this.available) return;
      waiter.grant(this.#hold(waiter.weight, waiter.task));
    }
  };

  /** Each goes round the queue once, so that those who may stay keep their order. */
  #refuseTooHeavy(): void {
    for (let left = this.#waiters.size; left > 0; left--) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) return;
      if (waiter.weight <= this.#permits || waiter.givenUp) this.#waiters.push(waiter);
      else waiter.fail(tooHeavy(waiter.weight, this.#permits));
    }
  }
}

function tooHeavy(weight: number, permits: number): ConcurrencyError {
  return new ConcurrencyError(
    "LIMIT",
    `a weight of ${weight} is more than the ${permits} permits there are now`,
  );
}
