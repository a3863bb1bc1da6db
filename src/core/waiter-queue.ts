/**
 * The one list of those who wait, for something to be granted or to be cancelled: doubly linked through its members.
 *
 * A member leaves from anywhere in O(1) and by its own identity. Leaving by position is how a list loses a wake-up:
 * the one who is removed is not the one who was meant.
 */

/**
 * A member. It is in at most one queue.
 *
 * Its fields are declared and written once, here and in {@link Waiter}: a field that is defined first is written twice,
 * and every wait makes one of these.
 */
export abstract class QueueNode {
  /** For {@link WaiterQueue} alone. @internal */
  declare previous: QueueNode | undefined;
  /** For {@link WaiterQueue} alone. @internal */
  declare next: QueueNode | undefined;
  /** The queue it stands in, if any. @internal */
  declare queue: WaiterQueue<QueueNode> | undefined;

  constructor() {
    this.previous = undefined;
    this.next = undefined;
    this.queue = undefined;
  }
}

/** First come, first served. */
export class WaiterQueue<N extends QueueNode> {
  #first: QueueNode | undefined;
  #last: QueueNode | undefined;
  #size = 0;

  /** How many stand in it. */
  get size(): number {
    return this.#size;
  }

  /** The one who has waited longest. */
  get first(): N | undefined {
    return this.#first as N | undefined;
  }

  /** Puts a node at the end. */
  push(node: N): void {
    node.queue = this as unknown as WaiterQueue<QueueNode>;
    node.previous = this.#last;
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size++;
  }

  /** Takes the one who has waited longest. */
  shift(): N | undefined {
    const node = this.#first;
    if (node !== undefined) this.remove(node as N);
    return node as N | undefined;
  }

  /** Takes a node out, wherever it stands. Does nothing if it is not in this queue. */
  remove(node: N): void {
    if (node.queue !== (this as unknown)) return;
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
    node.queue = undefined;
    this.#size--;
  }
}
