/**
 * One job, from the call that hands it over to its result.
 */
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
   * deadline: that of its caller, or `timeoutMs` after its start if that is earlier. Made when it is first read.
   */
  readonly ctx: Context;
}

/** What the jobs of a pool have in common. */
export interface JobParts<I, O, S> {
  readonly runtime: Runtime;
  readonly resource: Resource | undefined;
  readonly tally: JobTally;
  readonly handler: (job: I, context: JobContext<S>) => O | PromiseLike<O>;
  /** Told when one has left the line by itself: its caller has given it up, or it has waited for too long. */
  readonly withdrawn: () => void;
}

/** Who does jobs. No thenable, as jobs are started by a promise of it. */
export interface Performer<O> {
  /** Called in the async context of the job's caller. Gives what the job comes to. */
  perform(): Promise<O>;
}

/**
 * Invariants
 *   I1  It settles once: with the outcome of its handler, or because it was given up. Its context ends with that.
 *   I2  The handler is called at most once, and never when it was given up before.
 *   I3  It has a timer for its wait until a worker has it, and then one for its work; none once it has settled.
 *   I4  Until it starts it settles `promise`, by which it is started; then the one that `start` gives.
 */
export class Job<I, O, S> extends Waiter<O> implements Ranked {
  readonly place: number;
  /** When it was handed over. */
  readonly sinceMs: number;
  // As in `Waiter`: very many may wait, and what is optional is not written unless needed.
  declare private readonly parts: JobParts<I, O, S>;
  declare private readonly input: I;
  declare private readonly limits: JobLimits;
  declare private timer?: Timer | undefined;
  declare private scope?: CancelableContext | undefined;
  declare private timed?: Context;
  /** Why it was given up, if it was and not by its caller. */
  declare private reason?: unknown;

  constructor(
    parts: JobParts<I, O, S>,
    input: I,
    options: CancelOptions | undefined,
    limits: JobLimits,
    place: number,
  ) {
    // A simulation numbers what it sees, and those numbers shall not depend on what a handler looks at.
    const scope = parts.resource === undefined ? undefined : withCancel(options ?? {});
    super(parts.runtime, "run", parts.resource, options);
    this.parts = parts;
    this.input = input;
    this.limits = limits;
    this.place = place;
    this.sinceMs = parts.runtime.clock.now();
    if (scope !== undefined) this.scope = scope;
    if (limits.queueTimeoutMs !== Number.POSITIVE_INFINITY) this.#limitWait();
  }

  get priority(): number {
    return this.limits.priority;
  }

  /**
   * What it comes to, for its caller; to be asked for once, by the caller. It is the reaction to the start of the job:
   * so the handler is called in the async context of the caller, and that costs one promise more.
   */
  result(): Promise<O> {
    return (this.promise as Promise<unknown> as Promise<Performer<O>>).then(performed);
  }

  /** A worker has it: it does not wait any more. */
  assigned(): void {
    this.timer?.cancel();
  }

  /** Has the worker perform it, in the async context of its caller, a turn of microtasks later. */
  start(worker: Performer<O>): Promise<O> {
    const { resolve } = this;
    const outcome = this.nextPromise();
    resolve(worker as never);
    return outcome;
  }

  /** Calls the handler. */
  call(seat: WorkerSeat<S>): O | PromiseLike<O> {
    const { timeoutMs } = this.limits;
    if (timeoutMs !== Number.POSITIVE_INFINITY) this.#limitWork(timeoutMs);
    const { handler } = this.parts;
    return handler(this.input, new HandlerContext(seat, this));
  }

  /** Ends well, unless it was given up meanwhile. */
  succeed(value: O): void {
    if (this.waiting) this.parts.tally.processed++;
    this.grant(value);
  }

  /** Ends with what the handler threw, unless it was given up meanwhile. */
  failed(error: unknown): void {
    if (this.waiting) this.parts.tally.failed++;
    this.fail(error);
  }

  /** Ends the context with the reason, and rejects the caller also if the context was ending already. */
  giveUp(reason: unknown): void {
    if (this.waiting) this.reason = reason;
    this.scope?.cancel(reason);
    this.fail(reason);
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.parts.withdrawn();
  }

  /** The context of the handler, made when it is first asked for, as most handlers never do. */
  get ctx(): Context {
    this.scope ??= this.#openScope();
    return this.timed ?? this.scope.ctx;
  }

  /** As very many may wait, they keep one function of their promise, and not two. */
  protected override nextPromise(): Promise<O> {
    return new Promise<O>((resolve) => {
      this.resolve = resolve;
    });
  }

  protected override rejectWith(reason: unknown): void {
    this.resolve(Promise.reject(reason));
  }

  protected override leave(): void {
    super.leave();
    this.timer?.cancel();
    this.parts.tally.settled++;
    this.scope?.cancel();
  }

  #openScope(): CancelableContext {
    const scope = withCancel(this.options ?? {});
    if (!this.waiting) scope.cancel(this.reason);
    return scope;
  }

  #limitWait(): void {
    const { runtime, withdrawn } = this.parts;
    const { queueTimeoutMs } = this.limits;
    this.timer = runtime.clock.after(queueTimeoutMs, () => {
      this.giveUp(new TimeoutError(`no worker took the job within ${queueTimeoutMs} ms`, { phase: "queue" }));
      withdrawn();
    });
  }

  /** The deadline begins at the start, so that the wait in the line does not count. */
  #limitWork(timeoutMs: number): void {
    const cause = new TimeoutError(`the job took longer than ${timeoutMs} ms`, { phase: "run" });
    const { ctx } = withTimeout(this.ctx, timeoutMs, { cause });
    linkCancel(ctx, { onCancel: (reason) => this.fail(reason) });
    this.timed = ctx;
  }
}

function performed<O>(worker: Performer<O>): Promise<O> {
  return worker.perform();
}

class HandlerContext<S> implements JobContext<S> {
  readonly worker: number;
  readonly state: S;
  readonly #job: { readonly ctx: Context };

  constructor({ worker, state }: WorkerSeat<S>, job: { readonly ctx: Context }) {
    this.worker = worker;
    this.state = state;
    this.#job = job;
  }

  get ctx(): Context {
    return this.#job.ctx;
  }
}
