/**
 * Tasks that have an owner: it starts them, waits for all of them, and cancels the rest when one fails. Go's `errgroup`.
 *
 * Invariants
 *   I1  `active` tasks run, at most `concurrency`; tasks wait for a slot only while all slots are taken.
 *   I2  The context has ended once a task failed (unless errors are collected), and once `wait` has returned.
 *   I3  Every task that was accepted settles its handle once: also one that never got to run.
 */
import { requireFunction, requireLimit, requireOneOf } from "../core/arguments.ts";
import { AsyncContext } from "../core/async-context.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, linkCancel } from "../core/cancellation.ts";
import { FullError, isCancellation, MisuseError, withSuppressed } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { type Outcome, outcomeOf, spawnTask, valueOf } from "../core/task.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { type CancelableContext, type Context, withCancel } from "./context.ts";
import { type Task, TaskHandle, type TaskOptions } from "./task-handle.ts";
import { WaitGroup } from "./wait-group.ts";

export type { Outcome } from "../core/task.ts";
export type { Task, TaskHandle, TaskOptions } from "./task-handle.ts";

/** What a group does. */
export interface TaskGroupOptions extends CancelOptions {
  /** How many tasks run at once: at least 1; default Infinity. */
  readonly concurrency?: number | undefined;
  /** How many tasks may wait for a slot, beyond those that run: at least 0; default 1000. */
  readonly capacity?: number | undefined;
  /**
   * `fail-fast`, the default: the first failure cancels the others and is what `wait` throws.
   * `collect`: all run to their end, and `wait` throws an `AggregateError` of all failures.
   */
  readonly errors?: "fail-fast" | "collect" | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/**
 * A group of tasks with one owner.
 *
 * **Guarantees** {@link TaskGroup.wait} returns when every task has ended, and not before. Tasks start in the order of
 * their calls, and never inside the call that starts them.
 * **Cancellation** When `signal` aborts, when a task fails, or with {@link TaskGroup.cancel}, the context of every task
 * ends and tasks that wait for a slot settle without having run. Running tasks are waited for: cancelling is asking.
 * **Errors** `wait` throws the first failure; further ones are in {@link TaskGroup.errors}. A failure that is no
 * cancellation comes before one that is, so that the cause is not hidden behind its consequences.
 * **Cost** A task costs a context, an outcome and a microtask.
 * **Not for** long lists of jobs: see `pools`, which waits instead of refusing.
 * **Source** golang.org/x/sync/errgroup; structured concurrency as in N. J. Smith's notes on it (2018). Unlike Go's, a
 * full group does not block `go`, it queues; and no limit is `Infinity`, as a limit of 0 is refused.
 *
 * @example
 * const group = new TaskGroup();
 * const handle = group.go(async (ctx) => {
 *   await sleep(1, ctx);
 *   return 42;
 * });
 * await group.wait();
 * await handle.join(); //=> 42
 */
export class TaskGroup {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #concurrency: number;
  readonly #capacity: number;
  readonly #failFast: boolean;
  readonly #name: string;
  readonly #resource: Resource | undefined;
  readonly #scope: CancelableContext;
  readonly #unsettled: WaitGroup;
  readonly #queue = new WaiterQueue<TaskHandle<never>>();
  readonly #errors: unknown[] = [];
  #active = 0;
  #state: "open" | "ended" = "open";
  /** Whether its owner has cancelled it, as opposed to `signal` or a failure. */
  #askedToEnd = false;

  constructor(options: TaskGroupOptions = {}) {
    this.#concurrency = requireLimit("concurrency", options.concurrency ?? Infinity, 1);
    this.#capacity = requireLimit("capacity", options.capacity ?? 1000, 0);
    const errors = requireOneOf("errors", options.errors ?? "fail-fast", ["fail-fast", "collect"]);
    this.#failFast = errors === "fail-fast";
    this.#name = options.name ?? "task";
    this.#resource = observe(this.#runtime, "group", options.name);
    this.#scope = withCancel(options);
    // By the group's name, a report knows who could end the wait: its tasks.
    this.#unsettled = new WaitGroup({ name: this.#resource?.name });
  }

  /** Ends when the group is cancelled, when a task fails, and when `wait` returns. */
  get ctx(): Context {
    return this.#scope.ctx;
  }

  /** How many tasks run. */
  get active(): number {
    return this.#active;
  }

  /** How many tasks wait for a slot. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** The failures so far, in the order in which they came. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /**
   * Starts a task, as soon as there is a slot for it.
   *
   * **Errors** Throws `FullError` if all slots are taken and `capacity` tasks wait; `MisuseError` once `wait` has returned.
   */
  go<T>(task: Task<T>, options: TaskOptions = {}): TaskHandle<T> {
    if (this.#active >= this.#concurrency && this.#queue.size >= this.#capacity) {
      throw new FullError(`task group is full: ${this.#active} tasks run and ${this.#queue.size} wait`);
    }
    return this.#accept(task, options);
  }

