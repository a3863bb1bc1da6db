/**
 * What a channel does with a value for which it has no room.
 */
import { requireFunction, requireOneOf } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import { FullError } from "../../core/errors.ts";
import type { RingBuffer } from "../../core/ring-buffer.ts";
import { reportUncaught } from "../../core/uncaught.ts";

/** Merges instead of dropping. */
export interface Conflate<T> {
  /**
   * Makes one value of two, in place of both: `older` is the newest in the buffer. Called inside the send, so it must not
   * use the channel; what it throws, the send fails with, and nothing has changed. O(capacity): meant for a capacity of 1.
   */
  readonly conflate: (older: T, newer: T) => T;
}

/** Replaces instead of dropping. */
export interface ConflateBy<T> {
  /**
   * Says what a value is about, compared as a `Map` does. The new value takes the place of the newest one about the same,
   * so nothing waits longer for being replaced; if there is none, the oldest value makes room. Called inside the send for
   * each value in the buffer, so it must not use the channel; what it throws, the send fails with, and nothing has
   * changed. O(capacity).
   */
  readonly conflateBy: (value: T) => unknown;
}

/**
 * What happens to a value for which there is no room. `block`: its sender waits. `drop-oldest`: the oldest value in the
 * buffer makes room. `drop-newest`: the value itself is dropped. `error`: its send fails with `FullError`. An object
 * with `conflate`: it is merged into the newest value in the buffer. One with `conflateBy`: it replaces an older value about
 * the same.
 */
export type OverflowPolicy<T> =
  | "block"
  | "drop-oldest"
  | "drop-newest"
  | "error"
  | Conflate<T>
  | ConflateBy<T>;

/** Why a value was dropped. */
export type DropReason = "drop-oldest" | "drop-newest";

/** What happens beyond the capacity. */
export interface OverflowOptions<T> {
  /** Default `block`. `drop-oldest` and `conflate` need a capacity of at least 1. */
  readonly overflow?: OverflowPolicy<T> | undefined;
  /**
   * Is given each value that is dropped, soon after the send that dropped it; to release what the value holds, say.
   * What it throws becomes an uncaught exception of the host.
   */
  readonly onDrop?: ((value: T, why: DropReason) => void) | undefined;
}

/**
 * What became of a value that met a full buffer: it was given `room`, it was `merged` into another, or `dropped`. One
 * value has gone in each case.
 */
type Fate = "room" | "merged" | "dropped";

/** A policy at work, on a buffer that is full. */
export interface OverflowHandler<T> {
  /** The least capacity with which it makes sense. */
  readonly leastCapacity: 0 | 1;
  /** As the event log says it. */
  readonly why: string;
  meet(value: T, buffer: RingBuffer<T>): Fate;
}

/** The policy that is asked for; undefined if senders wait. */
export function overflowHandler<T>({ overflow, onDrop }: OverflowOptions<T>): OverflowHandler<T> | undefined {
  if (onDrop !== undefined) requireFunction("onDrop", onDrop);
  if (overflow === undefined) return undefined;
  if (typeof overflow === "object" && overflow !== null)
    return "conflateBy" in overflow ? conflatingBy(overflow, reporter(onDrop)) : conflating(overflow);
  const word = requireOneOf("overflow", overflow, ["block", "drop-oldest", "drop-newest", "error"]);
  if (word === "error") return refusing();
  if (word === "drop-oldest") return droppingOldest(reporter(onDrop));
  return word === "drop-newest" ? droppingNewest(reporter(onDrop)) : undefined;
}

type Report<T> = ((value: T, why: DropReason) => void) | undefined;

/** Calls back later, never inside a send, and in the async context of whoever made the channel. */
function reporter<T>(onDrop: OverflowOptions<T>["onDrop"]): Report<T> {
  if (onDrop === undefined) return undefined;
  const context = new AsyncContext();
  return (value, why) => void context.run(() => onDrop(value, why)).catch(reportUncaught);
}

function droppingOldest<T>(report: Report<T>): OverflowHandler<T> {
  const why = "drop-oldest";
  const meet = (_: T, buffer: RingBuffer<T>): Fate => {
    const oldest = buffer.shift();
    report?.(oldest, why);
    return "room";
  };
  return { leastCapacity: 1, why, meet };
}

function droppingNewest<T>(report: Report<T>): OverflowHandler<T> {
  const why = "drop-newest";
  const meet = (value: T): Fate => {
    report?.(value, why);
    return "dropped";
  };
  return { leastCapacity: 0, why, meet };
}

function refusing<T>(): OverflowHandler<T> {
  const meet = (_: T, buffer: RingBuffer<T>): never => {
    throw new FullError(`channel is full: ${buffer.size} values are buffered`);
  };
  return { leastCapacity: 0, why: "error", meet };
}

function conflating<T>(policy: Conflate<T>): OverflowHandler<T> {
  requireFunction("overflow.conflate", policy.conflate);
  const meet = (value: T, buffer: RingBuffer<T>): Fate => {
    // The newest comes to the front, and the others behind it once more: O(capacity), and nothing at the usual 1.
    for (let others = buffer.size - 1; others > 0; others--) buffer.push(buffer.shift());
    let newest = buffer.shift();
    try {
      newest = policy.conflate(newest, value);
    } finally {
      buffer.push(newest);
    }
    return "merged";
  };
  return { leastCapacity: 1, why: "conflate", meet };
}

function conflatingBy<T>(policy: ConflateBy<T>, report: Report<T>): OverflowHandler<T> {
  requireFunction("overflow.conflateBy", policy.conflateBy);
  const meet = (value: T, buffer: RingBuffer<T>): Fate => {
    const values = Array.from({ length: buffer.size }, () => buffer.shift());
    let left = values;
    try {
      const key = policy.conflateBy(value);
      const same = values.findLastIndex((older) => isSame(policy.conflateBy(older), key));
      left = same < 0 ? values.slice(1) : values.with(same, value);
      report?.(values[Math.max(same, 0)] as T, "drop-oldest");
    } finally {
      for (const each of left) buffer.push(each);
    }
    return left.length < values.length ? "room" : "merged";
  };
  return { leastCapacity: 1, why: "conflate", meet };
}

/** As a `Map` compares: NaN is itself, and 0 is -0. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || Object.is(one, other);
}
