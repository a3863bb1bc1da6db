/**
 * Where idle resources stand.
 */
import { RingBuffer } from "../../core/ring-buffer.ts";

/** A resource, and the number under which the event log knows it. */
export interface Entry<R> {
  readonly id: number;
  readonly value: R;
}

/** Whoever takes from it has seen that there is something. */
export interface Shelf<R> {
  readonly size: number;
  push(entry: Entry<R>): void;
  shift(): Entry<R>;
}

/** Gives the entry that came last, or the one that came first. */
export function newShelf<R>(order: "lifo" | "fifo"): Shelf<R> {
  return order === "lifo" ? new Stack<R>() : new RingBuffer<Entry<R>>();
}

class Stack<R> implements Shelf<R> {
  readonly #entries: Entry<R>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  push(entry: Entry<R>): void {
    this.#entries.push(entry);
  }

  shift(): Entry<R> {
    return this.#entries.pop() as Entry<R>;
  }
}
