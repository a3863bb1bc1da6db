/**
 * The inside of a thread: calls the functions of a module, one call at a time, in the order in which they come.
 *
 * Invariants
 *   I1  A call is begun only if its cell, if it has one, could be taken from `sent` to `begun`; else it was taken back, and
 *       is nobody's.
 *   I2  Its cell is taken from `begun` to `done` before its outcome is told: after that, the cell may be another call's. If
 *       it could not be, the thread is about to be ended because of it: nothing is told, and nothing begun, any more.
 */
import { RingBuffer } from "../core/ring-buffer.ts";
import { isPending } from "../core/task.ts";
import { errorOf, recordOf } from "./error-record.ts";
import { type CallOrder, callState, change, type News, type Order } from "./protocol.ts";
import { RunningCall } from "./running-call.ts";
import { movable, unwrapped } from "./transfer.ts";

/** How a thread speaks to its pool, and reads the time. */
export interface RunnerHost {
  /** Throws if that cannot be copied. */
  post(news: News, list: readonly Transferable[]): void;
  now(): number;
}

type JobFunction = (job: unknown, context: RunningCall["context"]) => unknown;

export class Runner {
  readonly #functions: Readonly<Record<string, unknown>>;
  readonly #cells: Int32Array | undefined;
  readonly #worker: number;
  readonly #host: RunnerHost;
  readonly #line = new RingBuffer<CallOrder>();
  #state: "idle" | "working" | "doomed" = "idle";
  #running: RunningCall | undefined;

  constructor(
    functions: Readonly<Record<string, unknown>>,
    cells: Int32Array | undefined,
    worker: number,
    host: RunnerHost,
  ) {
    this.#functions = functions;
    this.#cells = cells;
    this.#worker = worker;
    this.#host = host;
  }

  take(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order[0] === "call") this.#line.push(order);
      else if (order[1] !== this.#running?.id) continue;
      else if (order[0] === "cancel") this.#running.end({ thrown: errorOf(order[2]) });
      else this.#running.more(order[2]);
    }
    if (this.#state === "idle") void this.#work();
  }

  async #work(): Promise<void> {
    this.#state = "working";
    while (this.#line.size > 0) {
      const order = this.#line.shift();
      if (!this.#change(order[1], callState.sent, callState.begun)) continue;
      const working = this.#perform(order);
      if (working !== undefined) await working;
    }
    if (this.#state === "working") this.#state = "idle";
  }

  #change(id: number, from: 0 | 1, to: 1 | 2): boolean {
    return this.#cells === undefined || change(this.#cells, id, from, to);
  }

  /** Performs a call, and sends its outcome. What it gives, if anything, is to be waited for, and never rejects. */
  #perform(order: CallOrder): Promise<void> | undefined {
    const [, id, name, job, tellBegin, credit] = order;
    const sinceMs = this.#host.now();
    if (tellBegin) this.#host.post(["begun", id], []);
    const call = new RunningCall(id, credit, this.#worker);
    this.#running = call;
    try {
      const given = this.#named(name)(job, call.context);
      if (credit !== undefined) return this.#stream(call, given as AsyncIterable<unknown>, sinceMs);
      if (isPending(given)) return this.#later(call, given, sinceMs);
      this.#done(call, given, sinceMs);
    } catch (error) {
      this.#failed(call, error, sinceMs);
    }
    return undefined;
  }

  async #later(call: RunningCall, given: PromiseLike<unknown>, sinceMs: number): Promise<void> {
    try {
      this.#done(call, await given, sinceMs);
    } catch (error) {
      this.#failed(call, error, sinceMs);
    }
  }

  async #stream(call: RunningCall, given: AsyncIterable<unknown>, sinceMs: number): Promise<void> {
    try {
      for await (const each of given) {
        if (!(await call.mayGive())) break;
        const { value, list } = unwrapped(each);
        this.#host.post(["value", call.id, value], movable(list));
      }
      this.#done(call, undefined, sinceMs);
    } catch (error) {
      this.#failed(call, error, sinceMs);
    }
  }

  #done(call: RunningCall, given: unknown, sinceMs: number): void {
    if (!this.#ended(call)) return;
    const { value, list } = unwrapped(given);
    const tookMs = this.#host.now() - sinceMs;
    try {
      this.#host.post(["done", call.id, value, tookMs], movable(list));
    } catch (error) {
      this.#tell(call, error, tookMs);
    }
  }

  #failed(call: RunningCall, error: unknown, sinceMs: number): void {
    if (this.#ended(call)) this.#tell(call, error, this.#host.now() - sinceMs);
  }

  #tell(call: RunningCall, error: unknown, tookMs: number): void {
    this.#host.post(["failed", call.id, recordOf(error), tookMs], []);
  }

  /** It has an outcome; whether that is to be told. */
  #ended(call: RunningCall): boolean {
    this.#running = undefined;
    call.end();
    if (this.#change(call.id, callState.begun, callState.done)) return true;
    this.#state = "doomed";
    this.#line.clear();
    return false;
  }

  #named(name: string): JobFunction {
    const found = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (typeof found !== "function") throw new TypeError(`the module exports no function "${name}"`);
    return found as JobFunction;
  }
}
