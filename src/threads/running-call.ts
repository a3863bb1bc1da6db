/**
 * A call that a thread is at: what its function is given beside the job, and what the pool tells it meanwhile.
 */
import { CanceledError } from "../core/errors.ts";
import { type Context, withCancel } from "../sync/context.ts";

/** The same shape as in the pools of one event loop, so that one function serves both. */
class ThreadJobContext {
  readonly worker: number;
  readonly state: undefined = undefined;
  readonly #call: RunningCall;

  constructor(call: RunningCall, worker: number) {
    this.#call = call;
    this.worker = worker;
  }

  get ctx(): Context {
    return this.#call.ctx;
  }
}

/** One for all: most calls end without anybody having asked for their context. */
const over = { thrown: new CanceledError("the job has ended") };

export class RunningCall {
  readonly id: number;
  readonly context: ThreadJobContext;
  /** Why nobody wants its result any more. */
  #reason: { readonly thrown: unknown } | undefined;
  #controller: AbortController | undefined;
  #ctx: Context | undefined;
  /** How many values of a stream may still be sent, and what goes on when that changes. */
  #credit: number;
  #wake: (() => void) | undefined;

  /** `credit`: how many values of its stream may be sent, if it gives one. */
  constructor(id: number, credit: number | undefined, worker: number) {
    this.id = id;
    this.#credit = credit ?? 0;
    this.context = new ThreadJobContext(this, worker);
  }

  /** Made when it is first asked for: most functions do not ask. */
  get ctx(): Context {
    if (this.#ctx !== undefined) return this.#ctx;
    this.#controller = new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason.thrown);
    this.#ctx = withCancel({ signal: this.#controller.signal }).ctx;
    return this.#ctx;
  }

  /** Whether its result is still wanted. */
  get wanted(): boolean {
    return this.#reason === undefined;
  }

  /** Nobody wants its result any more, or there is one. */
  end(reason?: { readonly thrown: unknown }): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason ?? over;
    this.#controller?.abort(this.#reason.thrown);
    this.#wake?.();
  }

  /** So many values of its stream have been taken. */
  more(count: number): void {
    this.#credit += count;
    this.#wake?.();
  }

  /** Waits until a value of its stream may be sent; false if none is wanted any more. */
  async mayGive(): Promise<boolean> {
    while (this.#credit === 0 && this.wanted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#credit--;
    return this.wanted;
  }
}
