/**
 * Deadlines, cancellation and values that follow a call down its tree, as Go's `context`.
 *
 * The tree is ours and cheap; the AbortSignal of a context is made only when somebody asks for it. So
 * `channel.receive(ctx)` works as it is, and so does `fetch(url, ctx)`.
 */
import { refuseType, requireDuration, requireObject } from "../core/arguments.ts";
import {
  Cancellation,
  type CancellationCarrier,
  type CancelOptions,
  cancellationKey,
  deadlineOf,
  Ending,
} from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import type { CanceledError, TimeoutError } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { currentRuntime } from "../core/runtime.ts";

export type { CancelOptions } from "../core/cancellation.ts";
export { afterFunc } from "./after-func.ts";

/**
 * Carries a deadline, a cancellation and values down a tree of calls. The root is {@link background}; every other one
 * is made by a function of this module whose name begins with `with`.
 *
 * A Context fits wherever `{ signal }` is asked for. Its signal alone carries end and deadline on, but no values: a
 * child of `{ signal: ctx.signal }` has the deadline of `ctx`.
 */
export interface Context extends CancelOptions {
  /** The same as an AbortSignal, with {@link Context.cause} as its reason. Made when first asked for. */
  readonly signal: AbortSignal;
  /** Why it ended, as Go's `Err`: a `CanceledError` or a `TimeoutError`; undefined before that. */
  readonly error: CanceledError | TimeoutError | undefined;
  /** What the end was blamed on: the cause given to `cancel`, else `error`. Waiting calls reject with it. */
  readonly cause: unknown;
  /** The instant at which it ends by itself, in milliseconds of `now()`; undefined if there is none. */
  readonly deadlineMs: number | undefined;
  /** What the nearest ancestor holds under `key`; undefined if none does. */
  value<T>(key: ContextKey<T>): T | undefined;
}

/** A context together with the way to end it. */
export interface CancelableContext {
  /** The new context. */
  readonly ctx: Context;
  /**
   * Ends the context and all below it, synchronously. The first end wins; later calls do nothing. Call it in any case,
   * in a `finally` or with `using`: until then the parent remembers the child.
   */
  readonly cancel: (cause?: unknown) => void;
  /** Cancels, so that `using` leaves nothing behind. */
  [Symbol.dispose](): void;
}

/** Blames a deadline on something of your own. */
export interface DeadlineOptions {
  /** Becomes the context's `cause` if the deadline is what ends it. */
  readonly cause?: unknown;
}

/**
 * A key for a value of type `T`. Compared by identity, so two packages cannot collide.
 *
 * @example
 * const requestId = new ContextKey<string>("request id");
 * const ctx = withValue(background, requestId, "r-1");
 * ctx.value(requestId); //=> "r-1"
 */
export class ContextKey<T> {
  /** For people; never compared. */
  readonly name: string;
  /** Never there: ties the key to the type of its value. */
  declare readonly type?: T;

  constructor(name: string) {
    this.name = name;
  }
}

interface Entry {
  readonly key: ContextKey<unknown>;
  readonly value: unknown;
}

class ContextNode implements Context, CancellationCarrier {
  /** Null if it never ends. */
  readonly [cancellationKey]: Cancellation | null;
  readonly #parent: ContextNode | undefined;
  readonly #entry: Entry | undefined;

  constructor(parent: CancelOptions | undefined, cancellation: Cancellation | null, entry?: Entry) {
    this[cancellationKey] = cancellation;
    this.#parent = parent instanceof ContextNode ? parent : undefined;
    this.#entry = entry;
  }

  get deadlineMs(): number | undefined {
    return this[cancellationKey]?.deadlineMs;
  }

  get signal(): AbortSignal {
    return this[cancellationKey]?.signal ?? neverAborted();
  }

  get error(): CanceledError | TimeoutError | undefined {
    return this[cancellationKey]?.ending?.error;
  }

  get cause(): unknown {
    return this[cancellationKey]?.ending?.reason;
  }

  value<T>(key: ContextKey<T>): T | undefined {
    return ContextNode.#lookUp(this, key) as T | undefined;
  }

  static #lookUp(start: ContextNode, key: ContextKey<unknown>): unknown {
    for (let node: ContextNode | undefined = start; node !== undefined; node = node.#parent) {
      if (node.#entry?.key === key) return node.#entry.value;
    }
    return undefined;
  }
}

let never: AbortSignal | undefined;

/** The signal of a context that cannot end: one for all, as nobody can tell two of them apart. */
function neverAborted(): AbortSignal {
  never ??= new AbortController().signal;
  return never;
}

/**
 * The root of every tree: never ends, has no deadline and no values.
 *
 * @example
 * background.error; //=> undefined
 */
export const background: Context = new ContextNode(undefined, null);

/**
 * A child that ends when its parent does, or when `cancel` is called.
 *
 * **Guarantees** Cancelling reaches every descendant before it returns; parent and siblings are untouched. A child of
 * an ended parent is born ended, with the parent's error and cause.
 * **Units and ranges** `parent`: a context, or anything with a `signal`, so `withCancel({ signal })` bridges the Web.
 * **Cancellation** Leaves no listener on the parent's signal and no place in the parent's list.
 * **Cost** O(1); `cancel` is O(descendants).
 * **Source** Go's `context.WithCancelCause`.
 *
 * @example
 * const { ctx, cancel } = withCancel(background);
 * cancel();
 * ctx.error?.message; //=> "context canceled"
 */
