/**
 * Stamps events with their place, their time and their task, and hands them on.
 */
import type { EventBody, RunEvent, Tracer } from "../core/events.ts";

/** Where a log takes time and task from. */
export interface EventSource {
  /** Milliseconds since the run began. */
  now(): number;
  /** The id of the task that runs. */
  task(): number | undefined;
}

/** The one event log of a run. What comes after {@link EventLog.close} is not of the run, and is not noted. */
export class EventLog implements Tracer {
  readonly #source: EventSource;
  readonly #sink: (event: RunEvent) => void;
  #next = 0;
  #state: "open" | "closed" = "open";

  constructor(source: EventSource, sink: (event: RunEvent) => void) {
    this.#source = source;
    this.#sink = sink;
  }

  emit(body: EventBody, task: number | undefined = this.#source.task()): void {
    if (this.#state === "closed") return;
    const stamp = { v: 1 as const, i: this.#next++, t: Math.round(this.#source.now() * 1000) };
    const event = task === undefined ? { ...stamp, ...body } : { ...stamp, task, ...body };
    this.#sink(event);
  }

  close(): void {
    this.#state = "closed";
  }
}
