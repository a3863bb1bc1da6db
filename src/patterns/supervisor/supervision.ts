/**
 * What every supervisor can do.
 */
import { AsyncContext } from "../../core/async-context.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { observe } from "../../core/resource.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { outcomeOf, spawnTask, valueOf } from "../../core/task.ts";
import { type CancelableContext, withCancel } from "../../sync/context.ts";
import { Announcer, type EventStreamOptions, type SupervisorEvents } from "./events.ts";
import type { Supervised, SupervisorTree } from "./inner.ts";
import type { CheckedOptions, SupervisionOptions } from "./options.ts";
import { Overseer } from "./overseer.ts";
import type { CheckedSpec } from "./spec.ts";

/** A supervisor, whatever its children are. */
export abstract class Supervision implements Supervised {
  readonly #overseer: Overseer;
  readonly #announcer: Announcer;
  readonly #scope: CancelableContext;
  readonly #started: Deferred<void>;
  readonly #result: Deferred<void>;
  /** Whether somebody was told how it ended, so that leaving a block need not say it again. */
  #heard = false;

  /** Starts the children, after this call. @internal */
  protected constructor(
    specs: readonly CheckedSpec[],
    checked: CheckedOptions,
    options: SupervisionOptions,
    defaultName: string,
  ) {
    const runtime = currentRuntime();
    const { name = defaultName } = options;
    const resource = observe(runtime, "supervisor", options.name);
    this.#started = new Deferred<void>(runtime, "start", resource);
    this.#result = new Deferred<void>(runtime, "wait", resource);
    this.#announcer = new Announcer(options.onEvent);
    this.#scope = withCancel(options);
    this.#overseer = new Overseer(specs, {
      runtime,
      name,
      group: resource?.name,
      options: checked,
      resource,
      announcer: this.#announcer,
      scope: this.#scope,
      started: this.#started,
    });
    const overseer = this.#overseer;
    spawnTask<void>(
      runtime,
      { name },
      () => overseer.run(),
      (outcome) => this.#result.settle(outcome),
    );
  }

  /** How many children run, those that are being started or stopped included. */
  get active(): number {
    return this.#overseer.active;
  }

  /** How many restarts were announced: one that takes several children along counts once. */
  get restarts(): number {
    return this.#overseer.restarts;
  }

  /**
   * Waits until every child it was made with has been started, and is ready if it has `readyWithinMs`.
   *
   * **Errors** `SupervisorError` if one could not be started: those before it are stopped again. `ClosedError` if
   * it was stopped before.
   */
  started(options?: CancelOptions): Promise<void> {
    return this.#started.wait(options);
  }

  /**
   * Waits until it has ended and every child has stopped. A caller who is cancelled leaves; the children go on.
   *
   * **Errors** `SupervisorError` if it gave up. Being stopped is no error.
   */
  async wait(options?: CancelOptions): Promise<void> {
    try {
      await this.#result.wait(options);
    } finally {
      this.#heard ||= this.#result.outcome !== undefined;
    }
  }

  /** Stops every child, and gives what `Supervisor.wait` gives. May be called again. */
  stop(options?: CancelOptions): Promise<void> {
    this.#scope.cancel();
    return this.wait(options);
  }

  /** Stops. Throws that it gave up only if nobody else is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    const heard = this.#heard || this.#result.waiting > 0;
    const end = await outcomeOf(() => this.stop());
    if (!heard) valueOf(end);
  }

  /**
   * Stops a child, if it runs, and forgets it. False if there is none of that name. No restart, for nobody.
   *
   * **Cancellation** Before its turn, it is not removed; after that it is, and only the caller leaves.
   * **Errors** `ClosedError` if the supervisor has ended, or does before it is done.
   */
  remove(id: string, options?: CancelOptions): Promise<boolean> {
    return this.#overseer.remove(id, options);
  }

  /**
   * Stops a child, if it runs, and starts it; its siblings go on. This counts as no restart, but if it cannot be
   * started, it is tried again as after any failure.
   *
   * **Cancellation** As for `Supervisor.remove`.
   * **Errors** `MisuseError` if there is none of that name; why it could not be started; `ClosedError` if the supervisor
   * has ended, or does before it is done.
   */
  restart(id: string, options?: CancelOptions): Promise<void> {
    return this.#overseer.restart(id, options);
  }

  /** What it looks like now, with all that is below it. O(children). */
  tree(): SupervisorTree {
    return this.#overseer.tree();
  }

  /** What happens from now on, as a stream. Whoever does not read it holds up nobody, and misses the oldest events. */
  events(options?: EventStreamOptions): SupervisorEvents {
    return this.#announcer.open(options);
  }

  /** Adds a child, whose `start` runs in the async context of this call. @internal */
  protected addChild(spec: CheckedSpec, options: CancelOptions | undefined): Promise<void> {
    return this.#overseer.add({ ...spec, context: new AsyncContext() }, options);
  }
}
