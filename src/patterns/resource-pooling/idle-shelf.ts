/**
 * What is idle, and the end of what has been so for too long.
 *
 * Invariants
 *   I1  A timer is set only while one is idle that may go. It is due when the oldest was to go that stood there when it
 *       was set: if that one was lent meanwhile, it finds nothing to do and is set anew. Nobody waits for it, so it keeps
 *       no process alive.
 *   I2  Only where somebody asks for it, it is known since when one is idle.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { Entry } from "./entry.ts";
import type { PoolLimits } from "./options.ts";
import { newShelf, type Shelf } from "./shelf.ts";

/** What may go, and where to. */
export interface IdleOwner<R> {
  /** Whether there are more than must be kept. */
  maySpare(): boolean;
  end(entry: Entry<R>): void;
}

export class IdleShelf<R> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #shelf: Shelf<R>;
  readonly #owner: IdleOwner<R>;
  readonly #dated: boolean;
  readonly #limited: boolean;
  #timer: Timer | undefined;

  /** `dated`: somebody asks since when one is idle, also without a limit to that. */
  constructor(clock: Clock, limits: PoolLimits, dated: boolean, owner: IdleOwner<R>) {
    this.#clock = clock;
    this.#timeoutMs = limits.idleTimeoutMs;
    this.#shelf = newShelf(limits.order);
    this.#owner = owner;
    this.#limited = limits.idleTimeoutMs !== Number.POSITIVE_INFINITY;
    this.#dated = dated || this.#limited;
  }

  get size(): number {
    return this.#shelf.size;
  }

  get oldest(): Entry<R> | undefined {
    return this.#shelf.oldest;
  }

  push(entry: Entry<R>): void {
    if (this.#dated) entry.idleSinceMs = this.#clock.now();
    this.#shelf.push(entry);
  }

  /** Takes the one that is to be lent next. */
  shift(): Entry<R> {
    const entry = this.#shelf.shift();
    this.tend();
    return entry;
  }

  takeOldest(): Entry<R> {
    return this.#shelf.takeOldest();
  }

  /** How many must be kept may have changed, or what is idle. */
  tend(): void {
    if (!this.#limited) return;
    const dueMs = this.#nextMs();
    if (dueMs === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = this.#clock.after(dueMs - this.#clock.now(), () => this.#expire());
      this.#timer.unref?.();
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
