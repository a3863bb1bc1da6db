/**
 * One task that handles events from many sources, one event at a time.
 *
 * Invariants
 *   I1  The state only moves forward: idle, running, ended. Handlers are called only while it is running, and the next
 *       one only when the one before it has settled.
 *   I2  `intake` has ended once no more events are taken: after `stop`, a failure or the end of the run. No source
 *       outlives it for longer than its own `finally` blocks take.
 *   I3  Every event that was accepted is handled, or is in `unhandled` at the end.
 */
import { requireFunction, requireInteger, requireOneOf } from "../core/arguments.ts";
import { type CancelOptions, linkCancel, rejectIfCancelled } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { CanceledError, ClosedError, MisuseError } from "../core/errors.ts";
import { observe } from "../core/resource.ts";
import { currentRuntime } from "../core/runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../core/task.ts";
import { Channel } from "../sync/channel.ts";
import { type CancelableContext, type Context, withCancel } from "../sync/context.ts";
import type { Source } from "../sync/source.ts";
import { TaskGroup } from "../sync/task-group.ts";
import { type Arrival, laneOf, posted } from "./event-loop/arrival.ts";
import { type Catch, Handlers } from "./event-loop/handlers.ts";
import { Lanes } from "./event-loop/lanes.ts";
import type {
  EventHandler,
  EventLoopOptions,
  HandlerOptions,
  LoopEvent,
  LoopRunOptions,
  Registration,
} from "./event-loop/options.ts";
import { sourceLane } from "./event-loop/source-lane.ts";

export type { AnyIterable, Source } from "../sync/source.ts";
export type * from "./event-loop/options.ts";

