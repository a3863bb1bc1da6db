/**
 * The words of a team: who works, on what, and what becomes of failures.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Context } from "../../sync/context.ts";

/** Who works on a value. */
export interface Consuming {
  /** Which consumer of the team, from 1. */
  readonly consumer: number;
  /** Ends when the team is to give up. */
  readonly ctx: Context;
}

/** What a consumer does with a value. */
export type Handler<T> = (value: T, consuming: Consuming) => void | PromiseLike<void>;

/** A value that was taken, and not worked on to the end. */
export interface Failure<T> {
  /** The value. */
  readonly value: T;
  /** Which consumer had taken it, from 1. */
  readonly consumer: number;
  /** What the handler threw; or why it was not begun. */
  readonly error: unknown;
}

/** How a team consumes. */
export interface ConsumeOptions<T> extends CancelOptions {
  /** How many values are worked on at once: at least 1; default 1. */
  readonly consumers?: number | undefined;
  /** Takes a failure, and the team goes on, unless it throws. Without it, the first failure ends the team. */
  readonly onError?: ((failure: Failure<T>) => void | PromiseLike<void>) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}
