/**
 * What a pool lends, and those who wait for it.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Timer } from "../../core/clock.ts";
import { MisuseError, TimeoutError } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import type { WatchedLease } from "./options.ts";

/** Why something cannot be. */
export interface Refusal {
  readonly error: unknown;
}

/** How a lease ends. */
export type Return = { readonly how: "release" } | { readonly how: "discard"; readonly cause: unknown };

const RELEASE: Return = { how: "release" };

/** What is lent. */
export interface Loan<R> {
  readonly value: R;
  /** Told once a lease. */
  end(how: Return): void;
}

/**
 * The right to use a resource, until it is given back.
 *
 * **Guarantees** It ends once: of {@link Lease.release} and {@link Lease.discard} the first counts, and anything later
 * does nothing. So a resource is never given back twice, nor by somebody who does not hold it.
 * **Errors** `MisuseError` for reading its value afterwards: somebody else may be using it.
 *
 * @example
 * const pool = new ResourcePool({ create: () => ({ open: true }), max: 1 });
 * const lease = await pool.acquire();
 * const { open } = lease.value;
 * lease.release();
 * await pool.drain();
 * open; //=> true
 */
export class Lease<R> {
  #loan: Loan<R> | undefined;

  /** Made by a `ResourcePool`. @internal */
  constructor(loan: Loan<R>) {
    this.#loan = loan;
  }

  /** The resource. */
  get value(): R {
    if (this.#loan === undefined) throw new MisuseError("use of a resource that was given back");
    return this.#loan.value;
  }

  /** Gives the resource back, for the next who needs one. */
  release(): void {
    this.#finish(RELEASE);
  }

  /** Gives the resource up: it is destroyed, with `cause` as the reason, and makes room for another. */
  discard(cause?: unknown): void {
    this.#finish({ how: "discard", cause });
  }

  /** Releases it, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** Releases it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  #finish(how: Return): void {
    const loan = this.#loan;
    this.#loan = undefined;
    loan?.end(how);
  }
}

/** Calls `work` with what is lent, and gives it back however that ends. */
export async function useLease<R, T>(
  acquired: Promise<Lease<R>>,
  work: (resource: R, lease: Lease<R>) => T | PromiseLike<T>,
): Promise<T> {
  const lease = await acquired;
  try {
    return await work(lease.value, lease);
  } finally {
    lease.release();
  }
}

/** How long somebody waits, and who is to know that they left. */
export interface Patience {
  readonly timeoutMs: number;
  readonly left: () => void;
}

export class LeaseWaiter<R> extends Waiter<Lease<R>> {
  // Declared: see `QueueNode`.
  declare readonly watched: WatchedLease | undefined;
  declare private readonly patience: Patience;
  declare private readonly timer?: Timer;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    patience: Patience,
    watched: WatchedLease | undefined,
  ) {
    super(runtime, "acquire", resource, options);
    this.watched = watched;
    this.patience = patience;
    const { timeoutMs } = patience;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    const expire = (): void =>
      this.fail(new TimeoutError(`no resource was free within ${timeoutMs} ms`, { phase: "queue" }));
    this.timer = runtime.clock.after(timeoutMs, expire);
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.patience.left();
  }

  protected override leave(): void {
    super.leave();
    this.timer?.cancel();
  }
}
