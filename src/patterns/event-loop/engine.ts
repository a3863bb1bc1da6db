/**
 * The inside of an event loop: it takes what comes in, in turns, and has it handled.
 *
 * Invariants
 *   I1  The state only moves forward: idle, running, ended. Handlers are called only while it is running, and the next
 *       one only when the one before it has settled.
 *   I2  `intake` has ended once no more events are taken: after `stop`, a failure or the end of the run. No source
 *       outlives it for longer than its own `finally` blocks take.
 *   I3  Every event that was accepted is handled, or is in `unhandled` at the end.
 */
import { requireFunction, requireInteger } from "../../core/arguments.ts";
import { type CancelOptions, linkCancel } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { CanceledError, MisuseError } from "../../core/errors.ts";
import { observe } from "../../core/resource.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { Channel } from "../../sync/channel.ts";
import { background, type CancelableContext, type Context, withCancel } from "../../sync/context.ts";
import type { Source } from "../../sync/source.ts";
import { TaskGroup } from "../../sync/task-group.ts";
import { type Arrival, laneOf, posted } from "./arrival.ts";
import { Gate } from "./gate.ts";
import { type Catch, Handlers } from "./handlers.ts";
import { Lanes } from "./lanes.ts";
import type { EventLoopOptions, LoopObserver, LoopStats } from "./options.ts";
import { Slice } from "./slice.ts";
import { sourceLane } from "./source-lane.ts";
import { type Rank, rankOf } from "./turns.ts";

/** An event that was accepted and not handled. */
interface Lost {
  readonly kind: string;
  readonly value: unknown;
}

export class Engine {
  readonly handlers: Handlers;
  readonly mailbox: Channel<Arrival>;
  readonly gate: Gate;
  readonly end: Deferred<void>;
  readonly errors: unknown[] = [];
  readonly unhandled: Lost[] = [];
  readonly #lanes = new Lanes<Arrival>();
  readonly #intake: CancelableContext = withCancel({});
  readonly #life: CancelableContext = withCancel(background);
  readonly #readers: TaskGroup;
  readonly #slice: Slice;
  readonly #observer: LoopObserver | undefined;
  readonly #now: () => number | undefined;
  #processed = 0;
  #failed = 0;
  state: "idle" | "running" | "ended" = "idle";

  constructor(options: Omit<EventLoopOptions<object>, "onError"> & { readonly onError?: unknown }) {
    const { onError, capacity = 1024, name = "event loop", observer } = options;
    if (onError !== undefined) requireFunction("onError", onError);
    requireInteger("capacity", capacity, 1);
    this.handlers = new Handlers(onError as Catch | undefined);
    this.#slice = new Slice(options);
    this.#observer = observer;
    const runtime = currentRuntime();
    this.#now = () => (observer === undefined ? undefined : runtime.clock.now());
    const resource = observe(runtime, "loop", name);
    this.end = new Deferred<void>(runtime, "join", resource);
    this.gate = new Gate(resource);
    this.#readers = new TaskGroup({ name: `${name} sources` });
    this.mailbox = new Channel<Arrival>(capacity, { name: `${name} mailbox` });
    this.#lanes.add({ ...laneOf(this.mailbox, rankOf()), stop: () => this.#shut() });
  }

  /** Ends when nothing is handled any more. */
  get ctx(): Context {
    return this.#life.ctx;
  }

  get stats(): LoopStats {
    const { closed, size, waiting } = this.mailbox;
    const sources = Math.max(0, this.#lanes.size - (closed && size === 0 ? 0 : 1));
    return { processed: this.#processed, failed: this.#failed, size, waiting: waiting.senders, sources };
  }

  /** An event that is posted now. */
  posted(kind: string, value: unknown): Arrival {
    return posted(kind, value, this.#now());
  }

  /** Adds a source. The function that it gives takes it back. */
  source(kind: string, source: Source<unknown>, rank: Rank): () => void {
    const lost = (late: Arrival): void => this.#lost(late);
    const owner = { readers: this.#readers, intake: this.#intake.ctx, lost, now: this.#now };
    return this.#lanes.add(sourceLane(kind, source, rank, owner));
  }

  /** Ends after the event under way. */
  stop(): void {
    this.#shut();
    this.#intake.cancel(new CanceledError("event loop stopped"));
  }

  /** Takes no more, and ends when all that is there is handled. */
  close(): void {
    this.#lanes.stop();
  }

  async run(until: "closed" | "idle", options: CancelOptions): Promise<void> {
    if (this.state !== "idle") throw new MisuseError(`run of an event loop that is ${this.state}`);
    this.state = "running";
    const { ctx, cancel } = withCancel(options);
    if (ctx.error !== undefined) this.#intake.cancel(ctx.cause);
    const link = linkCancel(ctx, { onCancel: (reason) => this.#intake.cancel(reason) });
    this.#lanes.start();
    const served = await outcomeOf(() => this.#serve(until, ctx));
    link?.release();
    this.stop();
    await this.#readers.wait();
    for (let next = this.mailbox.tryReceive(); next?.done === false; next = this.mailbox.tryReceive()) {
      this.#lost(next.value);
    }
    const outcome = this.#outcome(served, ctx);
    cancel();
    this.state = "ended";
    this.gate.end();
    this.end.settle(outcome);
    this.#life.cancel(new CanceledError("event loop has ended"));
    valueOf(outcome);
  }

  /** Throws the reason for which the intake has ended, if that is how it comes to its end. */
  async #serve(until: "closed" | "idle", ctx: Context): Promise<void> {
    const intake = this.#intake.ctx;
    for (;;) {
      if (until === "idle" && this.mailbox.size === 0 && this.#lanes.size === 1) this.close();
      if (this.#lanes.size === 0) return;
      const arrival = await this.#lanes.take(intake);
      if (arrival === undefined) continue;
      await this.#passGate(intake);
      if (intake.error === undefined) await this.#handle(arrival, ctx);
      else this.#lost(arrival);
    }
  }

  /** Waits while it is paused. That the intake ends meanwhile is seen afterwards. */
  async #passGate(intake: Context): Promise<void> {
    while (intake.error === undefined) {
      const passed = this.gate.pass(intake);
      if (passed === undefined) return;
      await outcomeOf(() => passed);
    }
  }

  async #handle({ kind, outcome, context, acceptedMs }: Arrival, ctx: Context): Promise<void> {
    const waitedMs = acceptedMs === undefined ? undefined : (this.#now() ?? acceptedMs) - acceptedMs;
    const done = this.#observer?.begin(kind, waitedMs);
    const { how, fatal } = await context.run(() => this.handlers.handle(kind, outcome, ctx));
    done?.();
    if (how === "processed") this.#processed++;
    else if (how === "failed") this.#failed++;
    this.gate.handled();
    this.errors.push(...fatal);
    if (fatal.length > 0) this.stop();
    await this.#slice.spent();
  }

  /** An arrival for which it is too late. */
  #lost({ kind, outcome }: Arrival): void {
    if (outcome.ok) this.unhandled.push({ kind, value: outcome.value });
    else this.errors.push(outcome.error);
  }

  /** How the run has ended: with a failure, if there was one; well, if it was stopped; else as it was served. */
  #outcome(served: Outcome<void>, ctx: Context): Outcome<void> {
    if (this.errors.length > 0) return { ok: false, error: this.errors[0] };
    const stopped = !served.ok && served.error === this.#intake.ctx.cause && served.error !== ctx.cause;
    return stopped ? { ok: true, value: undefined } : served;
  }

  #shut(): void {
    if (!this.mailbox.closed) this.mailbox.close();
  }
}
