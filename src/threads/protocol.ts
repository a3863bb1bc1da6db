/**
 * What a pool and its threads tell each other.
 *
 * Where a call stands is in shared memory, one cell for each place that a thread has for calls, and changes by
 * compare-and-exchange alone. So either the thread begins a call or the pool takes it back, never both; and a thread that
 * is to be ended because of one call begins no other after that.
 */
import type { ErrorRecord } from "./error-record.ts";

/** From `sent` to `begun` to `done`; or to `revoked`, from either of the first two. */
export const callState = { sent: 0, begun: 1, done: 2, revoked: 3 } as const;

/** A thread has so many places for calls. */
export const PLACES = 32;

/** The place of a call, which is part of its number. */
export function placeOf(id: number): number {
  return id % PLACES;
}

/** What a cell holds: the number of a call, and where it stands. Of another number, it is of an earlier call. */
export function cellOf(id: number, state: (typeof callState)[keyof typeof callState]): number {
  return (id << 2) | state;
}

/** To a thread. */
export type Order = CallOrder | MoreOrder | CancelOrder;

/** To call a function. */
export interface CallOrder {
  readonly kind: "call";
  readonly id: number;
  readonly name: string;
  readonly job: unknown;
  /** Whether the pool wants to know when it begins. */
  readonly tellBegin: boolean;
  /** How many values of a stream may be on their way; undefined if it is to give one result. */
  readonly credit?: number | undefined;
}

/** That so many values of a stream have been taken. */
export interface MoreOrder {
  readonly kind: "more";
  readonly id: number;
  readonly count: number;
}

/** That nobody wants the result any more. */
export interface CancelOrder {
  readonly kind: "cancel";
  readonly id: number;
  readonly reason: ErrorRecord;
}

/** From a thread. */
export type News =
  /** The module is loaded. */
  | { readonly kind: "loaded" }
  /** The module could not be loaded, and the thread is about to end. */
  | { readonly kind: "unloadable"; readonly error: ErrorRecord }
  | { readonly kind: "begun"; readonly id: number }
  /** One value of a stream. */
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown; readonly tookMs: number }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorRecord; readonly tookMs: number };
