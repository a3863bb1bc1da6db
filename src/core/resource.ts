/**
 * What a scheduler and an event log know of a channel, a lock, a pool: an id, a type and a name.
 *
 * A primitive asks for one when it is made, with {@link observe}, and gets `undefined` in the plain runtime. Then
 * `if (this.#resource !== undefined)` is all that being observable costs.
 */
import type { EventBody } from "./events.ts";
import type { Runtime } from "./runtime.ts";
import type { ResourceInfo } from "./scheduler.ts";

export class Resource implements ResourceInfo {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, id: number, type: string, name: string) {
    this.#runtime = runtime;
    this.id = id;
    this.type = type;
    this.name = name;
  }

  /** Whether anybody records: spares making an event that nobody takes. */
  get traced(): boolean {
    return this.#runtime.tracer !== undefined;
  }

  /** Notes that the task that runs, or `task`, has used it in a way that is no event. */
  used(task?: number): void {
    this.#runtime.scheduler?.used(this, "other", task);
  }

  /** Records an event, of the task that runs or of `task`. */
  emit(body: EventBody, task?: number): void {
    const { scheduler, tracer } = this.#runtime;
    scheduler?.used(this, body.k === "hold" || body.k === "free" ? body.k : "other", task);
    tracer?.emit(body, task);
  }
}

/**
 * Makes a waiting call: parked until it is chosen where there is a scheduler, at once where there is none.
 * `then` and not `await`, so that the call runs in the async context of its caller.
 */
export function begin<R>(runtime: Runtime, call: () => Promise<R>): Promise<R> {
  return runtime.scheduler === undefined ? call() : runtime.scheduler.begin().then(call);
}

/** The identity of a new primitive; undefined in the plain runtime, where nobody asks for it. */
export function observe(
  runtime: Runtime,
  type: string,
  name: string | undefined,
  capacity?: number,
): Resource | undefined {
  const { scheduler, tracer } = runtime;
  if (scheduler === undefined) return undefined;
  const id = scheduler.nextResourceId();
  const resource = new Resource(runtime, id, type, name ?? `${type}#${id}`);
  tracer?.emit({ k: "res.new", id, type, name: resource.name, cap: capacity });
  return resource;
}
