/**
 * Keeps what is slow from taking everything: so many calls run, so many wait, and the rest is refused at once.
 *
 * Invariants
 *   I1  0 <= active <= concurrency, and 0 <= waiting <= capacity.
 *   I2  If anybody waits, `active` is `concurrency`: a place that is left goes to the one who has waited longest.
 */
import { requireFunction, requireInteger, requireLimit } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { FullError } from "../../core/errors.ts";
import { completed } from "../../core/fairness.ts";
import { begin, observe, type Resource } from "../../core/resource.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import type { Task } from "../../sync/task-group.ts";

/** How much a bulkhead holds. */
export interface BulkheadOptions {
  /** How many tasks run at once: at least 1. */
  readonly concurrency: number;
  /** How many calls may wait for a place, beyond those that run: at least 0; default 0. */
  readonly capacity?: number | undefined;
  /** A short name for errors, for reports and for the event log. */
  readonly name?: string | undefined;
}

/**
 * Bounds how many tasks of any kind run at once, and how many wait for that. Make one for each server.
 *
 * **Guarantees** First come, first served. Nobody waits while there is a place.
 * **Cancellation** When `signal` aborts, a call that waits leaves at once, and its place in the line is free at once;
 * the context of one that runs ends, and it is waited for.
 * **Errors** `FullError` if all places are taken and `capacity` calls wait: then the task was not run. Else what the task
 * throws.
 * **Cost** A context for each call; O(1) to come, to wait and to leave.
 * **Not for** jobs of one kind from a list: see `pools`. Not for waiting without a bound: see `semaphore`.
 * **Source** M. Nygard, "Release It!" (2007).
 *
 * @example
 * const bulkhead = new Bulkhead({ concurrency: 1, capacity: 1 });
 * const calls = [1, 2, 3].map((n) => bulkhead.run(() => sleep(1).then(() => n)));
 * const ends = await Promise.allSettled(calls);
 * ends.map(({ status }) => status); //=> ["fulfilled", "fulfilled", "rejected"]
 */
export class Bulkhead {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #concurrency: number;
  readonly #capacity: number;
  readonly #name: string;
  readonly #resource: Resource | undefined;
  readonly #queue = new WaiterQueue<Waiter<void>>();
  #active = 0;

  constructor({ concurrency, capacity = 0, name }: BulkheadOptions) {
    this.#concurrency = requireInteger("concurrency", concurrency, 1);
    this.#capacity = requireLimit("capacity", capacity, 0);
    this.#name = name === undefined ? "bulkhead" : `bulkhead ${JSON.stringify(name)}`;
    this.#resource = observe(this.#runtime, "bulkhead", name, concurrency);
  }

  /** How many tasks run. */
  get active(): number {
    return this.#active;
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Runs a task when there is a place for it. */
  run<T>(task: Task<T>, options?: CancelOptions): Promise<T> {
    requireFunction("task", task);
    return this.#run(task, options);
  }

  async #run<T>(task: Task<T>, options: CancelOptions | undefined): Promise<T> {
    const { ctx, cancel } = withCancel(options ?? {});
    try {
      await begin(this.#runtime, () => rejectIfCancelled(ctx) ?? this.#enter(ctx));
      return await this.#runInside(task, ctx);
    } finally {
      cancel();
    }
  }

  async #runInside<T>(task: Task<T>, ctx: Context): Promise<T> {
    try {
      if (ctx.error !== undefined) throw ctx.cause;
      return await task(ctx);
    } finally {
      this.#leave();
    }
  }

  #enter(options: CancelOptions): Promise<void> {
    if (this.#active < this.#concurrency) {
      this.#active++;
      this.#resource?.emit({ k: "hold", r: this.#resource.id, units: 1 });
      return completed(this.#runtime, undefined);
    }
    if (this.#queue.size >= this.#capacity) return Promise.reject(this.#refusal());
    const waiter = new Waiter<void>(this.#runtime, "acquire", this.#resource, options);
    this.#queue.push(waiter);
    return waiter.promise;
  }

  /** Hands the place on. One who has given up in the same instant hands it on in turn. */
  #leave(): void {
    this.#resource?.emit({ k: "free", r: this.#resource.id, units: 1 });
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#active--;
      return;
    }
    this.#resource?.emit({ k: "hold", r: this.#resource.id, units: 1 }, next.task?.id);
    next.grant();
  }

  #refusal(): FullError {
    return new FullError(`${this.#name} is full: ${this.#active} tasks run and ${this.waiting} wait`);
  }
}
