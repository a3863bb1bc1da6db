/**
 * A channel, a lock, a pool of a simulation, as its reports and its event log know it.
 */
import type { EventBody, Tracer } from "../core/events.ts";
import { preview } from "../core/preview.ts";
import type { Resource, TaskRecord } from "../core/scheduler.ts";
import type { SimulatedTask } from "./simulated-task.ts";
import { Users } from "./usage.ts";

/** Who is told, and asked. */
export interface Observer {
  /** The task with this id; without one, the task that runs. */
  readonly task: (id: number | undefined) => SimulatedTask | undefined;
  readonly tracer: Tracer | undefined;
}

export class SimulatedResource implements Resource {
  readonly id: number;
  readonly type: string;
  /** For reports that say who could wake whom. */
  readonly users: Users = new Users();
  #name: string | undefined;
  readonly #observer: Observer;
  /** The values that go through it keep their order, so a count is their id. */
  #puts = 0;
  #takes = 0;

  constructor(id: number, type: string, name: string | undefined, observer: Observer) {
    this.id = id;
    this.type = type;
    this.#name = name;
    this.#observer = observer;
  }

  /** As it was named; else its type and number. Made when first asked for, as most never are. */
  get name(): string {
    this.#name ??= `${this.type}#${this.id}`;
    return this.#name;
  }

  get traced(): boolean {
    return this.#observer.tracer !== undefined;
  }

  used(task?: number): void {
    this.users.note("other", this.#observer.task(task));
  }

  emit(body: EventBody, task?: number): void {
    const how = body.k === "hold" || body.k === "free" ? body.k : "other";
    this.users.note(how, this.#observer.task(task));
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
