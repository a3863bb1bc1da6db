/**
 * A resource, and what its pool knows of it.
 */
import { QueueNode } from "../../core/waiter-queue.ts";
import type { Lease, Loan, Return } from "./lease.ts";
import type { WatchedLease } from "./options.ts";

/** Who lends it. */
interface Lender<R> {
  /** Told of the end of each lease. */
  end(entry: Entry<R>, how: Return): void;
}

/** It stands in a queue while it is lent. */
export class Entry<R> extends QueueNode implements Loan<R> {
  /** The number under which the event log knows it. */
  readonly id: number;
  readonly value: R;
  /** From this instant on it is not lent any more; Infinity if it has no end. */
  readonly expiresMs: number;
  /** How often it has been lent. */
  uses = 0;
  /** Since when it stands on the shelf, where anybody asks for that. */
  idleSinceMs = 0;
  /** While it is lent: to whom. */
  lease: Lease<R> | undefined = undefined;
  watched: WatchedLease | undefined = undefined;
  readonly #lender: Lender<R>;

  constructor(id: number, value: R, expiresMs: number, lender: Lender<R>) {
    super();
    this.id = id;
    this.value = value;
    this.expiresMs = expiresMs;
    this.#lender = lender;
  }

  end(how: Return): void {
    this.#lender.end(this, how);
  }
}
