/**
 * What a worker has, and one job from the call that hands it over to its result.
 */
import { AsyncContext } from "../../core/async-context.ts";
import { type CancelOptions, linkCancel } from "../../core/cancellation.ts";
import type { Timer } from "../../core/clock.ts";
import { TimeoutError } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { type CancelableContext, type Context, withCancel, withTimeout } from "../../sync/context.ts";
import type { Ranked } from "../../core/priority-line.ts";
import type { JobLimits, WorkerSeat } from "./options.ts";
import type { JobTally } from "./stats.ts";

/** What a handler is given beside the job. */
export interface JobContext<S = void> extends WorkerSeat<S> {
  /**
   * Ends when the job is given up or its time is up, and when it has settled. Has the values of its caller, and the
   * deadline: that of its caller, or `timeoutMs` after its start if that is earlier.
   */
  readonly ctx: Context;
}

/** What a job is made of. */
export interface JobParts<O, S> {
  readonly runtime: Runtime;
  readonly resource: Resource | undefined;
  /** Those of the call that handed it over. */
  readonly options: CancelOptions | undefined;
  readonly limits: JobLimits;
  readonly place: number;
  readonly tally: JobTally;
  readonly handle: (context: JobContext<S>) => O | PromiseLike<O>;
  /** Told when it has left the line by itself: its caller has given it up, or it has waited for too long. */
  readonly withdrawn: () => void;
}

/**
 * Invariants
 *   I1  It settles once: with the outcome of its handler, or because it was given up. Its context ends with that.
 *   I2  The handler is called at most once, and never when it was given up before.
 *   I3  It has a timer for its wait until a worker has it, and then one for its work; none once it has settled.
 */
export class Job<O, S> extends Waiter<O> implements Ranked {
  readonly priority: number;
  readonly place: number;
  /** When it was handed over. */
  readonly sinceMs: number;
  readonly #parts: JobParts<O, S>;
  readonly #scope: CancelableContext;
  /** That of the caller: the handler runs in it, and not in that of the worker. */
  readonly #context = new AsyncContext();
  #timer: Timer | undefined;

  constructor(parts: JobParts<O, S>) {
    const scope = withCancel(parts.options ?? {});
    super(parts.runtime, "run", parts.resource, scope.ctx);
    const { runtime, limits } = parts;
    this.#parts = parts;
    this.#scope = scope;
    this.priority = limits.priority;
    this.place = parts.place;
    this.sinceMs = runtime.clock.now();
    const { queueTimeoutMs } = limits;
    if (queueTimeoutMs === Number.POSITIVE_INFINITY) return;
    this.#timer = runtime.clock.after(queueTimeoutMs, () => {
      this.giveUp(new TimeoutError(`no worker took the job within ${queueTimeoutMs} ms`));
      parts.withdrawn();
    });
  }

  /** A worker has it: it does not wait any more. */
  assigned(): void {
    this.#timer?.cancel();
  }

  /** Calls the handler. Its outcome is the job's, unless that was given up meanwhile. */
  async perform({ worker, state }: WorkerSeat<S>): Promise<void> {
    const { handle, tally } = this.#parts;
    const ctx = this.#timed();
    try {
      const result = await this.#context.run(() => handle({ worker, state, ctx }));
      if (this.waiting) tally.processed++;
      this.grant(result);
    } catch (error) {
      if (this.waiting) tally.failed++;
      this.fail(error);
    }
  }

  /** Ends the context with the reason, and rejects the caller also if the context was ending already. */
  giveUp(reason: unknown): void {
    this.#scope.cancel(reason);
    this.fail(reason);
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#parts.withdrawn();
  }

  protected override leave(): void {
    super.leave();
    this.#timer?.cancel();
    this.#parts.tally.settled++;
    this.#scope.cancel();
  }

  /** The context of the handler. Its deadline begins now, so that the wait in the line does not count. */
  #timed(): Context {
    const { ctx } = this.#scope;
    const { timeoutMs } = this.#parts.limits;
    if (timeoutMs === Number.POSITIVE_INFINITY) return ctx;
    const cause = new TimeoutError(`the job took longer than ${timeoutMs} ms`);
    const timed = withTimeout(ctx, timeoutMs, { cause });
    linkCancel(timed.ctx, { onCancel: (reason) => this.fail(reason) });
    return timed.ctx;
  }
}
