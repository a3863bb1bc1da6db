/**
 * What a scheduler and an event log know of a channel, a lock, a pool: an id, a type and a name.
 *
 * A primitive asks for one when it is made, with {@link observe}, and gets `undefined` in the plain runtime. Then
 * `this.#resource?.emit(…)` is all that being observable costs: what does the observing comes with the scheduler.
 */
import type { BareRuntime } from "./bare-runtime.ts";
import type { Resource } from "./scheduler.ts";

export type { Resource } from "./scheduler.ts";

/**
 * Makes a waiting call: parked until it is chosen where there is a scheduler, at once where there is none.
 * `then` and not `await`, so that the call runs in the async context of its caller.
 */
export function begin<R>(runtime: BareRuntime, call: () => Promise<R>): Promise<R> {
  return runtime.scheduler === undefined ? call() : runtime.scheduler.begin().then(call);
}

/** The identity of a new primitive; undefined in the plain runtime, where nobody asks for it. */
export function observe(
  runtime: BareRuntime,
  type: string,
  name: string | undefined,
  capacity?: number,
): Resource | undefined {
  return runtime.scheduler?.observe(type, name, capacity);
}
