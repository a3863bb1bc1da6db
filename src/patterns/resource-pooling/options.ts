/**
 * What a pool is told.
 */
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireLimit,
  requireNumber,
  requireObject,
  requireOneOf,
} from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";
import type { Schedule } from "../../sync/schedule.ts";

/** The callbacks of a pool, by name. */
export type ResourcePoolCallback = "create" | "validate" | "reset" | "destroy";

/** Watches for leases that are not given back; a `LeakDetector` is one. */
export interface LeaseWatch {
  /** Called by `acquire`, so that it can note where that was. */
  note(pool: string): WatchedLease;
}

/** One lease, as a {@link LeaseWatch} sees it. */
export interface WatchedLease {
  /** The resource was lent. */
  begin(): void;
  /** It was given back. */
  end(): void;
}

/** How resources are kept and ended. The callbacks may throw or reject; they run where the pool was made. */
export interface ResourceCareOptions<R> {
  /** Ends a resource. `cause` is what `Lease.discard` was given. */
  destroy?(resource: R, cause?: unknown): void | PromiseLike<void>;
  /** Whether an idle resource is still good, asked before it is handed out. One that is not is destroyed. */
  validate?(resource: R): boolean | PromiseLike<boolean>;
  /** Makes a resource that was given back as good as new, before anybody else gets it. If that fails, it is destroyed. */
  reset?(resource: R): void | PromiseLike<void>;
  /** Which idle resource is handed out: the one used last, `lifo`, the default, or the one idle for longest, `fifo`. */
  readonly order?: "lifo" | "fifo" | undefined;
  /** How many callers may wait when all resources are in use: at least 0; default 1000. */
  readonly capacity?: number | undefined;
  /** How long a caller waits at most, in milliseconds; default Infinity. */
  readonly acquireTimeoutMs?: number | undefined;
  /**
   * How long a `create` may take, in milliseconds; default Infinity. Then its context ends, and a caller who waits for it
   * fails. Its place is free once it has let go; a resource that it makes late is kept for the next.
   */
  readonly createTimeoutMs?: number | undefined;
  /**
   * How long to pause after a `create` that failed; without it, there is no pause. Callers for whom nothing else can
   * come fail during the pause, at once, with the error of the last attempt. The functions of the module `schedule` fit.
   */
  readonly backoff?: Schedule | undefined;
  /** A resource that is idle for so long is destroyed, unless there are no more than `min`; default Infinity. */
  readonly idleTimeoutMs?: number | undefined;
  /** How old a resource gets, in milliseconds: after that it is not lent any more; default Infinity. */
  readonly maxLifetimeMs?: number | undefined;
  /**
   * By what part at most a lifetime is shorter, by chance, so that resources made together do not end together: from 0
   * to 1; default 0.1.
   */
  readonly lifetimeJitter?: number | undefined;
  /** How often a resource is lent before it is destroyed: at least 1; default Infinity. */
  readonly maxUses?: number | undefined;
  /** Watches for leases that are not given back: a `LeakDetector` of `resource-pooling/leak-detector`. */
  readonly leaks?: LeaseWatch | undefined;
  /**
   * Takes what a callback threw, if that fails no `acquire`, and which callback it was: `destroy`, `reset`, `validate`, or
   * a `create` nobody waits for any more. What this throws becomes an uncaught exception of the host. Without it, those of
   * `destroy` do; the others the next caller finds out.
   */
  readonly onError?: ((error: unknown, callback: ResourcePoolCallback) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How a pool makes, keeps and ends its resources. Its callbacks may throw or reject; they run where the pool was made. */
export interface ResourcePoolOptions<R> extends ResourceCareOptions<R> {
  /**
   * Makes a resource. `ctx` ends when the pool is closed or `createTimeoutMs` have passed, not when the caller leaves who
   * needed it: then the resource is for the next.
   */
  create(ctx: Context): R | PromiseLike<R>;
  /** How many resources there are at most, in whatever state: at least 1. */
  readonly max: number;
  /** How many to have ready: from 0, the default, to `max`. */
  readonly min?: number | undefined;
}

/** How many resources there are to be. */
export interface ResourcePoolSize {
  /** How many at most: at least 1. */
  readonly max: number;
  /** How many to have ready: from 0 to `max`; by default as before, or `max` if that is less. */
  readonly min?: number | undefined;
}

/** How a pool is drained. */
export interface ResourcePoolDrainOptions extends CancelOptions {
  /**
   * How long to wait for what is lent, in milliseconds; default Infinity. After that it is taken away from those who have
   * it, and destroyed.
   */
  readonly forceAfterMs?: number | undefined;
}

/** What a pool has and has done. */
export interface ResourcePoolStats {
  /** How many resources there are, in whatever state. */
  readonly size: number;
  /** How many are there for the taking. */
  readonly idle: number;
  /** How many are lent. */
  readonly active: number;
  /** How many callers wait. */
  readonly waiting: number;
  /** How many have been made so far. */
  readonly created: number;
  /** How many have been destroyed so far. */
  readonly destroyed: number;
  /** How many attempts to make one have failed so far. */
  readonly failed: number;
}

/** The numbers among the options, checked. */
export interface PoolLimits {
  readonly max: number;
  readonly min: number;
  readonly order: "lifo" | "fifo";
  readonly capacity: number;
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly lifetimeJitter: number;
  readonly maxUses: number;
}

/** Checks all options. */
export function limitsOf<R>(
  options: Omit<ResourcePoolOptions<R>, "create"> & { readonly create: unknown },
): PoolLimits {
  for (const name of ["create", "destroy", "validate", "reset", "backoff", "onError"] as const) {
    if (name === "create" || options[name] !== undefined) requireFunction(name, options[name]);
  }
  if (options.leaks !== undefined) requireObject("leaks", options.leaks, "a LeakDetector");
  const max = requireInteger("max", options.max, 1);
  const lifetimeJitter = requireNumber("lifetimeJitter", options.lifetimeJitter ?? 0.1, 0);
  if (lifetimeJitter > 1)
    throw new RangeError(`lifetimeJitter must be a number from 0 to 1, got ${lifetimeJitter}`);
  return {
    max,
    min: requireInteger("min", options.min ?? 0, 0, max),
    order: requireOneOf("order", options.order ?? "lifo", ["lifo", "fifo"]),
    capacity: requireLimit("capacity", options.capacity ?? 1000, 0),
    acquireTimeoutMs: durationOf(options, "acquireTimeoutMs"),
    idleTimeoutMs: durationOf(options, "idleTimeoutMs"),
    maxLifetimeMs: durationOf(options, "maxLifetimeMs"),
    lifetimeJitter,
    maxUses: requireLimit("maxUses", options.maxUses ?? Number.POSITIVE_INFINITY, 1),
  };
}

/** A duration among options; without it, there is no limit. */
export function durationOf<N extends string>(
  options: { readonly [K in N]?: number | undefined },
  name: N,
): number {
  return requireDuration(name, options[name] ?? Number.POSITIVE_INFINITY);
}
