/**
 * What the event log is told of the values that go through a channel. They keep their order, so a count is their id.
 */
import { preview } from "../../core/preview.ts";
import type { Resource } from "../../core/resource.ts";
import type { TaskRecord } from "../../core/scheduler.ts";

export class MessageTrace {
  readonly #resource: Resource;
  #puts = 0;
  #takes = 0;

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  /** A value has come in, and now there are `n`. */
  put(value: unknown, n: number, task: TaskRecord | undefined): void {
    if (!this.#resource.traced) return this.#resource.used(task?.id);
    const message = { m: this.#puts++, value: preview(value), n };
    this.#resource.emit({ k: "msg.put", r: this.#resource.id, ...message }, task?.id);
  }

  /** The oldest value has been received. */
  take(n: number, task: TaskRecord | undefined): void {
    if (!this.#resource.traced) return this.#resource.used(task?.id);
    this.#resource.emit({ k: "msg.take", r: this.#resource.id, m: this.#takes++, n }, task?.id);
  }

  /** The oldest value has made room; or one that would have come in next has not. */
  drop(which: "oldest" | "newest", n: number, why: string): void {
    if (!this.#resource.traced) return;
    const m = which === "oldest" ? this.#takes++ : this.#puts;
    this.#resource.emit({ k: "msg.drop", r: this.#resource.id, m, n, why });
  }
}
