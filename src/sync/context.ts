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
  endingOf,
  requireSignal,
} from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import type { CanceledError, TimeoutError } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { currentRuntime } from "../core/runtime.ts";
import { type CancelableContext, type Context, ContextKey, type DeadlineOptions } from "./context/types.ts";

export type { CancelOptions } from "../core/cancellation.ts";
export { afterFunc } from "./after-func.ts";
export { type CancelableContext, type Context, ContextKey, type DeadlineOptions } from "./context/types.ts";

interface Entry {
  readonly key: ContextKey<unknown>;
  readonly value: unknown;
}

class ContextNode implements Context, CancellationCarrier {
  /** Null if it never ends; undefined if it ends as its signal does, and that is foreign. */
  readonly [cancellationKey]: Cancellation | null | undefined;
  readonly #parent: ContextNode | undefined;
  readonly #entry: Entry | undefined;

  constructor(
    parent: CancelOptions | undefined,
    cancellation: Cancellation | null | undefined,
    entry?: Entry,
  ) {
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

/**
 * A value over a signal that is not known to be of a context. Such a context is never ended by hand, so a listener would
 * stay as long as the signal: it has none, and looks when it is asked.
 */
class ForeignNode extends ContextNode {
  readonly #signal: AbortSignal;
  #ending: Ending | undefined;

  constructor(parent: CancelOptions, signal: AbortSignal, entry: Entry) {
    super(parent, undefined, entry);
    this.#signal = signal;
  }

  override get deadlineMs(): number | undefined {
    return deadlineOf({ signal: this.#signal });
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }

  override get error(): CanceledError | TimeoutError | undefined {
    return this.#seen?.error;
  }

  override get cause(): unknown {
    return this.#seen?.reason;
  }

  /** Kept, so that its error is the same each time. */
  get #seen(): Ending | undefined {
    this.#ending ??= endingOf({ signal: this.#signal });
    return this.#ending;
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
 * **Cancellation** Leaves no listener on the parent's signal, whatever that is of.
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
  const cancellation = parent instanceof ContextNode ? parent[cancellationKey] : undefined;
  if (cancellation !== undefined) return new ContextNode(parent, cancellation, entry);
  return new ForeignNode(parent, requireSignal(parent.signal), entry);
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
