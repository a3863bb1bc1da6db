/**
 * Work that is done at most once, when it is first asked for.
 *
 * Invariant
 *   I1  The work is kept until it is started, and not a moment longer: what it refers to can be collected.
 */
import { requireFunction } from "../core/arguments.ts";
import { AsyncContext } from "../core/async-context.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { observe } from "../core/resource.ts";
import { spawnTask } from "../core/task.ts";

/** Names the work in reports and in the event log. */
export interface OnceOptions {
  /** A short name; by default `once#` and a number. */
  readonly name?: string | undefined;
}

/** Work that has not been started. */
interface Idle<T> {
  readonly work: () => T | PromiseLike<T>;
  readonly context: AsyncContext;
}

class Once<T> {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #label: { readonly name: string };
  readonly #deferred: Deferred<T>;
  #idle: Idle<T> | undefined;

  constructor(work: () => T | PromiseLike<T>, options: OnceOptions) {
    const resource = observe(this.#runtime, "once", options.name);
    this.#label = { name: resource?.name ?? "once" };
    this.#deferred = new Deferred<T>(this.#runtime, "once", resource);
    this.#idle = { work, context: new AsyncContext() };
  }

  wait(options: CancelOptions | undefined): Promise<T> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.#idle !== undefined) this.#start(this.#idle);
    return this.#deferred.wait(options);
  }

  #start({ work, context }: Idle<T>): void {
    this.#idle = undefined;
    void context.run(() => {
      spawnTask(this.#runtime, this.#label, work, (outcome) => this.#deferred.settle(outcome));
    });
  }
}

/**
 * Makes a function of `work` that runs it with the first call, and gives its outcome to every call.
 *
 * **Guarantees** At most one run, however many call. Every call waits for its end. The work is a task of its own, never
 * inside a call, in the async context of whoever handed it over: not in that of the one who happens to call first. It is
 * not kept after that, nor is what it refers to.
 * **Cancellation** Each caller gives up its own wait; the work goes on, and its outcome is kept. A call that is given up
 * before it begins starts nothing.
 * **Errors** What the work throws, every call throws: the same error, and no second run. Go's `OnceValue` does the same;
 * its plain `Once` returns quietly from later calls, which hides that there is no value.
 * **Cost** O(1) a call.
 * **Not for** work to be tried again after a failure: see `SingleFlight`. Work that calls its own function waits for itself.
 * **Source** Go's `sync.OnceValue` and `sync.OnceFunc`.
 *
 * @example
 * let loads = 0;
 * const config = onceValue(async () => {
 *   await sleep(1);
 *   return ++loads;
 * });
 * await Promise.all([config(), config(), config()]); //=> [1, 1, 1]
 */
export function onceValue<T>(
  work: () => T | PromiseLike<T>,
  options: OnceOptions = {},
): (options?: CancelOptions) => Promise<T> {
  requireFunction("work", work);
  const once = new Once<T>(work, options);
  return (options) => once.wait(options);
}
