/**
 * A line that tells when somebody begins to wait in it, and when nobody does any more.
 */
import { type QueueNode, WaiterQueue } from "../core/waiter-queue.ts";

/** A line of those who wait. */
export class WatchedLine<N extends QueueNode> extends WaiterQueue<N> {
  readonly #begun: () => void;
  readonly #over: () => void;

  constructor(begun: () => void, over: () => void) {
    super();
    this.#begun = begun;
    this.#over = over;
  }

  override push(node: N): void {
    super.push(node);
    if (this.size === 1) this.#begun();
  }

  override remove(node: N): void {
    super.remove(node);
    if (this.size === 0) this.#over();
  }
}
