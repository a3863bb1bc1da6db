/**
 * Values that tasks of one group produce, as something to iterate. Whoever iterates owns the tasks: leaving the loop
 * ends them, and a failure of any of them comes out of the loop.
 *
 * Invariants
 *   I1  The state only moves forward: idle, running, ended. Nothing has been started while it is idle.
 *   I2  Once it has ended, no task of the group is left.
 */
import { requireLimit } from "../core/arguments.ts";
import { AsyncContext } from "../core/async-context.ts";
import { type CancelOptions, isCancelled, rejectIfCancelled } from "../core/cancellation.ts";
import { CanceledError, withSuppressed } from "../core/errors.ts";
import { turnIsDue } from "../core/fairness.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { outcomeOf, valueOf } from "../core/task.ts";
import { Channel, type Received, type SendPort } from "./channel.ts";
import type { Context } from "./context.ts";
import { Collector } from "./flow/collector.ts";
import type { Way } from "./flow/passage.ts";
import { TaskGroup } from "./task-group.ts";

export { type AnyIterable, pump, type Source } from "./source.ts";

/** How a flow runs. */
export interface FlowOptions extends CancelOptions {
  /** How many values may wait to be taken: at least 0; default 0, so that nothing is made before it is wanted. */
  readonly capacity?: number | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/**
 * Makes the values: sends them to `out`, starts what it needs in `group`, and settles when no more will come. It must
 * pass `group.ctx` to everything that waits.
 */
export type FlowProducer<T> = (out: SendPort<T>, group: TaskGroup) => Promise<void>;

interface Running<T> {
  readonly runtime: BareRuntime;
  readonly group: TaskGroup;
  readonly out: Way<T>;
}

/**
 * A stream of values with backpressure and an owner.
 *
 * **Guarantees** Nothing runs before the first value is asked for, and nothing after the loop has been left: leaving it
 * cancels the tasks and waits for them. It can be iterated once. What makes the values runs in the async context of
 * whoever made the flow.
 * **Cancellation** When `signal` aborts, the loop throws its reason; values that were made and not yet taken are lost.
 * **Errors** The first failure of any task, once all of them have ended.
 * **Cost** One channel hand-off a value; with {@link Flow.toArray} none.
 *
 * @example
 * const flow = new Flow<number>(async (out, group) => {
 *   for (let n = 1; n <= 3; n++) await out.send(n, group.ctx);
 * });
 * await flow.toArray(); //=> [1, 2, 3]
 */
export class Flow<T> implements AsyncIterable<T, undefined> {
  readonly #produce: FlowProducer<T>;
  readonly #options: FlowOptions;
  /** That of whoever made the flow and handed its callbacks over, not that of whoever reads it. */
  readonly #context = new AsyncContext();
  #state: "idle" | "running" | "ended" = "idle";
  #running: Running<T> | undefined;

  constructor(produce: FlowProducer<T>, options: FlowOptions = {}) {
    requireLimit("capacity", options.capacity ?? 0, 0);
    this.#produce = produce;
    this.#options = options;
  }

  /**
   * What went wrong in it, in the order in which it did; also on the way out of a loop whose body threw, which the
   * language then drops. @internal
   */
  get failures(): readonly unknown[] {
    return this.#running?.group.errors ?? [];
  }

  /** Starts the tasks with the first value asked for; leaving the loop ends them. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  /** Calls `visit` with each value, one at a time, and waits for it. */
  async forEach(visit: (value: T) => void | PromiseLike<void>): Promise<void> {
    const visited = await outcomeOf(async () => {
      for await (const value of this) await visit(value);
    });
    if (!visited.ok) throw withSuppressed(visited.error, this.failures);
  }

  /** Collects every value. Not for flows that are long or endless. */
  async toArray(): Promise<T[]> {
    if (this.#state !== "idle" || bareRuntime().scheduler !== undefined) {
      const values: T[] = [];
      for await (const value of this) values.push(value);
      return values;
    }
    // All are wanted, and none before the end: so none is handed to a reader.
    const collector = new Collector<T>();
    this.#running = this.#start(collector);
    await this.#end();
    return collector.toArray();
  }

  /** Gives the rest up: cancels what runs and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  /**
   * The next value, at once if there is one: for a stage that disposes of the flow when it has ended, however that has come
   * about. So it need not be told here how the flow has ended. @internal
   */
  takeNext(): Received<T> | Promise<Received<T>> {
    const running = this.#running;
    if (running === undefined || running.runtime.scheduler !== undefined) return this.#next();
    return this.#tryReceive() ?? running.out.receive(running.group.ctx);
  }

  /** Where values go through, on their way to who reads them. @internal */
  protected way(capacity: number | undefined, name: string | undefined, _ctx: Context): Way<T> {
    return new Channel<T>(capacity, { name: name === undefined ? undefined : `${name} out` });
  }

  /** Calls what makes the values, in the async context in which it was handed over. @internal */
  protected inItsContext<R>(call: () => Promise<R>): Promise<R> {
    return this.#context.run(call);
  }

  #next(): Promise<Received<T>> {
    const taken = this.#tryReceive();
    return taken === undefined ? this.#waitForNext() : Promise.resolve(taken);
  }

  /** In a simulation every value is waited for, so that another task may go first. */
  #tryReceive(): Received<T> | undefined {
    if (this.#running === undefined || this.#state !== "running") return undefined;
    const { runtime, group, out } = this.#running;
    if (runtime.scheduler !== undefined || isCancelled(group.ctx) || turnIsDue(runtime)) return undefined;
    const taken = out.tryReceive();
    return taken?.done === true ? undefined : taken;
  }

  async #waitForNext(): Promise<Received<T>> {
    if (this.#state === "ended") return { value: undefined, done: true };
    this.#running ??= this.#start();
    const { group, out } = this.#running;
    try {
      const received = await out.receive(group.ctx);
      if (received.done !== true) return received;
    } catch (error) {
      // Several may ask at once. Whoever finds that another has ended it is told the end, and not that it was cancelled.
      const first = this.#state === "running";
      await this.#end();
      if (first) throw error;
      return { value: undefined, done: true };
    }
    await this.#end();
    return { value: undefined, done: true };
  }

  /** Waits until nothing is left; throws a failure to whoever ended it, and to nobody else. */
  async #end(): Promise<void> {
    const first = this.#state === "running";
    this.#state = "ended";
    const end = await outcomeOf(async () => this.#running?.group.wait());
    if (first) valueOf(end);
  }

  /** Values go to `collector` if there is one, and else to whoever receives them. */
  #start(collector?: Collector<T>): Running<T> {
    this.#state = "running";
    const { name, capacity, signal } = this.#options;
    const runtime = bareRuntime();
    const group = new TaskGroup({ name, signal });
    const out = this.way(capacity, name, group.ctx);
    group.go(async () => {
      await this.inItsContext(() => this.#produce(collector ?? out, group));
      await rejectIfCancelled(group.ctx);
      collector?.close();
      out.close();
    });
    return { runtime, group, out };
  }

  /** The reader goes. That tasks give up what it no longer wants is no failure; what goes wrong on the way out is. */
  async #leave(): Promise<Received<T>> {
    this.#running?.group.cancel(new CanceledError("the reader has left"));
    if (this.#state === "idle") this.#state = "ended";
    await this.#end();
    return { value: undefined, done: true };
  }
}
