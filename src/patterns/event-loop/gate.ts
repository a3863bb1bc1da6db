/**
 * Holds a loop back while it is paused, but for the events that are let through one by one.
 *
 * Invariant
 *   I1  The loop waits here only while it is paused and nobody waits for a step.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { begin, type Resource } from "../../core/resource.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";

export class Gate {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #resource: Resource | undefined;
  readonly #loop = new WaiterQueue<Waiter<void>>();
  readonly #steps = new WaiterQueue<Waiter<boolean>>();
  #state: "open" | "shut" | "ended" = "open";

  constructor(resource: Resource | undefined) {
    this.#resource = resource;
  }

  get paused(): boolean {
    return this.#state === "shut";
  }

  pause(): void {
    if (this.#state === "open") this.#state = "shut";
  }

  resume(): void {
    if (this.#state === "shut") this.#state = "open";
    this.#loop.first?.grant();
  }

  /** Lets one event through, and waits until it has been handled: false if the loop ends without. */
  step(options?: CancelOptions): Promise<boolean> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      if (this.#state === "ended") return Promise.resolve(false);
      const waiter = new Waiter<boolean>(this.#runtime, "step", this.#resource, options);
      this.#steps.push(waiter);
      this.#loop.first?.grant();
      return waiter.promise;
    });
  }

  /** For the loop: waits until it may handle the event that it has; undefined if it may now. */
  pass(options: CancelOptions): Promise<void> | undefined {
    if (!this.paused || this.#steps.size > 0) return undefined;
    const waiter = new Waiter<void>(this.#runtime, "resume", this.#resource, options);
    this.#loop.push(waiter);
    return waiter.promise;
  }

  /** For the loop: an event has been handled. */
  handled(): void {
    this.#steps.first?.grant(true);
  }

  /** For the loop: nothing will be handled any more. */
  end(): void {
    this.#state = "ended";
    for (let step = this.#steps.first; step !== undefined; step = this.#steps.first) step.grant(false);
  }
}
