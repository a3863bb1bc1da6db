/**
 * Pauses after a create that has failed.
 */
import { requireDuration } from "../../core/arguments.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { Schedule } from "../../sync/schedule.ts";

/**
 * Invariants
 *   I1  A timer is set only while somebody waits for the end of a pause.
 *   I2  Several attempts that were under way together count as one failure, so that they do not lengthen the pause.
 */
export class Backoff {
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #over: () => void;
  #failures = 0;
  #pauseMs = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #error: unknown;
  #timer: Timer | undefined;

  /** `over` is called when a pause is over that somebody waits for. */
  constructor(clock: Clock, schedule: Schedule, over: () => void) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#over = over;
  }

  /** Whether no attempt may be made now. */
  get pausing(): boolean {
    return this.#clock.now() < this.#untilMs;
  }

  /** What the last attempt has failed with. */
  get error(): unknown {
    return this.#error;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pauseMs = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.await(false);
  }

  failed(error: unknown): void {
    this.#error = error;
    if (this.pausing) return;
    this.#pauseMs = this.#next(++this.#failures, error);
    this.#untilMs = this.#clock.now() + this.#pauseMs;
  }

  /** Says whether somebody waits for the end of the pause. */
  await(wanted: boolean): void {
    if (wanted && this.#timer === undefined) {
      this.#timer = this.#clock.after(this.#untilMs - this.#clock.now(), () => {
        this.#timer = undefined;
        this.#over();
      });
    } else if (!wanted) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  /** A schedule that fails is a fault of the program, and means no pause. */
  #next(failures: number, error: unknown): number {
    try {
      return requireDuration("the pause of backoff", this.#schedule(failures, this.#pauseMs, error));
    } catch (fault) {
      reportUncaught(fault);
      return 0;
    }
  }
}
