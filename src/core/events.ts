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

/** What can be recorded. Narrow it by `k`. Field names are short because a log has many of them. */
export type EventBody =
  | {
      /** A run begins. */
      readonly k: "run.start";
      /** One word, as the caller of `simulate` has given it. */
      readonly pattern: string;
      /** As a heading. */
      readonly title: string;
      /** What decides the order and chance. */
      readonly seed: number;
      /** What was set. */
      readonly params: Readonly<Record<string, unknown>>;
      /** How time passes: at once, as it seems to, or as it does. */
      readonly clock: "virtual" | "paced" | "real";
      /** The version of this library. */
      readonly lib: string;
    }
  | {
      /** A task was started. */
      readonly k: "task.spawn";
      /** Its number, which other events name it by. */
      readonly id: number;
      /** The task that started it. */
      readonly parent: number | undefined;
      /** As it was called; else a number. */
      readonly name: string;
      /** The group it belongs to. */
      readonly group?: string | undefined;
    }
  | {
      /** A task has another state from now on. */
      readonly k: "task.state";
      /** The state. `external`: it waits for what the simulation does not know. */
      readonly s: "ready" | "running" | "blocked" | "sleeping" | "external";
      /** What it waits for. */
      readonly on?: BlockedOn | undefined;
    }
  | {
      /** A task has ended. */
      readonly k: "task.end";
      /** How. */
      readonly how: TaskEnd;
      /** The error it has ended with, in a line. */
      readonly err?: string | undefined;
    }
  | {
      /** A channel, a lock, a pool or the like was made. */
      readonly k: "res.new";
      /** Its number, which other events name it by. */
      readonly id: number;
      /** What it is, in a word: `chan`, `mutex`, `pool` … */
      readonly type: string;
      /** As it was called; else its type and its number. */
      readonly name: string;
      /** How much it holds or admits, if that has a bound. */
      readonly cap?: number | undefined;
    }
  | {
      /** It was closed. */
      readonly k: "res.close";
      /** The resource. */
      readonly r: number;
    }
  | {
      /** A value has come into a buffer. */
      readonly k: "msg.put";
      /** The resource. */
      readonly r: number;
      /** Which value of that resource: `msg.take` and `msg.drop` say the same of it. */
      readonly m: number;
      /** A short preview of it. */
      readonly value: string;
      /** How many values there are after that. */
      readonly n: number;
    }
  | {
      /** A value was received. */
      readonly k: "msg.take";
      /** The resource. */
      readonly r: number;
      /** Which value of that resource. */
      readonly m: number;
      /** How many values there are after that. */
      readonly n: number;
    }
  | {
      /** A value was dropped or replaced, for lack of room. */
      readonly k: "msg.drop";
      /** The resource. */
      readonly r: number;
      /** Which value of that resource. */
      readonly m: number;
      /** How many values there are after that. */
      readonly n: number;
      /** The policy that did it. */
      readonly why: string;
    }
  | {
      /** A part of a resource was handed out; or came back. */
      readonly k: "hold" | "free";
      /** The resource. */
      readonly r: number;
      /** How much of it. */
      readonly units: number;
      /** Which of several: a worker of a pool, a pooled resource. */
      readonly item?: number | undefined;
    }
  | {
      /** A timer was set. */
      readonly k: "timer.set";
      /** Its number. */
      readonly id: number;
      /** When it is due, in microseconds since the run began. */
      readonly due: number;
    }
  | {
      /** A timer has fired; or will not. */
      readonly k: "timer.fire" | "timer.clear";
      /** Its number. */
      readonly id: number;
    }
  | {
      /** A context was cancelled, or its time has come. */
      readonly k: "cancel.req";
      /** The number of the context, as a resource. */
      readonly scope: number;
      /** Why. */
      readonly reason: string;
    }
  | {
      /** A limiter has let tokens go. */
      readonly k: "limit.grant";
      /** The resource. */
      readonly r: number;
      /** How many it has left. */
      readonly tokens: number;
      /** How long they were waited for, in microseconds. */
      readonly wait: number;
    }
  | {
      /** A limiter has refused. */
      readonly k: "limit.deny";
      /** The resource. */
      readonly r: number;
      /** How many it has. */
      readonly tokens: number;
    }
  | {
      /** A caller starts the work for a key; or joins the one who did. */
      readonly k: "flight.lead" | "flight.join";
      /** The resource. */
      readonly r: number;
      /** A short preview of the key. */
      readonly key: string;
    }
  | {
      /** The outcome was handed to all callers. */
      readonly k: "flight.share";
      /** The resource. */
      readonly r: number;
      /** A short preview of the key. */
      readonly key: string;
      /** How many have asked. */
      readonly callers: number;
    }
  | {
      /** A supervisor will start a child again. */
      readonly k: "super.restart";
      /** Its id. */
      readonly child: string;
      /** How often it was started before. */
      readonly n: number;
      /** How long until then, in milliseconds. */
      readonly delay: number;
      /** Who is restarted with it. */
      readonly strategy: string;
    }
  | {
      /** The program has printed a line. */
      readonly k: "log";
      /** Whether it is for the standard output or for that of errors. */
      readonly level: "info" | "error";
      /** The line. */
      readonly text: string;
    }
  | {
      /** Something that somebody should know. */
      readonly k: "warn";
      /** What, in a word. */
      readonly code: string;
      /** The same, in a sentence. */
      readonly text: string;
    }
  | {
      /** Nobody can go on. */
      readonly k: "deadlock";
      /** The tasks that cannot. */
      readonly stuck: readonly number[];
      /** Who waits for what. */
      readonly text: string;
    }
  | {
      /** The run has ended. */
      readonly k: "run.end";
      /** How. */
      readonly how: RunEnd;
      /** The error it has ended with, in a line. */
      readonly err?: string | undefined;
      /** What it took. */
      readonly stats: RunStats;
    };

/** What a run took. */
export interface RunStats {
  /** How often somebody was chosen to go on. */
  readonly steps: number;
  /** How many tasks were started. */
  readonly tasks: number;
}

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
