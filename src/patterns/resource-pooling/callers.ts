/**
 * Those who wait for something to be lent to them, first come, first served.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { type Lease, LeaseWaiter, type Patience } from "./lease.ts";
import type { WatchedLease } from "./options.ts";

export class Callers<R> {
  readonly #runtime: Runtime;
  readonly #resource: Resource | undefined;
  readonly #patience: Patience;
  readonly #waiters = new WaiterQueue<LeaseWaiter<R>>();

  constructor(runtime: Runtime, resource: Resource | undefined, patience: Patience) {
    this.#runtime = runtime;
    this.#resource = resource;
    this.#patience = patience;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Who is served next. One who is being cancelled will leave, and then those who wait are served again. */
  get next(): LeaseWaiter<R> | undefined {
    const waiter = this.#waiters.first;
    return waiter?.givenUp === true ? undefined : waiter;
  }

  /** One more waits from now on. */
  push(options: CancelOptions | undefined, watched: WatchedLease | undefined): Promise<Lease<R>> {
    const waiter = new LeaseWaiter<R>(this.#runtime, this.#resource, options, this.#patience, watched);
    this.#waiters.push(waiter);
    return waiter.promise;
  }

  /** Fails the one who has waited longest, if anybody waits. */
  failFirst(error: unknown): void {
    this.#waiters.first?.fail(error);
  }
}
