/**
 * Several runs as one: a heap of their readers, the one with the lowest key on top.
 *
 * Invariants
 *   I1  Each reader in the heap stands at a record. None stands before the one that it is below of.
 *   I2  Of records with one key, those of an earlier run come first.
 */
import { compareKeys, type Run, RunReader } from "./runs.ts";

interface Entry {
  readonly reader: RunReader;
  /** Which of the runs it reads. */
  readonly index: number;
}

function isBefore(left: Entry, right: Entry): boolean {
  const difference = compareKeys(left.reader, right.reader);
  return difference === 0 ? left.index < right.index : difference < 0;
}

/** Reads runs in the order of their keys; records of one key come in the order of the runs. O(log runs) a record. */
export class RunMerge {
  readonly #entries: Entry[];
  readonly #heap: Entry[] = [];
  #state: "new" | "started" = "new";

  constructor(runs: readonly Run[], bufferBytes?: number) {
    this.#entries = runs.map((run, index) => ({ reader: new RunReader(run, bufferBytes), index }));
  }

  /** Goes on to the next record, and gives it; undefined at the end. It is good until the next call. */
  next(): RunReader | undefined {
    if (this.#state === "new") this.#start();
    else this.#advance();
    return this.#heap[0]?.reader;
  }

  /** Closes the files of those that have not come to their end. */
  close(): void {
    for (const { reader } of this.#entries) reader.close();
  }

  #start(): void {
    this.#state = "started";
    for (const entry of this.#entries) if (entry.reader.next()) this.#heap.push(entry);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #advance(): void {
    const [top] = this.#heap;
    if (top === undefined) return;
    if (!top.reader.next()) {
      const last = this.#heap.pop() as Entry;
      if (last === top) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from] as Entry;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry)) below++;
      if (!isBefore(heap[below] as Entry, entry)) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = entry;
  }
}
