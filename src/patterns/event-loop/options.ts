/**
 * The words of the event loop: events, handlers, failures, and the options.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";

/** An event: its kind, and what it carries. Narrow it by `kind`. */
export type LoopEvent<E extends object> = {
  [K in keyof E & string]: { readonly kind: K; readonly value: E[K] };
}[keyof E & string];

/** What failed: a handler, with the event that it was given, or a source, which has ended with that. */
export type LoopFailure<E extends object> =
  | { readonly from: "handler"; readonly event: LoopEvent<E> }
  | { readonly from: "source"; readonly kind: keyof E & string };

/** Handles an event. `ctx` ends when the run is cancelled, not when the loop is stopped or closed. */
export type EventHandler<T> = (value: T, ctx: Context) => void | PromiseLike<void>;

/** Takes a handler or a source back. Calling it again does nothing. */
export interface Registration {
  (): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** How a loop works. */
export interface EventLoopOptions<E extends object> {
  /** How many posted events may wait to be handled: at least 1; default 1024. */
  readonly capacity?: number | undefined;
  /**
   * Deals with a failure, as a `catch` block does: if it returns, the loop goes on; what it throws ends the loop and is
   * what `run` rejects with. Without it, every failure does. It never overlaps with a handler.
   */
  readonly onError?: ((error: unknown, failure: LoopFailure<E>) => void | PromiseLike<void>) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How a handler is called. */
export interface HandlerOptions {
  /** Whether it is called for one event only; default false. */
  readonly once?: boolean | undefined;
}

/** How a loop runs. */
export interface LoopRunOptions extends CancelOptions {
  /**
   * When it ends by itself: `closed`, the default, after `close`; `idle` also when every source has
   * ended and no event waits.
   */
  readonly until?: "closed" | "idle" | undefined;
}
