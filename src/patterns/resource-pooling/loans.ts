/**
 * What is lent.
 */
import type { Resource } from "../../core/resource.ts";
import type { TaskRecord } from "../../core/scheduler.ts";
import { Lease, type Return } from "./lease.ts";
import type { WatchedLease } from "./options.ts";
import type { Entry } from "./shelf.ts";

/** To whom something is lent. */
export interface Borrower {
  readonly task: TaskRecord | undefined;
  readonly watched: WatchedLease | undefined;
}

/**
 * Invariant
 *   I1  A lease is in the set from when it is made until it ends, and `back` is told of that end once.
 */
export class Loans<R> {
  readonly #resource: Resource | undefined;
  readonly #back: (entry: Entry<R>, end: Return) => void;
  readonly #leases = new Set<Lease<R>>();

  constructor(resource: Resource | undefined, back: (entry: Entry<R>, end: Return) => void) {
    this.#resource = resource;
    this.#back = back;
  }

  get size(): number {
    return this.#leases.size;
  }

  lend(entry: Entry<R>, { task, watched }: Borrower): Lease<R> {
    const item = { r: this.#resource?.id ?? 0, units: 1, item: entry.id };
    entry.uses++;
    this.#resource?.emit({ k: "hold", ...item }, task?.id);
    const lease = new Lease(entry.value, (end) => {
      this.#leases.delete(lease);
      watched?.end();
      this.#resource?.emit({ k: "free", ...item });
      this.#back(entry, end);
    });
    this.#leases.add(lease);
    watched?.begin();
    return lease;
  }

  /** Takes everything away from those who have it. */
  revoke(cause: unknown): void {
    for (const lease of this.#leases) lease.discard(cause);
  }
}
