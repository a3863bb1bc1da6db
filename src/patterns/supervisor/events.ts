/**
 * What is told of children, to a callback and to streams.
 */
import { requireInteger } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { Channel, type Received, type ReceiveEnd } from "../../sync/channel.ts";
import type { ReceiveSide } from "../../sync/ports.ts";

/** What happened to a child. Narrow it by `type`. */
export type ChildNews =
  | {
      /**
       * `started`: it was called and, if it has `readyWithinMs`, is ready. `ignored`: it returned, and had said that there
       * is nothing to do. `abandoned`: it was told to stop, and has not within its `shutdownMs`; nobody waits for it any
       * more. `auto-shutdown`: its end is that of the supervisor, as `autoShutdown` says.
       */
      readonly type: "started" | "ignored" | "abandoned" | "auto-shutdown";
    }
  | {
      /** It returned, or gave itself up. */
      readonly type: "ended";
      /** What it threw to give itself up. */
      readonly error?: unknown;
    }
  | {
      /** It threw, was not ready in time, or missed its heartbeat. */
      readonly type: "failed";
      /** What it threw, or the `TimeoutError` that says what it was late with. */
      readonly error: unknown;
    }
  | {
      /** It will be started again, together with whom the strategy says. */
      readonly type: "restarting";
      /** Whether it had returned or failed. */
      readonly after: "ended" | "failed";
      /** What it had thrown. */
      readonly error?: unknown;
      /** How long until then, in milliseconds. */
      readonly delayMs: number;
    }
  | {
      /** It was told to stop, and has. */
      readonly type: "stopped";
      /** What it failed with on the way out. */
      readonly error?: unknown;
    }
  | {
      /** Its end was one too many: the supervisor stops the others, and ends. */
      readonly type: "gave-up";
      /** What it had thrown. */
      readonly error?: unknown;
    };

/** News of a child. */
export type SupervisorEvent = {
  /** Which child. */
  readonly id: string;
  /** How often that child was restarted, one that is announced included. */
  readonly restarts: number;
} & ChildNews;

/** How events are read. */
export interface EventStreamOptions {
  /** How many events may wait to be read: at least 1, default 256. Beyond that the oldest is dropped. */
  readonly capacity?: number | undefined;
}

/**
 * The events of a supervisor from a moment on, made by `events()`. Ends when the supervisor has ended and all was read.
 * Leaving a loop over it leaves the stream.
 *
 * @example
 * const supervisor = new Supervisor([{ id: "job", restart: "temporary", start: () => {} }]);
 * const seen: string[] = [];
 * for await (const event of supervisor.events()) seen.push(event.type);
 * seen; //=> ["started", "ended"]
 */
export class SupervisorEvents implements ReceiveEnd<SupervisorEvent> {
  readonly #channel: Channel<SupervisorEvent>;
  readonly #left: (stream: SupervisorEvents) => void;

  /** @internal */
  constructor(capacity: number, left: (stream: SupervisorEvents) => void) {
    this.#channel = new Channel(capacity, { name: "supervisor events", overflow: "drop-oldest" });
    this.#left = left;
  }

  /** How many events wait to be read. */
  get size(): number {
    return this.#channel.size;
  }

  /** How many events were dropped, because they were not read in time. */
  get dropped(): number {
    return this.#channel.dropped;
  }

  /** Reads the next event, or waits for one. A cancelled read has taken none. */
  receive(options?: CancelOptions): Promise<Received<SupervisorEvent>> {
    return this.#channel.receive(options);
  }

  /** The next event, if there is one to read. */
  tryReceive(): Received<SupervisorEvent> | undefined {
    return this.#channel.tryReceive();
  }

  /** Leaves the stream: nothing more comes, and nothing is kept. Who waits to read gets `done`. */
  [Symbol.dispose](): void {
    this.finish();
    while (this.#channel.size > 0) this.#channel.tryReceive();
  }

  /** Leaving the loop leaves the stream. */
  [Symbol.asyncIterator](): AsyncIterator<SupervisorEvent, undefined> {
    const left = async (): Promise<Received<SupervisorEvent>> => {
      this[Symbol.dispose]();
      return { value: undefined, done: true };
    };
    return { next: () => this.receive(), return: left };
  }

  /** For select. */
  get receiveSide(): ReceiveSide<SupervisorEvent> {
    return this.#channel;
  }

  /** @internal */
  offer(event: SupervisorEvent): void {
    this.#channel.trySend(event);
  }

  /** @internal */
  finish(): void {
    if (this.#channel.closed) return;
    this.#channel.close();
    this.#left(this);
  }
}

/** Tells everybody who listens. */
export class Announcer {
  readonly #onEvent: ((event: SupervisorEvent) => void) | undefined;
  readonly #streams = new Set<SupervisorEvents>();
  #closed = false;

  constructor(onEvent: ((event: SupervisorEvent) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  /** What the callback throws is nobody's here, so it goes to the host. */
  tell(event: SupervisorEvent): void {
    for (const stream of this.#streams) stream.offer(event);
    try {
      this.#onEvent?.(event);
    } catch (error) {
      reportUncaught(error);
    }
  }

  /** A new stream of what is told from now on. */
  open({ capacity = 256 }: EventStreamOptions = {}): SupervisorEvents {
    const stream = new SupervisorEvents(requireInteger("capacity", capacity, 1), (left) =>
      this.#streams.delete(left),
    );
    if (this.#closed) stream.finish();
    else this.#streams.add(stream);
    return stream;
  }

  /** Nothing more will be told. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) stream.finish();
  }
}
