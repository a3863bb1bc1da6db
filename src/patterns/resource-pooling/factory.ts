/**
 * Calls the callbacks of a pool, each in a task of its own, and takes the errors that fail no caller.
 */
import { AsyncContext } from "../../core/async-context.ts";
import { TimeoutError } from "../../core/errors.ts";
import type { Runtime } from "../../core/runtime.ts";
import { type Outcome, spawnTask } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import { durationOf, type ResourcePoolCallback, type ResourcePoolOptions } from "./options.ts";

/** Who is told how a create goes. */
export interface Creation<R> {
  /** It takes too long, and was told to give up. It is still to settle. */
  readonly overdue: (error: TimeoutError) => void;
  readonly settled: (outcome: Outcome<R>) => void;
}

export class Factory<R> {
  readonly #runtime: Runtime;
  readonly #options: ResourcePoolOptions<R>;
  readonly #name: string;
  readonly #createTimeoutMs: number;
  readonly #context = new AsyncContext();

  constructor(runtime: Runtime, options: ResourcePoolOptions<R>, name: string) {
    this.#runtime = runtime;
    this.#options = options;
    this.#name = name;
    this.#createTimeoutMs = durationOf(options, "createTimeoutMs");
  }

  /** Whether resources are checked before they are handed out. */
  get checks(): boolean {
    return this.#options.validate !== undefined;
  }

  /** Whether resources are reset when they come back. */
  get resets(): boolean {
    return this.#options.reset !== undefined;
  }

  create(parent: Context, { overdue, settled }: Creation<R>): void {
    const timeoutMs = this.#createTimeoutMs;
    if (timeoutMs === Number.POSITIVE_INFINITY)
      return this.#start("create", () => this.#options.create(parent), settled);
    const { ctx, cancel } = withCancel(parent);
    const timer = this.#runtime.clock.after(timeoutMs, () => {
      const error = new TimeoutError(`no resource was made within ${timeoutMs} ms`);
      overdue(error);
      cancel(error);
    });
    this.#start(
      "create",
      () => this.#options.create(ctx),
      (outcome) => {
        timer.cancel();
        cancel();
        settled(outcome);
      },
    );
  }

  /** A resource that cannot be checked is none. */
  check(value: R, done: (valid: boolean) => void): void {
    this.#start(
      "validate",
      () => this.#options.validate?.(value),
      (outcome) => {
        if (!outcome.ok) this.report(outcome.error, "validate");
        done(outcome.ok && outcome.value === true);
      },
    );
  }

  /** A resource that cannot be reset is of no use to anybody else. */
  reset(value: R, done: (clean: boolean) => void): void {
    this.#start(
      "reset",
      () => this.#options.reset?.(value),
      (outcome) => {
        if (!outcome.ok) this.report(outcome.error, "reset");
        done(outcome.ok);
      },
    );
  }

  destroy(value: R, cause: unknown, done: () => void): void {
    if (this.#options.destroy === undefined) return done();
    this.#start(
      "destroy",
      () => this.#options.destroy?.(value, cause),
      (outcome) => {
        if (!outcome.ok) this.report(outcome.error, "destroy");
        done();
      },
    );
  }

  /** Takes an error that fails no caller. */
  report(error: unknown, callback: ResourcePoolCallback): void {
    try {
      if (this.#options.onError !== undefined) this.#options.onError(error, callback);
      else if (callback === "destroy") reportUncaught(error);
    } catch (failure) {
      reportUncaught(failure);
    }
  }

  /** Not in the async context of the caller: a resource outlives the request that happened to need it first. */
  #start<T>(
    callback: ResourcePoolCallback,
    body: () => T | PromiseLike<T>,
    done: (outcome: Outcome<T>) => void,
  ): void {
    const label = { name: `${this.#name} ${callback}`, group: this.#name };
    void this.#context.run(() => spawnTask(this.#runtime, label, body, done));
  }
}
