/**
 * A call of a function in a thread, as the pool sees it.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import type { Runtime } from "../core/runtime.ts";
import { Waiter } from "../core/waiter.ts";

/** What is to be done. */
export interface ThreadJob {
  readonly name: string;
  readonly job: unknown;
  /** Told when the thread begins, if somebody wants to know. */
  readonly begun?: (() => void) | undefined;
  /** Takes the values of a stream; undefined if one result is wanted. */
  readonly sink?: StreamSink | undefined;
}

/** Where the values of a stream go. */
export interface StreamSink {
  /** How many may be on their way. */
  readonly credit: number;
  take(value: unknown, call: ThreadCall): void;
}

/** A thread, for a call that was sent to it. */
export interface CallHolder {
  /** Takes a call back that has not begun, and says whether it could. */
  takeBack(call: ThreadCall): boolean;
  /** Tells that nobody wants the result of a call any more. */
  cancel(call: ThreadCall, reason: unknown): void;
  /** Tells that so many values of a stream were taken. */
  more(call: ThreadCall, count: number): void;
}

/**
 * Invariants
 *   I1  It is granted or failed once: when its thread has told how it ended, has ended itself, or had not begun.
 *   I2  Being given up is not the end of one that a thread has begun. It is, once the thread has let go of it.
 */
export class ThreadCall extends Waiter<unknown> {
  readonly what: ThreadJob;
  /** Where it was sent, and its number and cell there. */
  thread: CallHolder | undefined;
  id = 0;
  place = 0;
  /** Why nobody wants its result any more. */
  abandoned: { readonly reason: unknown } | undefined;
  /** Ends its thread if that does not let go of it. */
  grace: Timer | undefined;
  readonly #abandon: () => void;

  constructor(runtime: Runtime, what: ThreadJob, options: CancelOptions, abandon: () => void) {
    super(runtime, `call ${what.name}`, undefined, options);
    this.what = what;
    this.#abandon = abandon;
  }

  override onCancel(reason: unknown): void {
    this.abandoned = { reason };
    this.#abandon();
  }

  protected override leave(): void {
    super.leave();
    this.grace?.cancel();
  }
}
