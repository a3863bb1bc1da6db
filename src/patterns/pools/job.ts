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
import type { Errand } from "./errand.ts";
import type { JobLimits, WorkerSeat } from "./options.ts";
import type { RowMember, Rows } from "./row.ts";
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
  readonly rows: Rows<O>;
  readonly handler: (job: I, context: JobContext<S>) => O | PromiseLike<O> | Errand<O>;
  /** Told when one has left the line by itself: its caller has given it up, or it has waited for too long. */
  readonly withdrawn: () => void;
}

/** Who does jobs. */
export interface Performer {
  /** Called in the async context of the job's caller. */
  perform(): void;
}

/** A job has its promise from its row: see {@link Job.result}. */
const none = new Promise<never>(() => {});
const nothing = (): void => {};

/**
 * Invariants
 *   I1  It settles once: with the outcome of its handler, or because it was given up. Its context ends with that.
 *   I2  The handler is called at most once, and never when it was given up before.
 *   I3  It has a timer for its wait until a worker has it, and then one for its work; none once it has settled.
 *   I4  It is far until its row is opened, then near. While it is far it can only be given up; then it opens its row, so
 *       that its caller hears of it. `answer` is there while it is near and its caller has not been told.
 */
export class Job<I, O, S> extends Waiter<O> implements Ranked, RowMember<O> {
  readonly place: number;
  /** When it was handed over. */
  readonly sinceMs: number;
  // As in `Waiter`: very many may wait, and what is optional is not written unless needed.
  declare begin: () => void;
  declare following: RowMember<O> | undefined;
  declare private readonly parts: JobParts<I, O, S>;
  declare private readonly input: I;
  declare private readonly limits: JobLimits;
  /** Settles what its caller waits for. */
  declare private answer: ((outcome: O | Promise<never>) => void) | undefined;
  declare private worker: Performer | undefined;
  /** With what it failed when it was far. */
  declare private refusal?: { readonly reason: unknown };
  declare private timer?: Timer | undefined;
  declare private scope?: CancelableContext | undefined;
  declare private timed?: Context;
  /** What is done elsewhere for it; not once it has settled. */
  declare private errand?: Errand<O> | undefined;
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
    this.begin = nothing;
    this.following = undefined;
    this.answer = undefined;
    this.worker = undefined;
    if (scope !== undefined) this.scope = scope;
    if (limits.queueTimeoutMs !== Number.POSITIVE_INFINITY) this.#limitWait();
  }

  get priority(): number {
    return this.limits.priority;
  }

  /**
   * What it comes to, for its caller; to be asked for once, by the caller, after it was handed over. It is the reaction to
   * the start of the job, or to that of its row: so the handler is called in the async context of the caller.
   */
  result(): Promise<O> {
    return this.worker === undefined ? this.parts.rows.join(this) : Promise.resolve(this).then(nearOf<O>);
  }

  /** A worker has it: it does not wait any more. */
  assigned(): void {
    this.timer?.cancel();
  }

  /** Has the worker perform it, in the async context of its caller, a turn of microtasks later. */
  start(worker: Performer): void {
    this.worker = worker;
    this.#begin();
  }

  near(): Promise<O> {
    const { refusal, worker } = this;
    const outcome = refusal === undefined ? this.#newAnswer() : Promise.reject<O>(refusal.reason);
    if (worker !== undefined) worker.perform();
    else if (refusal === undefined) void this.#newStart().then(() => this.worker?.perform());
    return outcome;
  }

  /** Calls the handler. */
  call(seat: WorkerSeat<S>): O | PromiseLike<O> | Errand<O> {
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
    this.#drop(reason);
  }

  override onCancel(reason: unknown): void {
    this.#drop(reason);
    this.parts.withdrawn();
  }

  /** Has it told if it is given up. */
  sent(errand: Errand<O>): void {
    this.errand = errand;
  }

  /** The context of the handler, made when it is first asked for, as most handlers never do. */
  get ctx(): Context {
    this.scope ??= this.#openScope();
    return this.timed ?? this.scope.ctx;
  }

  protected override newPromise(): Promise<O> {
    return none;
  }

  /** It has waited, so it is old: what is young and hangs on it would be copied, also when both are garbage. It lets go. */
  protected override tell(well: boolean, outcome: unknown): void {
    const { answer } = this;
    this.answer = undefined;
    if (answer !== undefined) answer(well ? (outcome as O) : Promise.reject(outcome));
    else {
      this.refusal = { reason: outcome };
      this.#begin();
    }
  }

  protected override leave(): void {
    super.leave();
    this.timer?.cancel();
    this.parts.tally.settled++;
    this.scope?.cancel();
    if (this.errand !== undefined) this.errand = undefined;
  }

  #drop(reason: unknown): void {
    const { errand } = this;
    this.fail(reason);
    errand?.onCancel(reason);
  }

  /** Lets go of it, as in {@link Job.tell}. */
  #begin(): void {
    const { begin } = this;
    this.begin = nothing;
    begin();
  }

  #newAnswer(): Promise<O> {
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  #newStart(): Promise<void> {
    return new Promise((resolve) => {
      this.begin = resolve;
    });
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
    linkCancel(ctx, { onCancel: (reason) => this.#drop(reason) });
    this.timed = ctx;
  }
}

function nearOf<O>(member: RowMember<O>): Promise<O> {
  return member.near();
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
