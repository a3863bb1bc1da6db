/**
 * What is being made, and those who wait for that.
 */
import { Deferred } from "../../core/deferred.ts";
import type { TimeoutError } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { Outcome } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";
import type { Factory } from "./factory.ts";

/** Who wants to know how it goes. */
export interface Customer<R> {
  made(value: R): void;
  /** It will not come; it may not have settled yet. */
  failed(error: unknown): void;
  /** It has settled, and there is nothing: its place is free. */
  gone(): void;
  /** Told last, after any of these. */
  changed(): void;
}

/**
 * Invariant
 *   I1  What is in the set has neither settled nor been given up as overdue. When it leaves, its customer is told once
 *       that it was made, or once that it failed.
 */
export class Makings<R> {
  readonly #runtime: Runtime;
  readonly #resource: Resource | undefined;
  readonly #factory: Factory<R>;
  readonly #customer: Customer<R>;
  readonly #pending = new Set<Deferred<void>>();

  constructor(runtime: Runtime, resource: Resource | undefined, factory: Factory<R>, customer: Customer<R>) {
    this.#runtime = runtime;
    this.#resource = resource;
    this.#factory = factory;
    this.#customer = customer;
  }

  get size(): number {
    return this.#pending.size;
  }

  get all(): readonly Deferred<void>[] {
    return [...this.#pending];
  }

  begin(parent: Context): void {
    const made = new Deferred<void>(this.#runtime, "ready", this.#resource);
    let late: TimeoutError | undefined;
    this.#pending.add(made);
    this.#factory.create(parent, {
      overdue: (error) => {
        late = error;
        this.#fail(made, error);
        this.#customer.changed();
      },
      settled: (outcome) => {
        if (late === undefined) this.#settle(made, outcome);
        else this.#settleLate(late, outcome);
        this.#customer.changed();
      },
    });
  }

  #settle(made: Deferred<void>, outcome: Outcome<R>): void {
    if (outcome.ok) {
      this.#pending.delete(made);
      this.#customer.made(outcome.value);
      made.settle({ ok: true, value: undefined });
    } else {
      this.#customer.gone();
      this.#fail(made, outcome.error);
    }
  }

  /** Nobody waits for it any more. If there is something after all, it is as good as any. */
  #settleLate(late: TimeoutError, outcome: Outcome<R>): void {
    if (outcome.ok) return this.#customer.made(outcome.value);
    this.#customer.gone();
    if (outcome.error !== late) this.#factory.report(outcome.error, "create");
  }

  #fail(made: Deferred<void>, error: unknown): void {
    this.#pending.delete(made);
    made.settle({ ok: false, error });
    this.#customer.failed(error);
  }
}
