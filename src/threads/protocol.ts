/**
 * What a pool and its threads tell each other.
 *
 * Where a call stands is in shared memory, one cell for each place that a thread has for calls, and changes by
 * compare-and-exchange alone. So either the thread begins a call or the pool takes it back, never both; and a thread that
 * is to be ended because of one call begins no other after that. Without shared memory neither side sees what the other
 * writes: there are no cells, a thread has one call at a time, and what was sent is not taken back.
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

/** What each cell takes. */
export const CELL_BYTES: number = Int32Array.BYTES_PER_ELEMENT;

/** Changes where a call stands, and says whether it stood there. */
export function change(cells: Int32Array, id: number, from: 0 | 1, to: 1 | 2 | 3): boolean {
  const before = cellOf(id, from);
  return Atomics.compareExchange(cells, placeOf(id), before, cellOf(id, to)) === before;
}

// Messages are lists: the names of an object's fields are copied with each, and take longer than what they name.

/** To a thread. */
export type Order = CallOrder | MoreOrder | CancelOrder;

/**
 * To call a function. `tellBegin`: whether the pool wants to know when it begins. `credit`: how many values of a stream may
 * be on their way; undefined if it is to give one result.
 */
export type CallOrder = readonly [
  kind: "call",
  id: number,
  name: string,
  job: unknown,
  tellBegin: boolean,
  credit: number | undefined,
];

/** That so many values of a stream have been taken. */
export type MoreOrder = readonly [kind: "more", id: number, count: number];

/** That nobody wants the result any more. */
export type CancelOrder = readonly [kind: "cancel", id: number, reason: ErrorRecord];

/** From a thread. */
export type News =
  /** The module is loaded. */
  | readonly [kind: "loaded"]
  /** The module could not be loaded, and the thread is about to end. */
  | readonly [kind: "unloadable", error: ErrorRecord]
  | NewsOfCall;

/** Of a call. */
export type NewsOfCall =
  | readonly [kind: "begun", id: number]
  /** One value of a stream. */
  | readonly [kind: "value", id: number, value: unknown]
  | readonly [kind: "done", id: number, value: unknown, tookMs: number]
  | readonly [kind: "failed", id: number, error: ErrorRecord, tookMs: number];