export function withCancel(parent: CancelOptions): CancelableContext {
  requireParent(parent);
  return derive(parent, deadlineOf(parent));
}

/**
 * A child that also ends by itself at `deadlineMs`, an instant of `now()`.
 *
 * **Guarantees** The earlier of the parent's and its own deadline holds, also if the parent is only the signal of a
 * context; if that is the parent's, no timer is set. A deadline that has passed ends it at once. After the end, its error
 * says "context deadline exceeded".
 * **Source** Go's `context.WithDeadlineCause`.
 *
 * @example
 * const { ctx } = withDeadline(background, now() - 1);
 * ctx.error?.message; //=> "context deadline exceeded"
 */
export function withDeadline(
  parent: CancelOptions,
  deadlineMs: number,
  options: DeadlineOptions = {},
): CancelableContext {
  requireParent(parent);
  const own = requireDuration("deadlineMs", deadlineMs);
  const inherited = deadlineOf(parent);
  if (own === Number.POSITIVE_INFINITY || (inherited !== undefined && inherited <= own))
    return derive(parent, inherited);
  return deriveTimed(parent, own, own - currentRuntime().clock.now(), options.cause);
}

/**
 * A child that also ends by itself after `timeoutMs`.
 *
 * **Units and ranges** Milliseconds; zero and less end it at once, `Infinity` never.
 * **Source** Go's `context.WithTimeoutCause`.
 *
 * @example
 * const { ctx, cancel } = withTimeout(background, 5);
 * const failure: unknown = await new Channel<string>().receive(ctx).catch((error: unknown) => error);
 * cancel();
 * (failure as Error).message; //=> "context deadline exceeded"
 */
export function withTimeout(
  parent: CancelOptions,
  timeoutMs: number,
  options: DeadlineOptions = {},
): CancelableContext {
  const timeout = requireDuration("timeoutMs", timeoutMs);
  return withDeadline(parent, currentRuntime().clock.now() + timeout, options);
}

/**
 * A child that holds `value` under `key`, and ends with its parent. `undefined` and `null` may shadow.
 *
 * **Not for** optional parameters: for what belongs to a request and crosses packages.
 *
 * @example
 * const user = new ContextKey<string>("user");
 * withValue(background, user, "ada").value(user); //=> "ada"
 */
export function withValue<T>(parent: Context, key: ContextKey<T>, value: T): Context {
  requireParent(parent);
  if (!(key instanceof ContextKey)) refuseType("key", "a ContextKey", key);
  const entry: Entry = { key, value };
  const cancellation = parent instanceof ContextNode ? parent[cancellationKey] : new Cancellation(parent);
  return new ContextNode(parent, cancellation, entry);
}

/**
 * A child that keeps the values of its parent, but not its end and not its deadline: for what must outlive a request.
 *
 * @example
 * const { ctx, cancel } = withCancel(background);
 * const detached = withoutCancel(ctx);
 * cancel();
 * detached.error; //=> undefined
 */
export function withoutCancel(parent: Context): Context {
  requireParent(parent);
  return new ContextNode(parent, null);
}

function requireParent(parent: CancelOptions): void {
  requireObject("parent", parent, "a context, or an object with a signal");
}

/** A context and its end. A class, as there may be very many: one shape, and one closure each. */
class Scope implements CancelableContext {
  readonly ctx: Context;
  readonly cancel: (cause?: unknown) => void;

  constructor(ctx: Context, cancel: (cause?: unknown) => void) {
    this.ctx = ctx;
    this.cancel = cancel;
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** A new node with an end of its own. */
function derive(parent: CancelOptions, deadlineMs: number | undefined): CancelableContext {
  const cancellation = new Cancellation(parent, undefined, deadlineMs);
  const resource = observe(currentRuntime(), "scope", undefined);
  return scopeOf(parent, cancellation, resource);
}

/** The same with a timer, which ends it after `remainingMs`. */
function deriveTimed(
  parent: CancelOptions,
  deadlineMs: number,
  remainingMs: number,
  timeoutCause: unknown,
): CancelableContext {
  const runtime = currentRuntime();
  let timer: Timer | undefined;
  const cancellation = new Cancellation(parent, () => timer?.cancel(), deadlineMs);
  const resource = observe(runtime, "scope", undefined);
  if (cancellation.ending === undefined) {
    const expire = (): void => end(cancellation, resource, new Ending("timeout", timeoutCause));
    if (remainingMs <= 0) expire();
    else timer = runtime.clock.after(remainingMs, expire);
  }
  return scopeOf(parent, cancellation, resource);
}

function scopeOf(
  parent: CancelOptions,
  cancellation: Cancellation,
  resource: Resource | undefined,
): CancelableContext {
  const cancel = (cause?: unknown): void => end(cancellation, resource, new Ending("canceled", cause));
  return new Scope(new ContextNode(parent, cancellation), cancel);
}

function end(cancellation: Cancellation, resource: Resource | undefined, ending: Ending): void {
  if (resource !== undefined && cancellation.ending === undefined && cancellation.watched)
    resource.emit({ k: "cancel.req", scope: resource.id, reason: String(ending.reason) });
  cancellation.end(ending);
}
