/**
 * Where idle resources stand.
 */
import { RingBuffer } from "../../core/ring-buffer.ts";
import type { Entry } from "./entry.ts";

/** Whoever takes from it has seen that there is something. Those who came earlier have been idle for longer. */
export interface Shelf<R> {
  readonly size: number;
  /** The one that has been idle for longest, left where it is. */
  readonly oldest: Entry<R> | undefined;
  push(entry: Entry<R>): void;
  /** Takes the one that is to be lent next. */
  shift(): Entry<R>;
  takeOldest(): Entry<R>;
}

/** Gives the entry that came last, or the one that came first. */
export function newShelf<R>(order: "lifo" | "fifo"): Shelf<R> {
  return order === "lifo" ? new Stack<R>() : new Queue<R>();
}

class Queue<R> implements Shelf<R> {
  readonly #entries = new RingBuffer<Entry<R>>();

  get size(): number {
    return this.#entries.size;
  }

  get oldest(): Entry<R> | undefined {
    return this.#entries.first;
  }

  push(entry: Entry<R>): void {
    this.#entries.push(entry);
  }

  shift(): Entry<R> {
    return this.#entries.shift();
  }

  takeOldest(): Entry<R> {
    return this.#entries.shift();
  }
}

/**
 * Invariant
 *   I1  The entries are those from `bottom` on; the places below are empty, and never more than half of all.
 */
class Stack<R> implements Shelf<R> {
  #entries: (Entry<R> | undefined)[] = [];
  #bottom = 0;

  get size(): number {
    return this.#entries.length - this.#bottom;
  }

  get oldest(): Entry<R> | undefined {
    return this.#entries[this.#bottom];
  }

  push(entry: Entry<R>): void {
    this.#entries.push(entry);
  }

  shift(): Entry<R> {
    const entry = this.#entries.pop() as Entry<R>;
    this.#compact();
    return entry;
  }

  takeOldest(): Entry<R> {
    const entry = this.#entries[this.#bottom] as Entry<R>;
    this.#entries[this.#bottom++] = undefined;
    this.#compact();
    return entry;
  }

  #compact(): void {
    if (this.#bottom * 2 <= this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#bottom);
    this.#bottom = 0;
  }
}
