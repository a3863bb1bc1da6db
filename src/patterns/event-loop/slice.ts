/**
 * Gives the host its turn for timers and I/O when a loop has kept it waiting for long enough.
 */
import { requireDuration, requireLimit } from "../../core/arguments.ts";
import { afterTurn } from "../../core/fairness.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { LoopSliceOptions } from "./options.ts";

export class Slice {
  readonly #runtime: Runtime = currentRuntime();
  readonly #ms: number;
  readonly #events: number;
  #sinceMs = 0;
  #handled = 0;

  constructor({ sliceMs = 5, sliceEvents = Number.POSITIVE_INFINITY }: LoopSliceOptions) {
    this.#ms = requireDuration("sliceMs", sliceMs);
    this.#events = requireLimit("sliceEvents", sliceEvents, 1);
  }

  /** An event has been handled: waits for a turn of the host if the slice is over. A scheduler gives turns itself. */
  spent(): Promise<void> | undefined {
    const { scheduler, clock } = this.#runtime;
    if (scheduler !== undefined) return undefined;
    this.#handled++;
    if (this.#handled < this.#events && clock.now() - this.#sinceMs < this.#ms) return undefined;
    return new Promise((resolve) => {
      afterTurn(() => {
        this.#sinceMs = clock.now();
        this.#handled = 0;
        resolve();
      });
    });
  }
}
