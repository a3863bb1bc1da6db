/**
 * The words of the event loop: events, handlers, failures, and the options.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";

/** An event: its kind, and what it carries. Narrow it by `kind`. */
export type LoopEvent<E extends object> = {
  [K in keyof E & string]: {
    /** What kind of event it is. */
    readonly kind: K;
    /** What it carries. */
    readonly value: E[K];
  };
}[keyof E & string];

/** What failed: a handler, with the event that it was given, or a source, which has ended with that. */
export type LoopFailure<E extends object> =
  | {
      /** A handler threw. */
      readonly from: "handler";
      /** The event that it was given. */
      readonly event: LoopEvent<E>;
    }
  | {
      /** A source threw, and has ended with that. */
      readonly from: "source";
      /** The kind of its events. */
      readonly kind: keyof E & string;
    };

/** Handles an event. `ctx` ends when the run is cancelled, not when the loop is stopped or closed. */
export type EventHandler<T> = (value: T, ctx: Context) => void | PromiseLike<void>;

/** How long a loop keeps the host waiting. */
export interface LoopSliceOptions {
  /** After so many milliseconds of handlers, the host gets its turn for timers and I/O; default 5. */
  readonly sliceMs?: number | undefined;
  /** After so many events it does in any case: at least 1; default Infinity. */
  readonly sliceEvents?: number | undefined;
}

/** Sees the events of a loop come and go; a `LoopWatch` is one. It must not throw. */
export interface LoopObserver {
  /**
   * An event is about to be handled. What this returns is called when that is done. `waitedMs` is how long ago it was
   * accepted; undefined if nobody knows, as for what a channel has held.
   */
  begin(kind: string, waitedMs: number | undefined): () => void;
}

/** How a source stands to the others. */
export interface SourceOptions {
  /**
   * Events of a higher priority are handled first: any whole number, default 0, which is also that of posts. A source that
   * has an event all the while is passed over for a higher priority at most 64 times in a row.
   */
  readonly priority?: number | undefined;
  /** Among those of the same priority, the chance to be next is in proportion to this: at least 1; default 1. */
  readonly weight?: number | undefined;
}

/** What a loop has done, and what it has to do. */
export interface LoopStats {
  /** How many events have been handled to the end. */
  readonly processed: number;
  /** How many events, and how many sources, failed, whatever became of that. */
  readonly failed: number;
  /** How many posted events wait to be handled. */
  readonly size: number;
  /** How many posts wait for room. */
  readonly waiting: number;
  /** How many sources have not ended. */
  readonly sources: number;
}

/** How a loop works. */
export interface EventLoopOptions<E extends object> extends LoopSliceOptions {
  /** How many posted events may wait to be handled: at least 1; default 1024. */
  readonly capacity?: number | undefined;
  /**
   * Takes what was thrown, and what failed with it; then the loop goes on. What this throws ends the loop, and is what
   * `run` rejects with. Without it, the first failure does. It never overlaps with a handler.
   */
  readonly onError?: ((error: unknown, failed: LoopFailure<E>) => void | PromiseLike<void>) | undefined;
  /** Sees every event come and go: a `LoopWatch` of `event-loop/watch`. */
  readonly observer?: LoopObserver | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How a handler is called. */
export interface EventHandlerOptions {
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
