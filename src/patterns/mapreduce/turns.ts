/**
 * Fairness to the host between callbacks of the user.
 */
import { afterTurn } from "../../core/fairness.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";

/** So long may the host be kept waiting. */
const SLICE_MS = 5;

/**
 * Lets timers and I/O have their turn between callbacks that do not wait. A callback may be long, so the clock is looked
 * at after each. A scheduler gives the host its turns itself.
 */
export class Turns {
  readonly #runtime: Runtime = currentRuntime();
  #startedMs = this.#runtime.clock.now();

  /** Whether the host has waited long enough. */
  get due(): boolean {
    const { clock, scheduler } = this.#runtime;
    return scheduler === undefined && clock.now() - this.#startedMs > SLICE_MS;
  }

  /** Gives the host its turn. */
  async take(): Promise<void> {
    await new Promise<void>((resolve) => afterTurn(resolve));
    this.#startedMs = this.#runtime.clock.now();
  }
}
