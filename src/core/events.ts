/**
 * The event log: one flat, versioned, append-only stream from which every view of a run is derived.
 *
 * Time is whole microseconds since the run began. `i` counts from 0 and gives the total order.
 */

/** What a task waits for. */
export interface BlockedOn {
  /** The operation, as in Go where Go has a word for it: `send`, `recv`, `select`, `lock`, `acquire`, `join`, `sleep` … */
  readonly op: string;
  /** The resources it concerns. */
  readonly r: readonly number[];
}

/** How a task ended. */
export type TaskEnd = "ok" | "error" | "cancelled" | "leaked";

/** How a run ended. */
export type RunEnd = "ok" | "error" | "cancelled" | "deadlock";

/** What can be recorded. Field names are short because a log has many of them. */
export type EventBody =
  | {
      readonly k: "run.start";
      readonly pattern: string;
      readonly title: string;
      readonly seed: number;
      readonly params: Readonly<Record<string, unknown>>;
      readonly clock: "virtual" | "paced" | "real";
      readonly lib: string;
    }
  | {
      readonly k: "task.spawn";
      readonly id: number;
      readonly parent: number | undefined;
      readonly name: string;
      readonly group?: string | undefined;
    }
  | {
      readonly k: "task.state";
      readonly s: "ready" | "running" | "blocked" | "sleeping" | "external";
      readonly on?: BlockedOn | undefined;
    }
  | { readonly k: "task.end"; readonly how: TaskEnd; readonly err?: string | undefined }
  | {
      readonly k: "res.new";
      readonly id: number;
      readonly type: string;
      readonly name: string;
      readonly cap?: number | undefined;
    }
  | { readonly k: "res.close"; readonly r: number }
  | {
      readonly k: "msg.put";
      readonly r: number;
      readonly m: number;
      readonly value: string;
      readonly n: number;
    }
  | { readonly k: "msg.take"; readonly r: number; readonly m: number; readonly n: number }
  | {
      readonly k: "msg.drop";
      readonly r: number;
      readonly m: number;
      readonly n: number;
      readonly why: string;
    }
  | { readonly k: "hold"; readonly r: number; readonly units: number; readonly item?: number | undefined }
  | { readonly k: "free"; readonly r: number; readonly units: number; readonly item?: number | undefined }
  | { readonly k: "timer.set"; readonly id: number; readonly due: number }
  | { readonly k: "timer.fire"; readonly id: number }
  | { readonly k: "timer.clear"; readonly id: number }
  | { readonly k: "cancel.req"; readonly scope: number; readonly reason: string }
  | { readonly k: "limit.grant"; readonly r: number; readonly tokens: number; readonly wait: number }
  | { readonly k: "limit.deny"; readonly r: number; readonly tokens: number }
  | { readonly k: "flight.lead"; readonly r: number; readonly key: string }
  | { readonly k: "flight.join"; readonly r: number; readonly key: string }
  | { readonly k: "flight.share"; readonly r: number; readonly key: string; readonly callers: number }
  | {
      readonly k: "super.restart";
      readonly child: string;
      readonly n: number;
      readonly delay: number;
      readonly strategy: string;
    }
  | { readonly k: "log"; readonly level: "info" | "error"; readonly text: string }
  | { readonly k: "warn"; readonly code: string; readonly text: string }
  | { readonly k: "deadlock"; readonly stuck: readonly number[]; readonly text: string }
  | {
      readonly k: "run.end";
      readonly how: RunEnd;
      readonly err?: string | undefined;
      readonly stats: { readonly steps: number; readonly tasks: number };
    };

/** One entry of the log. */
export type RunEvent = EventBody & {
  /** The version of this format. */
  readonly v: 1;
  /** The place in the log, from 0. */
  readonly i: number;
  /** Microseconds since the run began. */
  readonly t: number;
  /** The task that did it, where one is known. */
  readonly task?: number;
};

/** Takes events as they happen. */
export interface Tracer {
  /** Records one event. `task` names the task it belongs to; without it, the one that is running. */
  emit(body: EventBody, task?: number): void;
}
