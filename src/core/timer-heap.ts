/**
 * Timers by the instant at which they are due, then by the order in which they were set: a binary heap.
 *
 * A cancelled timer stays until it comes up and is dropped then; the heap is swept when most of it is cancelled.
 */
export interface HeapTimer {
  readonly dueMs: number;
  readonly id: number;
  /** `set` while it is in the heap, `taken` when it was taken out to be fired, `over` when it has fired or never will. */
  state: "set" | "taken" | "over";
}

export class TimerHeap<T extends HeapTimer> {
  #items: T[] = [];
  #cancelled = 0;

  /** The timer that is due first, if any. */
  get first(): T | undefined {
    while (this.#items[0]?.state === "over") {
      this.#removeFirst();
      this.#cancelled--;
    }
    return this.#items[0];
  }

  /** All timers that are set, in no order. */
  get live(): T[] {
    return this.#items.filter(({ state }) => state === "set");
  }

  push(timer: T): void {
    this.#items.push(timer);
    this.#up(this.#items.length - 1);
  }

  /** Takes the timer that is due first. */
  shift(): T | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.#removeFirst();
    first.state = "taken";
    return first;
  }

  /** A timer will not be fired. */
  cancel(timer: T): void {
    const inHeap = timer.state === "set";
    timer.state = "over";
    if (!inHeap || ++this.#cancelled * 2 <= this.#items.length || this.#items.length < 64) return;
    this.#items = this.live.toSorted((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #removeFirst(): void {
    const last = this.#items.pop() as T;
    if (this.#items.length === 0) return;
    this.#items[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    for (let index = start; index > 0; ) {
      const above = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, above)) return;
      index = above;
    }
  }

  #down(start: number): void {
    for (let index = start; ; ) {
      const left = index * 2 + 1;
      const right = left + 1;
      if (left >= this.#items.length) return;
      const least = this.#isBefore(right, left) ? right : left;
      if (!this.#swapIfBefore(least, index)) return;
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const a = this.#items[one];
    return a !== undefined && before(a, this.#items[other] as T);
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    if (!this.#isBefore(lower, upper)) return false;
    const moved = this.#items[lower] as T;
    this.#items[lower] = this.#items[upper] as T;
    this.#items[upper] = moved;
    return true;
  }
}

function before(a: HeapTimer, b: HeapTimer): boolean {
  return a.dueMs === b.dueMs ? a.id < b.id : a.dueMs < b.dueMs;
}
