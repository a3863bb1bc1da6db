/**
 * A channel, a lock, a pool of a simulation, as its reports and its event log know it.
 */
import type { EventBody, Tracer } from "../core/events.ts";
import { preview } from "../core/preview.ts";
import type { Resource, TaskRecord } from "../core/scheduler.ts";

/** What has been done with a resource: units of it taken or given back, or anything else. */
export type ResourceUse = "hold" | "free" | "other";

/** Who is told. */
export interface Observer {
  /** The running task, or the one with this id, has used it: for reports that say who could wake whom. */
  readonly used: (resource: Resource, how: ResourceUse, task: number | undefined) => void;
  readonly tracer: Tracer | undefined;
}

export class SimulatedResource implements Resource {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly #observer: Observer;
  /** The values that go through it keep their order, so a count is their id. */
  #puts = 0;
  #takes = 0;

  constructor(id: number, type: string, name: string, observer: Observer) {
    this.id = id;
    this.type = type;
    this.name = name;
    this.#observer = observer;
  }

  get traced(): boolean {
    return this.#observer.tracer !== undefined;
  }

  used(task?: number): void {
    this.#observer.used(this, "other", task);
  }

  emit(body: EventBody, task?: number): void {
    this.#observer.used(this, body.k === "hold" || body.k === "free" ? body.k : "other", task);
    this.#observer.tracer?.emit(body, task);
  }

  put(value: unknown, count: number, task?: TaskRecord): void {
    if (!this.traced) return this.used(task?.id);
    this.emit({ k: "msg.put", r: this.id, m: this.#puts++, value: preview(value), n: count }, task?.id);
  }

  took(count: number, task?: TaskRecord): void {
    if (!this.traced) return this.used(task?.id);
    this.emit({ k: "msg.take", r: this.id, m: this.#takes++, n: count }, task?.id);
  }

  dropped(which: "oldest" | "newest", count: number, why: string): void {
    if (!this.traced) return;
    const m = which === "oldest" ? this.#takes++ : this.#puts;
    this.emit({ k: "msg.drop", r: this.id, m, n: count, why });
  }
}
