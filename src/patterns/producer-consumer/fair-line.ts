/**
 * Lanes that take turns, so that one tenant with a thousand values does not hold up another with one.
 *
 * Invariants
 *   I1  A lane is there as long as it has members.
 *   I2  Lanes stand in the order of their turns; one that has had its turn goes to the end.
 */
import { PriorityLine, type Ranked } from "../../core/priority-line.ts";
import { QueueNode } from "../../core/waiter-queue.ts";

/** A value in line. */
export class Item<T> extends QueueNode implements Ranked {
  readonly value: T;
  readonly priority: number;
  /** Compared as a key of a Map. */
  readonly lane: unknown;
  /** Written when it gets in line. @internal */
  place = 0;
  /** Since when it could be taken. @internal */
  sinceMs = 0;

  constructor(value: T, priority: number, lane: unknown) {
    super();
    this.value = value;
    this.priority = priority;
    this.lane = lane;
  }
}

export class FairLine<T> {
  readonly #lanes = new Map<unknown, PriorityLine<Item<T>>>();
  #places = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has waited longest. O(lanes). */
  get oldest(): Item<T> | undefined {
    let oldest: Item<T> | undefined;
    for (const lane of this.#lanes.values()) {
      const first = lane.oldest;
      if (first !== undefined && (oldest === undefined || first.place < oldest.place)) oldest = first;
    }
    return oldest;
  }

  push(item: Item<T>, nowMs: number): void {
    item.place = ++this.#places;
    item.sinceMs = nowMs;
    this.#size++;
    let lane = this.#lanes.get(item.lane);
    if (lane === undefined) {
      lane = new PriorityLine<Item<T>>();
      this.#lanes.set(item.lane, lane);
    }
    lane.push(item);
  }

  /** Takes from the lane whose turn it is the item whose turn it is. */
  shift(): Item<T> | undefined {
    const [turn] = this.#lanes;
    if (turn === undefined) return undefined;
    const [key, lane] = turn;
    const item = lane.shift();
    this.#size--;
    if (lane.size === 0) this.#lanes.delete(key);
    else if (this.#lanes.size > 1) {
      this.#lanes.delete(key);
      this.#lanes.set(key, lane);
    }
    return item;
  }
}
