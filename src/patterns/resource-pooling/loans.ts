/**
 * What is lent.
 */
import type { Resource } from "../../core/resource.ts";
import type { TaskRecord } from "../../core/scheduler.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import type { Entry } from "./entry.ts";
import { Lease, type Return } from "./lease.ts";
import type { WatchedLease } from "./options.ts";

/**
 * Invariant
 *   I1  An entry is in the queue from when a lease of it is made until that ends, and `back` is told of that end once.
 */
export class Loans<R> {
  readonly #resource: Resource | undefined;
  readonly #back: (entry: Entry<R>, end: Return) => void;
  readonly #lent = new WaiterQueue<Entry<R>>();

  constructor(resource: Resource | undefined, back: (entry: Entry<R>, end: Return) => void) {
    this.#resource = resource;
    this.#back = back;
  }

  get size(): number {
    return this.#lent.size;
  }

  /** Lends it, to a task if that is known. */
  lend(entry: Entry<R>, task: TaskRecord | undefined, watched: WatchedLease | undefined): Lease<R> {
    const lease = new Lease(entry);
    entry.uses++;
    entry.lease = lease;
    entry.watched = watched;
    this.#lent.push(entry);
    this.#emit("hold", entry, task);
    watched?.begin();
    return lease;
  }

  /** The lease of this one has ended. */
  end(entry: Entry<R>, how: Return): void {
    const { watched } = entry;
    this.#lent.remove(entry);
    entry.lease = undefined;
    entry.watched = undefined;
    watched?.end();
    this.#emit("free", entry);
    this.#back(entry, how);
  }

  /** Takes everything away from those who have it. */
  revoke(cause: unknown): void {
    for (let entry = this.#lent.first; entry !== undefined; entry = this.#lent.first)
      entry.lease?.discard(cause);
  }

  #emit(k: "hold" | "free", { id }: Entry<R>, task?: TaskRecord): void {
    this.#resource?.emit({ k, r: this.#resource.id, units: 1, item: id }, task?.id);
  }
}
