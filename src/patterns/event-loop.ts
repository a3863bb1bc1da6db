/**
 * One task that handles events from many sources, one event at a time.
 */
import { requireFunction, requireOneOf } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { ClosedError } from "../core/errors.ts";
import { outcomeOf } from "../core/task.ts";
import type { Context } from "../sync/context.ts";
import type { Registration } from "../sync/registration.ts";
import type { Source } from "../sync/source.ts";
import { Engine } from "./event-loop/engine.ts";
import type {
  EventHandler,
  EventLoopOptions,
  EventHandlerOptions,
  LoopEvent,
  LoopRunOptions,
  LoopStats,
  SourceOptions,
} from "./event-loop/options.ts";
import { rankOf } from "./event-loop/turns.ts";

export type { Registration } from "../sync/registration.ts";
export type { AnyIterable, Source } from "../sync/source.ts";
export type * from "./event-loop/options.ts";

/**
 * An event loop of your own.
 *
 * **Guarantees** One event is handled at a time, to completion: handlers never overlap. What is posted, and what each
 * source gives, is handled in its order. Among the posts and the sources that have an event, each is next with the
 * same chance, or in proportion to its weight, after those of a higher priority; none starves. A source is asked for an event only when the one before it is being handled.
 * Handlers of a kind are called one after the other, in the order of their registration.
 * **Cancellation** See {@link EventLoop.run}, {@link EventLoop.stop} and {@link EventLoop.close}. After the end no
 * source, task or waiting post is left.
 * **Errors** The first failure of a handler or source ends the loop, unless `onError` deals with it. An event
 * that nobody handles is a failure too.
 * **Cost** A choice among the sources and a few turns of microtasks an event. It yields to the host after a slice of time.
 * **Not for** work that should overlap: see `pools`. Not for waiting for itself: a handler that waits for room with
 * `post`, or for `drain`, waits for ever; it can use `tryPost`, `close` and `stop`.
 * **Source** Go's `for { select { … } }`; the serial mailbox of C. Hewitt's actors (1973). A handler runs in the async
 * context of whoever posted the event, or added the source.
 *
 * @example
 * const loop = new EventLoop<{ key: string; click: { x: number } }>();
 * const seen: string[] = [];
 * loop.on("key", (key) => void seen.push(key));
 * loop.on("click", async ({ x }) => {
 *   await sleep(1);
 *   seen.push(`click at ${x}`);
 * });
 * await loop.post("key", "a");
 * await loop.post("click", { x: 7 });
 * await loop.post("key", "b");
 * await loop.drain();
 * seen; //=> ["a", "click at 7", "b"]
 */
export class EventLoop<E extends object> {
  /** Never there: ties the loop to the type of its events, for functions such as `ask`. */
  declare readonly events?: E;
  readonly #engine: Engine;

  constructor(options: EventLoopOptions<E> = {}) {
    this.#engine = new Engine(options);
  }

  /** How many posted events may wait. */
  get capacity(): number {
    return this.#engine.mailbox.capacity;
  }

  /** How many posted events wait to be handled. */
  get size(): number {
    return this.#engine.mailbox.size;
  }

  /** How many posts wait for room. */
  get waiting(): number {
    return this.#engine.mailbox.waiting.senders;
  }

  /** Whether no more events are accepted. */
  get closed(): boolean {
    return this.#engine.mailbox.closed;
  }

  /** Ends when the run has come to its end, and with it every handler: for what belongs to the loop. */
  get ctx(): Context {
    return this.#engine.ctx;
  }

  /** Whether it is paused. */
  get paused(): boolean {
    return this.#engine.gate.paused;
  }

  /** What it has done, and what it has to do. How long that takes is what a `LoopWatch` tells. */
  get stats(): LoopStats {
    return this.#engine.stats;
  }

  /** The failures that have ended it: the one that `run` rejects with, then those that came on the way out. */
  get errors(): readonly unknown[] {
    return this.#engine.errors;
  }

  /** After the end: the events that were accepted and not handled, because the loop was stopped or has failed. */
  get unhandled(): readonly LoopEvent<E>[] {
    return this.#engine.unhandled as unknown as readonly LoopEvent<E>[];
  }

