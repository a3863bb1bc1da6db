/**
 * An outcome that many can wait for: it comes once, and stays.
 */
import type { BareRuntime } from "./bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "./cancellation.ts";
import { begin, type Resource } from "./resource.ts";
import { type Outcome, valueOf } from "./task.ts";
import { Waiter } from "./waiter.ts";
import { WaiterQueue } from "./waiter-queue.ts";

/**
 * Invariants
 *   I1  `outcome` is written once.
 *   I2  Once it is written, nobody waits.
 */
export class Deferred<T> {
  readonly #runtime: BareRuntime;
  readonly #op: string;
  readonly #resource: Resource | undefined;
  readonly #waiters = new WaiterQueue<Waiter<T>>();
  #outcome: Outcome<T> | undefined;

  /** `op` and `resource` name in a report what those who wait here do. */
  constructor(runtime: BareRuntime, op: string, resource?: Resource) {
    this.#runtime = runtime;
    this.#op = op;
    this.#resource = resource;
  }

  /** How it ended, once it has. */
  get outcome(): Outcome<T> | undefined {
    return this.#outcome;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Gives the outcome and wakes all, in the order in which they came. Does nothing the second time. */
  settle(outcome: Outcome<T>): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (outcome.ok) waiter.grant(outcome.value);
      else waiter.fail(outcome.error);
    }
  }

  /** Waits for the outcome. A caller who is cancelled leaves; the outcome still comes for the others. */
  wait(options?: CancelOptions): Promise<T> {
    return begin(this.#runtime, () => this.#wait(options));
  }

  async #wait(options: CancelOptions | undefined): Promise<T> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#outcome !== undefined) return valueOf(this.#outcome);
    const waiter = new Waiter<T>(this.#runtime, this.#op, this.#resource, options);
    this.#waiters.push(waiter);
    return waiter.promise;
  }
}
