/**
 * How a value is put into a queue that has an order of its own.
 */
import { requireFunction, requireInteger, requireNumber } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { Item } from "./fair-line.ts";

/** When a value is to be taken. A `Context` fits. */
export interface QueuePutOptions extends CancelOptions {
  /**
   * A whole number, the higher the sooner; default 0. While several priorities wait in a lane, one in eight of its turns
   * is that of the value that has waited longest, so that none starves.
   */
  readonly priority?: number | undefined;
  /** For how long it is not to be taken, in milliseconds: a finite number of at least 0; default 0. It has its place. */
  readonly delayMs?: number | undefined;
}

/** How large a queue is, and which lanes it has. */
export interface QueueLaneOptions<T> {
  /** How many values it holds at most: at least 1. */
  readonly capacity: number;
  /** The lane of a value, a tenant say, compared as a key of a Map. Lanes take turns. By default there is one. */
  readonly laneOf?: ((value: T) => unknown) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** Checks the options of a queue. Returns its capacity. */
export function requireLanes<T>({ capacity, laneOf }: QueueLaneOptions<T>): number {
  if (laneOf !== undefined) requireFunction("laneOf", laneOf);
  return requireInteger("capacity", capacity, 1);
}

/** Checks the options of a put. */
export function placeOf({ priority = 0, delayMs = 0 }: QueuePutOptions = {}): {
  readonly priority: number;
  readonly delayMs: number;
} {
  requireInteger("priority", priority, Number.MIN_SAFE_INTEGER);
  return { priority, delayMs: requireNumber("delayMs", delayMs, 0) };
}

/** A value in line. */
export function itemOf<T>(value: T, priority: number, laneOf: ((value: T) => unknown) | undefined): Item<T> {
  return new Item(value, priority, laneOf?.(value));
}
