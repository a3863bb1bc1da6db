/**
 * How long a job may be worked on: from the instant at which its thread begins, of which that tells.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { TimeoutError } from "../core/errors.ts";
import type { Runtime } from "../core/runtime.ts";
import { type CancelableContext, withCancel } from "../sync/context.ts";

export class TimeLimit {
  readonly #runtime: Runtime;
  readonly #timeoutMs: number;
  readonly #scope: CancelableContext;
  #timer: Timer | undefined;

  constructor(runtime: Runtime, timeoutMs: number, options: CancelOptions) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
    this.#scope = withCancel(options);
  }

  /** Gives the job up when its time is over. */
  get signal(): AbortSignal {
    return this.#scope.ctx.signal;
  }

  /** The job has begun. */
  readonly begin = (): void => {
    const error = new TimeoutError(`the job took longer than ${this.#timeoutMs} ms`, { phase: "run" });
    this.#timer = this.#runtime.clock.after(this.#timeoutMs, () => this.#scope.cancel(error));
  };

  /** Waits for the job. */
  async of(job: Promise<unknown>): Promise<unknown> {
    try {
      return await job;
    } finally {
      this.end();
    }
  }

  end(): void {
    this.#timer?.cancel();
    this.#scope.cancel();
  }
}
