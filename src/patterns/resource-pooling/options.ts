/**
 * What a pool is told.
 */
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireLimit,
  requireOneOf,
} from "../../core/arguments.ts";
import type { Context } from "../../sync/context.ts";

/** The callbacks of a pool, by name. */
export type PoolCallback = "create" | "validate" | "destroy";

/** How a pool makes, keeps and ends its resources. Its callbacks may throw or reject; they run where the pool was made. */
export interface ResourcePoolOptions<R> {
  /**
   * Makes a resource. `ctx` ends when the pool is closed, not when the caller leaves who needed it: then the resource is
   * for the next.
   */
  create(ctx: Context): R | PromiseLike<R>;
  /** Ends a resource. `cause` is what `Lease.discard` was given. */
  destroy?(resource: R, cause?: unknown): void | PromiseLike<void>;
  /** Whether an idle resource is still good, asked before it is handed out. One that is not is destroyed. */
  validate?(resource: R): boolean | PromiseLike<boolean>;
  /** How many resources there are at most, in whatever state: at least 1. */
  readonly max: number;
  /** How many to have ready: from 0, the default, to `max`. */
  readonly min?: number | undefined;
  /** Which idle resource is handed out: the one used last, `lifo`, the default, or the one idle for longest, `fifo`. */
  readonly order?: "lifo" | "fifo" | undefined;
  /** How many callers may wait when all resources are in use: at least 0; default 1000. */
  readonly capacity?: number | undefined;
  /** How long a caller waits at most, in milliseconds; default Infinity. */
  readonly acquireTimeoutMs?: number | undefined;
  /**
   * Told of every error that fails no `acquire`: of `destroy`, of `validate`, and of a `create` nobody waits for any
   * more. Without it, those of `destroy` become uncaught exceptions of the host; the others the next caller finds out.
   */
  onError?(error: unknown, callback: PoolCallback): void;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** The numbers among the options, checked. */
export interface PoolLimits {
  readonly max: number;
  readonly min: number;
  readonly order: "lifo" | "fifo";
  readonly capacity: number;
  readonly acquireTimeoutMs: number;
}

/** Checks all options. */
export function limitsOf<R>(options: ResourcePoolOptions<R>): PoolLimits {
  for (const name of ["create", "destroy", "validate", "onError"] as const) {
    if (name === "create" || options[name] !== undefined) requireFunction(name, options[name]);
  }
  const max = requireInteger("max", options.max, 1);
  return {
    max,
    min: requireInteger("min", options.min ?? 0, 0, max),
    order: requireOneOf("order", options.order ?? "lifo", ["lifo", "fifo"]),
    capacity: requireLimit("capacity", options.capacity ?? 1000, 0),
    acquireTimeoutMs: requireDuration(
      "acquireTimeoutMs",
      options.acquireTimeoutMs ?? Number.POSITIVE_INFINITY,
    ),
  };
}
