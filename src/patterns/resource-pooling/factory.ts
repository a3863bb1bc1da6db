/**
 * Calls the callbacks of a pool, each in a task of its own, and takes the errors that fail no caller.
 */
import { AsyncContext } from "../../core/async-context.ts";
import type { Runtime } from "../../core/runtime.ts";
import { type Outcome, spawnTask } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { Context } from "../../sync/context.ts";
import type { PoolCallback, ResourcePoolOptions } from "./options.ts";

export class Factory<R> {
  readonly #runtime: Runtime;
  readonly #options: ResourcePoolOptions<R>;
  readonly #name: string;
  readonly #context = new AsyncContext();

  constructor(runtime: Runtime, options: ResourcePoolOptions<R>, name: string) {
    this.#runtime = runtime;
    this.#options = options;
    this.#name = name;
  }

  /** Whether resources are checked before they are handed out. */
  get checks(): boolean {
    return this.#options.validate !== undefined;
  }

  create(ctx: Context, done: (outcome: Outcome<R>) => void): void {
    this.#start("create", () => this.#options.create(ctx), done);
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
  report(error: unknown, callback: PoolCallback): void {
    try {
      if (this.#options.onError !== undefined) this.#options.onError(error, callback);
      else if (callback === "destroy") reportUncaught(error);
    } catch (failure) {
      reportUncaught(failure);
    }
  }

  /** Not in the async context of the caller: a resource outlives the request that happened to need it first. */
  #start<T>(
    callback: PoolCallback,
    body: () => T | PromiseLike<T>,
    done: (outcome: Outcome<T>) => void,
  ): void {
    const label = { name: `${this.#name} ${callback}`, group: this.#name };
    void this.#context.run(() => spawnTask(this.#runtime, label, body, done));
  }
}
