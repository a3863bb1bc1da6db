/**
 * One task of a group: its context, and its outcome for whoever wants to wait for it.
 */
import type { BareRuntime } from "../core/bare-runtime.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import type { Resource } from "../core/resource.ts";
import type { Outcome } from "../core/task.ts";
import { QueueNode } from "../core/waiter-queue.ts";
import { type CancelableContext, type Context, withCancel } from "./context.ts";

/** Names a task. */
export interface TaskOptions {
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** What a task is: it is given a context that ends when it should give up. */
export type Task<T> = (ctx: Context) => T | PromiseLike<T>;

/**
 * A task that was started, or waits for its slot. Made by `TaskGroup.go`.
 *
 * @example
 * const group = new TaskGroup();
 * const handle = group.go(() => 42);
 * await group.wait();
 * handle.outcome; //=> { ok: true, value: 42 }
 */
export class TaskHandle<T> extends QueueNode {
  /** For reports and for the event log. */
  readonly name: string;
  readonly #deferred: Deferred<T>;
  readonly #scope: CancelableContext;
  readonly #task: Task<T>;

  /** Made by a {@link TaskGroup}. @internal */
  constructor(
    runtime: BareRuntime,
    resource: Resource | undefined,
    name: string,
    parent: Context,
    task: Task<T>,
  ) {
    super();
    this.name = name;
    this.#task = task;
    this.#scope = withCancel(parent);
    this.#deferred = new Deferred<T>(runtime, "join", resource);
  }

  /** How it ended, once it has. */
  get outcome(): Outcome<T> | undefined {
    return this.#deferred.outcome;
  }

  /** Waits for its end: gives its value, or throws its error. A caller who is cancelled leaves; the task goes on. */
  join(options?: CancelOptions): Promise<T> {
    return this.#deferred.wait(options);
  }

  /** Ends its context. A task that waits for its slot will not run. */
  cancel(cause?: unknown): void {
    this.#scope.cancel(cause);
  }

  /** The context of the task. @internal */
  get ctx(): Context {
    return this.#scope.ctx;
  }

  /** Starts it in the async context of whoever handed it over; set while it waits for its slot. @internal */
  start: () => void = () => {};

  /** Runs the task, unless it has been given up. @internal */
  run(): T | PromiseLike<T> {
    if (this.ctx.error !== undefined) throw this.ctx.cause;
    return this.#task(this.ctx);
  }

  /** @internal */
  settle(outcome: Outcome<T>): void {
    this.#scope.cancel();
    this.#deferred.settle(outcome);
  }
}
