/**
 * Ends what has been idle for too long.
 *
 * Invariant
 *   I1  A timer is set only while one is idle that may go. It is due when the oldest was to go that stood there when it
 *       was set: if that one was lent meanwhile, it finds nothing to do and is set anew.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { Entry, Shelf } from "./shelf.ts";

/** What may go, and where to. */
export interface IdleOwner<R> {
  /** Whether there are more than must be kept. */
  maySpare(): boolean;
  end(entry: Entry<R>): void;
}

export class IdleLimit<R> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #shelf: Shelf<R>;
  readonly #owner: IdleOwner<R>;
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number, shelf: Shelf<R>, owner: IdleOwner<R>) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#shelf = shelf;
    this.#owner = owner;
  }

  /** Notes since when one is idle. */
  begin(entry: Entry<R>): void {
    entry.idleSinceMs = this.#clock.now();
  }

  /** What is idle has changed. */
  tend(): void {
    const dueMs = this.#nextMs();
    if (dueMs === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
    } else {
      this.#timer ??= this.#clock.after(dueMs - this.#clock.now(), () => this.#expire());
    }
  }

  /** When the next one may go; undefined if none may. */
  #nextMs(): number | undefined {
    const { oldest } = this.#shelf;
    return oldest !== undefined && this.#owner.maySpare() ? oldest.idleSinceMs + this.#timeoutMs : undefined;
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    for (let dueMs = this.#nextMs(); dueMs !== undefined && dueMs <= nowMs; dueMs = this.#nextMs())
      this.#owner.end(this.#shelf.takeOldest());
    this.tend();
  }
}
