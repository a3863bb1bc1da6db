/**
 * What a worker has, and one job from the call that hands it over to its result.
 */
import { AsyncContext } from "../../core/async-context.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { type CancelableContext, type Context, withCancel } from "../../sync/context.ts";

/** What `setup` is given. */
export interface WorkerContext {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** Ends when the pool is cancelled. */
  readonly ctx: Context;
}

/** A worker and what it has. */
export interface Seat<S = void> {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** What `setup` made for it. */
  readonly state: S;
}

/** What a handler is given beside the job. */
export interface JobContext<S = void> extends Seat<S> {
  /** Ends when the job is given up, and when it has settled. Has the values and the deadline of its caller. */
  readonly ctx: Context;
}

/** How a pool works. `S` is what each worker keeps from job to job. */
export interface WorkerPoolOptions<S = void> extends CancelOptions {
  /** How many jobs are worked on at once: at least 1. */
  readonly workers: number;
  /** How many jobs may wait for a worker: at least 0; default 1000. */
  readonly capacity?: number | undefined;
  /**
   * Makes what a worker needs for its jobs, such as a connection. Called once a worker, before its first job. If it has
   * a parameter, give that its type, or the handler will not know the type of the state.
   */
  readonly setup?: ((context: WorkerContext) => S | PromiseLike<S>) | undefined;
  /** Takes it apart. Called once for each worker that was set up, after its last job. */
  readonly teardown?: ((seat: Seat<S>) => void | PromiseLike<void>) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** What a job is made of. */
export interface JobParts<O, S> {
  readonly runtime: Runtime;
  readonly resource: Resource | undefined;
  /** Those of the call that handed it over. */
  readonly options: CancelOptions | undefined;
  readonly handle: (context: JobContext<S>) => O | PromiseLike<O>;
  /** Told when its caller has given it up. */
  readonly withdrawn: () => void;
}

/**
 * Invariants
 *   I1  It settles once: with the outcome of its handler, or because it was given up. Its context ends with that.
 *   I2  The handler is called at most once, and never when it was given up before.
 */
export class Job<O, S> extends Waiter<O> {
  readonly #scope: CancelableContext;
  readonly #withdrawn: () => void;
  readonly #handle: JobParts<O, S>["handle"];
  /** That of the caller: the handler runs in it, and not in that of the worker. */
  readonly #context = new AsyncContext();

  constructor({ runtime, resource, options, handle, withdrawn }: JobParts<O, S>) {
    const scope = withCancel(options ?? {});
    super(runtime, "run", resource, scope.ctx);
    this.#scope = scope;
    this.#withdrawn = withdrawn;
    this.#handle = handle;
  }

  /** Calls the handler. Its outcome is the job's, unless that was given up meanwhile. */
  async perform({ worker, state }: Seat<S>): Promise<void> {
    const { ctx } = this.#scope;
    try {
      this.grant(await this.#context.run(() => this.#handle({ worker, state, ctx })));
    } catch (error) {
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
    this.#withdrawn();
  }

  protected override leave(): void {
    super.leave();
    this.#scope.cancel();
  }
}
