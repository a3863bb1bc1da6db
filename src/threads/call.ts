/**
 * A call of a function in a thread, as the pool sees it.
 */
import type { Timer } from "../core/clock.ts";
import { Errand, type Sender } from "../patterns/pools/errand.ts";

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

/** Who has had it made. */
export interface CallOwner {
  abandoned(call: ThreadCall, reason: unknown): void;
}

/**
 * Invariants
 *   I1  It is granted or failed once: when its thread has told how it ended, has ended itself, or had not begun.
 *   I2  Being given up is not the end of one that a thread has begun. It is, once the thread has let go of it.
 */
export class ThreadCall extends Errand<unknown> {
  readonly what: ThreadJob;
  /** Where it was sent, and its number there. */
  thread: CallHolder | undefined;
  id = 0;
  /** Why nobody wants its result any more. */
  abandoned: { readonly reason: unknown } | undefined;
  /** Ends its thread if that does not let go of it. */
  grace: Timer | undefined;
  readonly #owner: CallOwner;

  constructor(what: ThreadJob, owner: CallOwner) {
    super();
    this.what = what;
    this.#owner = owner;
  }

  override onCancel(reason: unknown): void {
    this.abandoned = { reason };
    this.#owner.abandoned(this, reason);
  }

  protected override leave(): Sender<unknown> | undefined {
    this.grace?.cancel();
    return super.leave();
  }
}
