/**
 * The words of a team: who works, on what, and what becomes of failures.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";

/** Who works on a value. */
export interface ConsumerContext {
  /** Which consumer of the team, from 1. */
  readonly consumer: number;
  /** Ends when the team is to give up. */
  readonly ctx: Context;
}

/** What a consumer does with a value. */
export type ConsumerHandler<T> = (value: T, consuming: ConsumerContext) => void | PromiseLike<void>;

/** A value that was taken. */
export interface TakenValue<T> {
  /** The value. */
  readonly value: T;
  /** Which consumer had taken it, from 1. */
  readonly consumer: number;
}

/** A value that was taken, and not worked on to the end. */
export interface UnfinishedValue<T> extends TakenValue<T> {
  /** What the handler threw; or why it was not begun. */
  readonly error: unknown;
}

/** How a team consumes. */
export interface ConsumeOptions<T> extends CancelOptions {
  /** How many values are worked on at once: at least 1; default 1. */
  readonly consumers?: number | undefined;
  /**
   * Takes what the handler threw, and the value on which it failed; then the team goes on. What this throws ends the
   * team. Without it, the first failure does.
   */
  readonly onError?: ((error: unknown, failed: TakenValue<T>) => void | PromiseLike<void>) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}
