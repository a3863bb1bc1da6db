/**
 * Notices silence.
 */
import type { Timer } from "../../core/clock.ts";
import type { Runtime } from "../../core/runtime.ts";

/**
 * Calls `silent` once, when it has not heard a beat for `limitMs`.
 *
 * Invariant
 *   I1  One timer at a time, and none once it has called or was stopped. A beat sets none: it only notes the time.
 */
export class Watchdog {
  readonly #runtime: Runtime;
  readonly #limitMs: number;
  readonly #silent: () => void;
  #lastMs: number;
  #timer: Timer | undefined;

  constructor(runtime: Runtime, limitMs: number, silent: () => void) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
    this.#silent = silent;
    this.#lastMs = runtime.clock.now();
    this.#arm(limitMs);
  }

  /** Somebody is alive. */
  beat(): void {
    this.#lastMs = this.#runtime.clock.now();
  }

  /** Listens no longer. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * Who seems silent gets one more turn of the host's loop: if that was held up, by whomever, what the child waits for is
   * due as well, and may only stand behind this timer.
   */
  #arm(delayMs: number, again = false): void {
    this.#timer = this.#runtime.clock.after(delayMs, () => {
      const remainingMs = this.#lastMs + this.#limitMs - this.#runtime.clock.now();
      if (remainingMs > 0) this.#arm(remainingMs);
      else if (again) this.#silent();
      else this.#arm(0, true);
    });
  }
}