/**
 * An event loop of your own.
 *
 * **Guarantees** One event is handled at a time, to completion: handlers never overlap. What is posted, and what each
 * source gives, is handled in its order. Among the posts and the sources that have an event, each is next with the
 * same chance, so none starves. A source is asked for an event only when the one before it is being handled.
 * Handlers of a kind are called one after the other, in the order of their registration.
 * **Cancellation** See {@link EventLoop.run}, {@link EventLoop.stop} and {@link EventLoop.close}. After the end no
 * source, task or waiting post is left.
 * **Errors** The first failure of a handler or source ends the loop, unless `onError` deals with it. An event
 * that nobody handles is a failure too.
 * **Cost** A choice among the sources and a few turns of microtasks an event. It yields to the host now and then.
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
  readonly #handlers: Handlers;
  readonly #mailbox: Channel<Arrival>;
  readonly #lanes = new Lanes<Arrival>();
  readonly #intake: CancelableContext = withCancel({});
  readonly #readers: TaskGroup;
  readonly #errors: unknown[] = [];
  readonly #unhandled: LoopEvent<E>[] = [];
  readonly #end: Deferred<void>;
  #state: "idle" | "running" | "ended" = "idle";

  constructor(options: EventLoopOptions<E> = {}) {
    const { onError, capacity = 1024, name = "event loop" } = options;
    if (onError !== undefined) requireFunction("onError", onError);
    this.#handlers = new Handlers(onError as Catch | undefined);
    const runtime = currentRuntime();
    this.#end = new Deferred<void>(runtime, "join", observe(runtime, "loop", name));
    this.#readers = new TaskGroup({ name: `${name} sources` });
    requireInteger("capacity", capacity, 1);
    this.#mailbox = new Channel<Arrival>(capacity, { name: `${name} mailbox` });
    this.#lanes.add({ ...laneOf(this.#mailbox), stop: () => this.#shut() });
  }

  /** How many posted events may wait. */
  get capacity(): number {
    return this.#mailbox.capacity;
  }

  /** How many posted events wait to be handled. */
  get size(): number {
    return this.#mailbox.size;
  }

  /** How many posts wait for room. */
  get waiting(): number {
    return this.#mailbox.waiting.senders;
  }

  /** Whether no more events are accepted. */
  get closed(): boolean {
    return this.#mailbox.closed;
  }

  /** The failures that have ended it: the one that `run` rejects with, then those that came on the way out. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /** After the end: the events that were accepted and not handled, because the loop was stopped or has failed. */
  get unhandled(): readonly LoopEvent<E>[] {
    return this.#unhandled;
  }

  /**
   * Calls `handler` for each event of a kind. A handler that is taken back, also during an event, is not called again;
   * one that is added during an event is called from the next one on.
   */
  on<K extends keyof E & string>(
    kind: K,
    handler: EventHandler<E[K]>,
    options: HandlerOptions = {},
  ): Registration {
    requireFunction("handler", handler);
    return registration(this.#handlers.add(kind, handler, options.once ?? false));
  }

  /**
   * Takes the events of a kind from a source, from the start of the run on, until the source ends.
   *
   * **Guarantees** A source is never more than one event ahead; a channel or a ticker not at all: what is not handled
   * stays in it. When the source is no longer wanted, its context ends and its iterator is told to return; what it has
   * given by then is still handled. `run` returns after its `finally` blocks.
   * **Errors** Throws `ClosedError` if the loop is closed. A failure of the source ends the loop, unless `onError` deals
   * with it.
   *
   * @returns a function that says that no more of it is wanted.
   */
  source<K extends keyof E & string>(kind: K, source: Source<E[K]>): Registration {
    if (this.closed) throw closedError();
    const lost = (late: Arrival): void => this.#lost(late);
    const owner = { readers: this.#readers, intake: this.#intake.ctx, lost };
    return registration(this.#lanes.add(sourceLane(kind, source, owner)));
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
    return this.#mailbox.send(posted(kind, value), options);
  }

  /** Accepts an event if there is room, and says whether it did. Throws `ClosedError` if the loop is closed. */
  tryPost<K extends keyof E & string>(kind: K, value: E[K]): boolean {
    if (this.closed) throw closedError();
    return this.#mailbox.trySend(posted(kind, value));
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
    return this.#run(until, options);
  }

  /** Ends the loop after the event under way. What waits is given up: see {@link EventLoop.unhandled}. */
  stop(): void {
    this.#shut();
    this.#intake.cancel(new CanceledError("event loop stopped"));
  }

  /** No more events: posts are refused and sources told to finish. The run ends when all that is there is handled. */
  close(): void {
    this.#lanes.stop();
  }

  /**
   * Closes the loop and waits for its end. If nobody runs it, this does.
   *
   * **Cancellation** Rejects with the signal's reason; a loop that somebody else runs goes on to its end.
   * **Errors** As {@link EventLoop.run}.
   */
  async drain(options?: CancelOptions): Promise<void> {
    this.close();
    await (this.#state === "idle" ? this.run(options) : this.#end.wait(options));
  }

  /** Drains it. A failure is left to whoever runs it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "idle") await this.drain();
    else await outcomeOf(() => this.drain());
  }

  async #run(until: "closed" | "idle", options: CancelOptions): Promise<void> {
    if (this.#state !== "idle") throw new MisuseError(`run of an event loop that is ${this.#state}`);
    this.#state = "running";
    const { ctx, cancel } = withCancel(options);
    if (ctx.error !== undefined) this.#intake.cancel(ctx.cause);
    const link = linkCancel(ctx, { onCancel: (reason) => this.#intake.cancel(reason) });
    this.#lanes.start();
    const served = await outcomeOf(() => this.#serve(until, ctx));
    link?.release();
    this.stop();
    await this.#readers.wait();
    for (let next = this.#mailbox.tryReceive(); next?.done === false; next = this.#mailbox.tryReceive()) {
      this.#lost(next.value);
    }
    const outcome = this.#outcome(served, ctx);
    cancel();
    this.#state = "ended";
    this.#end.settle(outcome);
    valueOf(outcome);
  }

  /** Throws the reason for which the intake has ended, if that is how it comes to its end. */
  async #serve(until: "closed" | "idle", ctx: Context): Promise<void> {
    const intake = this.#intake.ctx;
    for (;;) {
      if (until === "idle" && this.size === 0 && this.#lanes.size === 1) this.close();
      if (this.#lanes.size === 0) return;
      const arrival = await this.#lanes.take(intake);
      if (arrival === undefined) continue;
      if (intake.error === undefined) await this.#handle(arrival, ctx);
      else this.#lost(arrival);
    }
  }

  async #handle({ kind, outcome, context }: Arrival, ctx: Context): Promise<void> {
    const fatal = await context.run(() => this.#handlers.handle(kind, outcome, ctx));
    this.#errors.push(...fatal);
    if (fatal.length > 0) this.stop();
  }

  /** An arrival for which it is too late. */
  #lost({ kind, outcome }: Arrival): void {
    if (outcome.ok) this.#unhandled.push({ kind, value: outcome.value } as LoopEvent<E>);
    else this.#errors.push(outcome.error);
  }

  /** How the run has ended: with a failure, if there was one; well, if it was stopped; else as it was served. */
  #outcome(served: Outcome<void>, ctx: Context): Outcome<void> {
    if (this.#errors.length > 0) return { ok: false, error: this.#errors[0] };
    const stopped = !served.ok && served.error === this.#intake.ctx.cause && served.error !== ctx.cause;
    return stopped ? { ok: true, value: undefined } : served;
  }

  #shut(): void {
    if (!this.closed) this.#mailbox.close();
  }
}

function registration(takeBack: () => void): Registration {
  return Object.assign(takeBack, { [Symbol.dispose]: takeBack });
}

function closedError(): ClosedError {
  return new ClosedError("event loop is closed");
}