  /** Starts a task if a slot is free; `undefined` if none is. */
  tryGo<T>(task: Task<T>, options: TaskOptions = {}): TaskHandle<T> | undefined {
    return this.#active < this.#concurrency ? this.#accept(task, options) : undefined;
  }

  /**
   * Waits until every task has ended, then ends the group. A caller who is cancelled leaves; the tasks go on.
   *
   * **Errors** The first failure, or an `AggregateError` of all if they are collected.
   */
  async wait(options?: CancelOptions): Promise<void> {
    // A task may have been accepted after the last one ended and before this goes on.
    do await this.#unsettled.wait(options);
    while (this.#unsettled.count > 0);
    this.#state = "ended";
    this.#scope.cancel();
    if (this.#errors.length === 0) return;
    if (!this.#failFast) throw new AggregateError(this.#errors, `${this.#errors.length} tasks failed`);
    const first = this.#errors.find((error) => !isCancellation(error)) ?? this.#errors[0];
    throw withSuppressed(first, this.#errors);
  }

  /** Asks every task to give up. They are still waited for; that they did give up is no failure. */
  cancel(cause?: unknown): void {
    this.#askedToEnd = true;
    this.#scope.cancel(cause);
  }

  /** Cancels what still runs and waits for it; throws a failure that `wait` has not told. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "ended") return;
    this.cancel();
    await this.wait();
  }

  /**
   * Runs `body` with a group and leaves only when every task has ended. If `body` throws, the tasks are cancelled and
   * waited for, and its error is thrown.
   *
   * @example
   * const sum = await TaskGroup.run(async (group) => {
   *   const parts = [1, 2, 3].map((n) => group.go(() => n * n));
   *   const squares = await Promise.all(parts.map((part) => part.join()));
   *   return squares.reduce((a, b) => a + b);
   * });
   * sum; //=> 14
   */
  static run<T>(body: (group: TaskGroup) => T | PromiseLike<T>, options?: TaskGroupOptions): Promise<T> {
    requireFunction("body", body);
    return new TaskGroup(options).#run(body);
  }

  async #run<T>(body: (group: TaskGroup) => T | PromiseLike<T>): Promise<T> {
    const outcome = await outcomeOf(() => body(this));
    if (!outcome.ok) this.cancel(outcome.error);
    const end = await outcomeOf(() => this.wait());
    if (outcome.ok) valueOf(end);
    else throw withSuppressed(outcome.error, this.#errors);
    return outcome.value;
  }

  #accept<T>(task: Task<T>, options: TaskOptions): TaskHandle<T> {
    requireFunction("task", task);
    if (this.#state === "ended") throw new MisuseError("task group has ended");
    const name = options.name ?? this.#name;
    const handle = new TaskHandle<T>(this.#runtime, this.#resource, name, this.ctx, task);
    this.#unsettled.add(1);
    if (this.#active < this.#concurrency) this.#start(handle);
    else if (this.ctx.error !== undefined) this.#settle(handle, { ok: false, error: this.ctx.cause });
    else this.#enqueue(handle);
    return handle;
  }

  #start<T>(handle: TaskHandle<T>): void {
    this.#active++;
    this.#spawn(handle);
  }

  #spawn<T>(handle: TaskHandle<T>): void {
    const label = { name: handle.name, group: this.#resource?.name };
    spawnTask(
      this.#runtime,
      label,
      () => handle.run(),
      (outcome) => {
        this.#active--;
        this.#settle(handle, outcome);
        this.#startNext();
      },
    );
  }

  #startNext(): void {
    const next = this.#active < this.#concurrency ? this.#queue.shift() : undefined;
    if (next === undefined) return;
    this.#active++;
    next.start();
  }

  /** Lets a task wait for a slot; one that is cancelled meanwhile leaves at once. */
  #enqueue<T>(handle: TaskHandle<T>): void {
    const context = new AsyncContext();
    handle.start = () => void context.run(() => this.#spawn(handle));
    this.#queue.push(handle as unknown as TaskHandle<never>);
    linkCancel(handle.ctx, { onCancel: (error) => this.#drop(handle, error) });
  }

  #drop<T>(handle: TaskHandle<T>, error: unknown): void {
    if (handle.queue === undefined) return;
    handle.queue.remove(handle);
    this.#settle(handle, { ok: false, error });
  }

  #settle<T>(handle: TaskHandle<T>, outcome: Outcome<T>): void {
    if (!outcome.ok && !this.#wasToldTo(handle, outcome.error)) {
      this.#errors.push(outcome.error);
      if (this.#failFast) this.#scope.cancel(outcome.error);
    }
    handle.settle(outcome);
    this.#unsettled.done();
  }

  /** Whether a task merely did as it was told: by its handle, by the owner, or because of a failure that is known. */
  #wasToldTo<T>(handle: TaskHandle<T>, error: unknown): boolean {
    if (handle.ctx.error === undefined || error !== handle.ctx.cause) return false;
    return this.ctx.error === undefined || this.#errors.length > 0 || this.#askedToEnd;
  }
}
