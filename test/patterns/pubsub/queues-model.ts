/** A bus as simple as can be: a queue for each who listens, and nothing shared. */

/** Who handles at once, who is busy with each message until told to go on, and who reads one each time he is told to. */
export type Kind = "quick" | "slow" | "inbox";

interface Listener {
  readonly kind: Kind;
  readonly capacity: number;
  readonly seen: number[];
  /** Who is `ready` asks for a message when time goes by; who asks has room for one more until it begins with one. */
  state: "ready" | "asks" | "busy" | "left";
  queue: number[];
  /** The publishes that wait for it. */
  waited: number[];
}

function roomOf({ capacity, state, queue }: Listener): number {
  return capacity + (state === "asks" ? 1 : 0) - queue.length;
}

export class QueuesModel {
  readonly seen: number[][] = [];
  readonly #ended = new Map<number, string>();
  /** Of each publish that waits, how many have taken it. */
  readonly #waiting = new Map<number, number>();
  readonly #listeners: Listener[] = [];
  #state: "open" | "closed" = "open";

  on(kind: Kind, capacity: number): void {
    const seen: number[] = [];
    this.seen.push(seen);
    const state = kind === "inbox" ? "busy" : "ready";
    this.#listeners.push({ kind, capacity, seen, state, queue: [], waited: [] });
  }

  tryPublish(id: number): boolean {
    if (this.#present().some((listener) => roomOf(listener) === 0)) return false;
    for (const { queue } of this.#present()) queue.push(id);
    return true;
  }

  publish(id: number): void {
    this.#waiting.set(id, 0);
    for (const listener of this.#present()) {
      if (roomOf(listener) > 0) this.#accept(listener, id);
      else listener.waited.push(id);
    }
    this.#endTaken();
  }

  /** Gives up the publish that has waited so long, counted round and round, and tells which. */
  giveUp(index: number): number | undefined {
    const waiting = [...this.#waiting.keys()];
    const id = waiting[index % Math.max(1, waiting.length)];
    if (id !== undefined) this.#end(id, "CANCELED");
    return id;
  }

  goOn(index: number): void {
    const listener = this.#listeners[index];
    if (listener?.state !== "busy") return;
    if (listener.kind === "slow") listener.state = "ready";
    else this.#begin(listener);
  }

  leave(index: number): void {
    const listener = this.#listeners[index];
    if (listener === undefined) return;
    [listener.state, listener.queue, listener.waited] = ["left", [], []];
    this.#endTaken();
  }

  close(): void {
    this.#state = "closed";
    for (const id of this.#waiting.keys()) this.#end(id, "CLOSED");
  }

  /** Time goes by: everybody does what they can. */
  settle(): void {
    for (const listener of this.#present()) {
      while (listener.state === "ready" || (listener.state === "asks" && listener.queue.length > 0)) {
        listener.state = "asks";
        if (!this.#begin(listener)) break;
      }
    }
  }

  look(): unknown {
    return {
      seen: this.seen,
      ended: [...this.#ended].toSorted(([a], [b]) => a - b),
      waiting: this.#waiting.size,
      subscribers: this.#state === "closed" ? 0 : this.#present().length,
    };
  }

  #present(): Listener[] {
    return this.#listeners.filter(({ state }) => state !== "left");
  }

  /** The next message, if there is one, is handled; if that leaves room, who has waited longest comes in. */
  #begin(listener: Listener): boolean {
    if (listener.queue.length === 0) this.#admit(listener);
    const [message, ...others] = listener.queue;
    if (message === undefined) return false;
    listener.queue = others;
    listener.seen.push(message);
    listener.state = listener.kind === "quick" ? "ready" : "busy";
    if (roomOf(listener) > 0) this.#admit(listener);
    this.#endTaken();
    return true;
  }

  #admit(listener: Listener): void {
    const [first, ...others] = listener.waited;
    if (first === undefined) return;
    listener.waited = others;
    this.#accept(listener, first);
  }

  #accept({ queue }: Listener, id: number): void {
    queue.push(id);
    this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1);
  }

  /** Publishes end for which nobody is waited for any more. */
  #endTaken(): void {
    for (const [id, taken] of this.#waiting) {
      if (!this.#listeners.some(({ waited }) => waited.includes(id))) this.#end(id, String(taken));
    }
  }

  #end(id: number, how: string): void {
    this.#ended.set(id, how);
    this.#waiting.delete(id);
    for (const listener of this.#listeners)
      listener.waited = listener.waited.filter((waiting) => waiting !== id);
  }
}
