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
  readonly #value: R;
  #end: ((how: Return) => void) | undefined;

  /** Made by a `ResourcePool`. @internal */
  constructor(value: R, end: (how: Return) => void) {
    this.#value = value;
    this.#end = end;
  }

  /** The resource. */
  get value(): R {
    if (this.#end === undefined) throw new MisuseError("use of a resource that was given back");
    return this.#value;
  }

  /** Gives the resource back, for the next who needs one. */
  release(): void {
    this.#finish({ how: "release" });
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
    const end = this.#end;
    this.#end = undefined;
    end?.(how);
  }
}

/** How long somebody waits, and who is to know that they left. */
export interface Patience {
  readonly timeoutMs: number;
  readonly left: () => void;
}

export class LeaseWaiter<R> extends Waiter<Lease<R>> {
  readonly watched: WatchedLease | undefined;
  readonly #timer: Timer | undefined;
  readonly #left: () => void;

  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    { timeoutMs, left }: Patience,
    watched: WatchedLease | undefined,
  ) {
    super(runtime, "acquire", resource, options);
    this.watched = watched;
    this.#left = left;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    const expire = (): void => this.fail(new TimeoutError(`no resource was free within ${timeoutMs} ms`));
    this.#timer = runtime.clock.after(timeoutMs, expire);
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#left();
  }

  protected override leave(): void {
    super.leave();
    this.#timer?.cancel();
  }
}
