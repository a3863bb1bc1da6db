/**
 * How many calls a thread should have at once: one that it is at, and so many more that it need not wait for the next
 * one. Those are late by as long as the ones before them take; so there are many of them only where calls are short.
 */
import { PLACES } from "./protocol.ts";

/**
 * A call should not wait for longer than that in its thread. As long as the host may leave the one that hands out waiting
 * when there are as many busy threads as cores; so calls of a millisecond are sent four at a time.
 */
const AHEAD_MS = 5;
/** How much the last call counts. */
const WEIGHT = 1 / 16;

export class Depth {
  #meanMs = 2 * AHEAD_MS;

  /** Learns how long a call took. */
  took(ms: number): void {
    this.#meanMs += (ms - this.#meanMs) * WEIGHT;
  }

  /** So many calls. A power of two, so that it does not change with every call. */
  get calls(): number {
    const ahead = Math.floor(AHEAD_MS / Math.max(this.#meanMs, AHEAD_MS / PLACES));
    return ahead < 2 ? 1 + ahead : 2 ** Math.floor(Math.log2(ahead));
  }
}
