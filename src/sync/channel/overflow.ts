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
   * use the channel; what it throws, the send fails with, and nothing has changed. O(1).
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
  const report = reporter(onDrop);
  if (overflow === undefined) return undefined;
  if (typeof overflow === "object" && overflow !== null)
    return "conflateBy" in overflow ? conflatingBy(overflow, report) : conflating(overflow);
  const why = requireOneOf("overflow", overflow, ["block", "drop-oldest", "drop-newest", "error"]);
  if (why === "block") return undefined;
  if (why === "error") return { leastCapacity: 0, why, meet: refuse };
  if (why === "drop-oldest") return { leastCapacity: 1, why, meet: (_, buffer) => makeRoom(buffer, report) };
  return { leastCapacity: 0, why, meet: (value) => drop(value, report) };
}

type Report<T> = (value: T, why: DropReason) => void;

/** Calls back later, never inside a send, and in the async context of whoever made the channel. */
function reporter<T>(onDrop: OverflowOptions<T>["onDrop"]): Report<T> {
  if (onDrop === undefined) return () => {};
  requireFunction("onDrop", onDrop);
  const context = new AsyncContext();
  return (value, why) => void context.run(() => onDrop(value, why)).catch(reportUncaught);
}

function makeRoom<T>(buffer: RingBuffer<T>, report: Report<T>): Fate {
  report(buffer.shift(), "drop-oldest");
  return "room";
}

function drop<T>(value: T, report: Report<T>): Fate {
  report(value, "drop-newest");
  return "dropped";
}

function refuse(_: unknown, buffer: RingBuffer<unknown>): never {
  throw new FullError(`channel is full: ${buffer.size} values are buffered`);
}

function conflating<T>(policy: Conflate<T>): OverflowHandler<T> {
  requireFunction("overflow.conflate", policy.conflate);
  const meet = (value: T, buffer: RingBuffer<T>): Fate => {
    const newest = buffer.size - 1;
    buffer.set(newest, policy.conflate(buffer.at(newest), value));
    return "merged";
  };
  return { leastCapacity: 1, why: "conflate", meet };
}

function conflatingBy<T>(policy: ConflateBy<T>, report: Report<T>): OverflowHandler<T> {
  requireFunction("overflow.conflateBy", policy.conflateBy);
  const meet = (value: T, buffer: RingBuffer<T>): Fate => {
    const key = policy.conflateBy(value);
    for (let index = buffer.size - 1; index >= 0; index--) {
      const older = buffer.at(index);
      if (!isSame(policy.conflateBy(older), key)) continue;
      buffer.set(index, value);
      report(older, "drop-oldest");
      return "merged";
    }
    return makeRoom(buffer, report);
  };
  return { leastCapacity: 1, why: "conflate", meet };
}

/** As a `Map` compares: NaN is itself, and 0 is -0. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || Object.is(one, other);
}
