/**
 * Deadlines, cancellation and values that follow a call down its tree, as Go's `context`.
 *
 * The tree is ours and cheap; the AbortSignal of a context is made only when somebody asks for it. So
 * `channel.receive(ctx)` works as it is, and so does `fetch(url, ctx)`.
 */
import { refuseType, requireDuration, requireObject } from "../core/arguments.ts";
import { bareRuntime } from "../core/bare-runtime.ts";
import {
  type CancellationCarrier,
  type CancelOptions,
  cancellationKey,
  deadlineOf,
  type Ending,
  endingOf,
  requireSignal,
} from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { CanceledError, TimeoutError } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { currentRuntime } from "../core/runtime.ts";
import { errorOf, Scope, ScopeEnding } from "../core/scope.ts";
import { type CancelableContext, type Context, ContextKey, type DeadlineOptions } from "./context/types.ts";

export type { CancelOptions } from "../core/cancellation.ts";
export { afterFunc } from "./after-func.ts";
export { type CancelableContext, type Context, ContextKey, type DeadlineOptions } from "./context/types.ts";

/** The values that a context holds, the nearest first. */
interface Entry {
  readonly key: ContextKey<unknown>;
  readonly value: unknown;
  readonly next: Entry | undefined;
}

class ContextNode implements Context, CancellationCarrier {
  readonly #scope: Scope | null | undefined;
  readonly #values: Entry | undefined;

  constructor(scope: Scope | null | undefined, values: Entry | undefined) {
    this.#scope = scope;
    this.#values = values;
  }

  /** Null if it never ends; undefined if it ends as its signal does, and that is foreign. */
  get [cancellationKey](): Scope | null | undefined {
    return this.#scope;
  }

  get deadlineMs(): number | undefined {
    return this.#scope?.deadlineMs;
  }

  get signal(): AbortSignal {
    return this.#scope?.signal ?? neverAborted();
  }

  get error(): CanceledError | TimeoutError | undefined {
    const ending = this.#scope?.ending;
    return ending === undefined ? undefined : errorOf(ending);
  }

  get cause(): unknown {
    return this.#scope?.ending?.reason;
  }

  value<T>(key: ContextKey<T>): T | undefined {
    for (let entry = this.#values; entry !== undefined; entry = entry.next) {
      if (entry.key === key) return entry.value as T;
    }
    return undefined;
  }

  /** What a child of `parent` inherits. */
  static valuesOf(parent: CancelOptions): Entry | undefined {
    return parent instanceof ContextNode ? parent.#values : undefined;
  }
}

/**
 * A value over a signal that is not known to be of a context. Such a context is never ended by hand, so a listener would
 * stay as long as the signal: it has none, and looks when it is asked.
 */
class ForeignNode extends ContextNode {
  readonly #signal: AbortSignal;
  #ending: Ending | undefined;

  constructor(signal: AbortSignal, values: Entry) {
    super(undefined, values);
    this.#signal = signal;
  }

  override get deadlineMs(): number | undefined {
    return deadlineOf({ signal: this.#signal });
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }

  override get error(): CanceledError | TimeoutError | undefined {
    return this.#seen === undefined ? undefined : errorOf(this.#seen);
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
export const background: Context = /* @__PURE__ */ new ContextNode(null, undefined);

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
  return handleOf(parent, new OwnScope(parent));
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
  const inherits = own === Infinity || (inherited !== undefined && inherited <= own);
  const scope = new OwnScope(parent, inherits ? undefined : own);
  if (!inherits) expireAfter(scope, own - currentRuntime().clock.now(), options.cause);
  return handleOf(parent, scope);
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
  const values: Entry = { key, value, next: ContextNode.valuesOf(parent) };
  const scope = parent instanceof ContextNode ? parent[cancellationKey] : undefined;
  if (scope !== undefined) return new ContextNode(scope, values);
  return new ForeignNode(requireSignal(parent.signal), values);
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
  return new ContextNode(null, ContextNode.valuesOf(parent));
}

function requireParent(parent: CancelOptions): void {
  requireObject("parent", parent, "a context, or an object with a signal");
}

/** The state behind a context that is ended by hand, and may be by a timer. */
class OwnScope extends Scope {
  /** What ends it by itself, if anything does; stopped at its end. */
  declare timer?: Timer;
  declare private resource?: Resource;

  /** Without a deadline of its own, it has that of its parent. */
  constructor(parent: CancelOptions, deadlineMs?: number) {
    super(parent, deadlineMs);
    const resource = observe(bareRuntime(), "scope", undefined);
    if (resource !== undefined) this.resource = resource;
  }

  override end(ending: Ending): void {
    if (this.resource !== undefined && this.ending === undefined && this.watched) {
      const reason = String(ending.reason);
      this.resource.emit({ k: "cancel.req", scope: this.resource.id, reason });
    }
    super.end(ending);
  }

  cancel(cause?: unknown): void {
    this.end(new ScopeEnding(CanceledError, cause));
  }

  protected override ended(ending: Ending): void {
    this.timer?.cancel();
    super.ended(ending);
  }
}

/** Lets it end by itself after `remainingMs`. No method: where nothing has a deadline, no clock is loaded. */
function expireAfter(scope: OwnScope, remainingMs: number, cause: unknown): void {
  if (scope.ending !== undefined) return;
  const expire = (): void => scope.end(new ScopeEnding(TimeoutError, cause));
  if (remainingMs <= 0) expire();
  else scope.timer = currentRuntime().clock.after(remainingMs, expire);
}

/** A context and its end. A class, and a bound function, which is half of a closure: there may be very many. */
class Handle implements CancelableContext {
  readonly ctx: Context;
  readonly cancel: (cause?: unknown) => void;

  constructor(ctx: Context, scope: OwnScope) {
    this.ctx = ctx;
    this.cancel = scope.cancel.bind(scope);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

function handleOf(parent: CancelOptions, scope: OwnScope): CancelableContext {
  return new Handle(new ContextNode(scope, ContextNode.valuesOf(parent)), scope);
}
