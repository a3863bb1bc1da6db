/**
 * One operation that waits: its promise, its place in a queue, and its tie to whatever may cancel it.
 *
 * Invariants
 *   I1  The state only moves forward: waiting, then granted or failed, then resumed.
 *   I2  Only a waiting one stands in a queue or has a tie. So it is granted, failed or cancelled, never two of them.
 *   I3  Without a scheduler, it is resumed in the same step in which it is granted or failed, unless the host is due
 *       its turn.
 */
import type { BareRuntime } from "./bare-runtime.ts";
import {
  type Cancelable,
  type CancelLink,
  type CancelOptions,
  isCancelled,
  linkCancel,
} from "./cancellation.ts";
import { afterTurn, turnIsDue } from "./fairness.ts";
import type { Concern, Suspension, TaskRecord } from "./scheduler.ts";
import { QueueNode } from "./waiter-queue.ts";

type State = "waiting" | "granted" | "failed" | "resumed";

export class Waiter<R> extends QueueNode implements Cancelable, Suspension {
  // Declared, and private by TypeScript's word alone: see `QueueNode`. What is optional is not written unless needed.
  declare readonly promise: Promise<R>;
  declare private readonly seam: BareRuntime;
  declare private resolve: (value: R) => void;
  declare private reject: (error: unknown) => void;
  declare private state: State;
  declare protected readonly options?: CancelOptions;
  declare private link?: CancelLink | undefined;
  /** What it was granted or failed with, as long as it is to be resumed later. */
  declare private outcome?: unknown;
  // These are for a scheduler and its reports.
  declare readonly op: string;
  declare task: TaskRecord | undefined;
  declare readonly resources: Concern;

  /**
   * Waits until it is granted, fails, or `options` cancels it; the caller has seen that it is not cancelled yet.
   * `resources` is what a report says it waits for.
   */
  constructor(runtime: BareRuntime, op: string, resources: Concern, options: CancelOptions | undefined) {
    super();
    this.promise = this.newPromise();
    this.seam = runtime;
    this.state = "waiting";
    if (runtime.scheduler !== undefined) {
      this.op = op;
      this.resources = resources;
      runtime.scheduler.blocked(this);
    }
    if (options !== undefined) {
      this.options = options;
      this.link = linkCancel(options, this);
    }
  }

  /** Whether it has no outcome yet. */
  get waiting(): boolean {
    return this.state === "waiting";
  }

  /**
   * Whether it is being cancelled, though it may not have been told yet: one end of a context may concern several
   * waiters, and while the first is told, the second must not be granted.
   */
  get givenUp(): boolean {
    return isCancelled(this.options);
  }

  /** Ends the wait well. Does nothing if it has ended. */
  grant(value: R): void {
    this.settle("granted", value);
  }

  /** Ends the wait with an error. Does nothing if it has ended. */
  fail(error: unknown): void {
    this.settle("failed", error);
  }

  onCancel(reason: unknown): void {
    this.fail(reason);
  }

  resume(): void {
    const { state, outcome } = this;
    this.outcome = undefined;
    this.end(state, outcome);
  }

  /** Replaced together with {@link Waiter.tell}. */
  protected newPromise(): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Leaves queue and tie. Extended by waiters that hold more than that. */
  protected leave(): void {
    this.queue?.remove(this);
    this.link?.release();
  }

  private settle(state: "granted" | "failed", outcome: unknown): void {
    if (this.state !== "waiting") return;
    this.state = state;
    this.leave();
    const { scheduler } = this.seam;
    if (scheduler === undefined && !turnIsDue(this.seam)) return this.end(state, outcome);
    this.outcome = outcome;
    if (scheduler !== undefined) scheduler.ready(this);
    else afterTurn(() => this.resume());
  }

  private end(state: State, outcome: unknown): void {
    this.state = "resumed";
    this.tell(state === "granted", outcome);
  }

  /** Tells who waits: of what it was granted, or of an error. Replaced by waiters of which very many wait. */
  protected tell(well: boolean, outcome: unknown): void {
    if (well) this.resolve(outcome as R);
    else this.reject(outcome);
  }
}