  /**
   * Calls `handler` for each event of a kind. A handler that is taken back, also during an event, is not called again;
   * one that is added during an event is called from the next one on.
   */
  on<K extends keyof E & string>(
    kind: K,
    handler: EventHandler<E[K]>,
    options: EventHandlerOptions = {},
  ): Registration {
    requireFunction("handler", handler);
    return registration(this.#engine.handlers.add(kind, handler, options.once ?? false));
  }

  /**
   * Takes the events of a kind from a source, from the start of the run on, until the source ends.
   *
   * **Guarantees** A source is never more than one event ahead; what a select can receive from, such as a channel, a ticker
   * or a subscription, not at all: what is not handled stays in it, and only its owner ends it. When any other source is no longer wanted, its context ends and its iterator is told to return; what it has
   * given by then is still handled. `run` returns after its `finally` blocks.
   * **Errors** Throws `ClosedError` if the loop is closed. A failure of the source ends the loop, unless `onError` deals
   * with it.
   *
   * @returns what says that no more of it is wanted.
   */
  source<K extends keyof E & string>(kind: K, source: Source<E[K]>, options?: SourceOptions): Registration {
    const rank = rankOf(options);
    if (this.closed) throw closedError();
    return registration(this.#engine.source(kind, source, rank));
  }

  /**
   * Accepts an event, or waits until there is room for it. Does not wait until it has been handled.
   *
   * **Cancellation** Rejects with the signal's reason; the event is not accepted and never will be.
   * **Errors** Rejects with `ClosedError` if the loop is closed, or is closed while this waits.
   */
  post<K extends keyof E & string>(kind: K, value: E[K], options?: CancelOptions): Promise<void> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    if (this.closed) return Promise.reject(closedError());
    return this.#engine.mailbox.send(this.#engine.posted(kind, value), options);
  }

  /** Accepts an event if there is room, and says whether it did. Throws `ClosedError` if the loop is closed. */
  tryPost<K extends keyof E & string>(kind: K, value: E[K]): boolean {
    if (this.closed) throw closedError();
    return this.#engine.mailbox.trySend(this.#engine.posted(kind, value));
  }

  /**
   * Handles events until the loop is stopped, or closed and empty. A loop runs once.
   *
   * **Cancellation** When `signal` aborts, rejects with its reason, after the handler under way, whose context has
   * ended too, and the sources have come to their end.
   * **Errors** The first failure. `MisuseError` if it has been called before.
   */
  run(options: LoopRunOptions = {}): Promise<void> {
    const until = requireOneOf("until", options.until ?? "closed", ["closed", "idle"]);
    return this.#engine.run(until, options);
  }

  /**
   * Handles nothing after the event under way, until {@link EventLoop.resume}. Events are accepted meanwhile, as far as
   * there is room. A paused loop that is closed ends once it has been resumed, or stopped.
   */
  pause(): void {
    this.#engine.gate.pause();
  }

  /** Goes on after a pause. Does nothing if there was none. */
  resume(): void {
    this.#engine.gate.resume();
  }

  /**
   * Lets a paused loop handle one event, and waits until that is done: true, or false if the loop ends without it. If no
   * event is there, the next that comes counts.
   *
   * **Cancellation** Rejects with the signal's reason; an event that is being handled is handled to its end.
   */
  step(options?: CancelOptions): Promise<boolean> {
    return this.#engine.gate.step(options);
  }

  /** Ends the loop after the event under way. What waits is given up: see {@link EventLoop.unhandled}. */
  stop(): void {
    this.#engine.stop();
  }

  /** No more events: posts are refused and sources told to finish. The run ends when all that is there is handled. */
  close(): void {
    this.#engine.close();
  }

  /**
   * Closes the loop and waits for its end. If nobody runs it, this does.
   *
   * **Cancellation** Rejects with the signal's reason; a loop that somebody else runs goes on to its end.
   * **Errors** As {@link EventLoop.run}.
   */
  async drain(options?: CancelOptions): Promise<void> {
    this.close();
    await (this.#engine.state === "idle" ? this.run(options) : this.#engine.end.wait(options));
  }

  /** Drains it. A failure is left to whoever runs it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#engine.state === "idle") await this.drain();
    else await outcomeOf(() => this.drain());
  }
}

function registration(unsubscribe: () => void): Registration {
  return { unsubscribe, [Symbol.dispose]: unsubscribe };
}

function closedError(): ClosedError {
  return new ClosedError("event loop is closed");
}
