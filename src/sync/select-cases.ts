/**
 * The operations among which a select chooses: receive, send, a delay, the end of a context.
 */
import { requireDuration, requireObject } from "../core/arguments.ts";
import {
  type CancelLink,
  type CancellationCarrier,
  type CancelOptions,
  endingOf,
  isCancelled,
  linkCancel,
} from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import type { Runtime } from "../core/runtime.ts";
import type { ResourceInfo, TaskRecord } from "../core/scheduler.ts";
import { QueueNode } from "../core/waiter-queue.ts";
import type { Receivable, Received, Receiver, Sendable, Sender } from "./ports.ts";

/** One operation that a select may choose. Made by {@link receive}, {@link send}, {@link after} and {@link done}. */
export interface SelectCase<R extends CaseResult> {
  /** Whether it could go on now. */
  ready(): boolean;
  /** Goes on; called only when ready, in the same step. */
  commit(): R;
  /** Takes its place where it will be found when it can go on. */
  enroll(select: Chooser<R>): Enrollment;
  /** What it concerns, for reports. */
  readonly resource: ResourceInfo | undefined;
}

/** What a case gives when it is chosen. */
export interface CaseResult {
  /** What the operation gave. */
  readonly value: unknown;
}

/** A case that has taken its place. */
export interface Enrollment {
  leave(): void;
}

/** The select to which an enrolled case belongs. */
export interface Chooser<R extends CaseResult> {
  readonly runtime: Runtime;
  readonly task: TaskRecord | undefined;
  choose(result: R): void;
  refuse(error: unknown): void;
}

class ReceiveNode<T> extends QueueNode implements Receiver<T>, Enrollment {
  readonly #select: Chooser<Received<T>>;

  constructor(select: Chooser<Received<T>>) {
    super();
    this.#select = select;
  }

  get task(): TaskRecord | undefined {
    return this.#select.task;
  }

  deliver(result: Received<T>): void {
    this.#select.choose(result);
  }

  refused(error: unknown): void {
    this.#select.refuse(error);
  }

  leave(): void {
    this.queue?.remove(this);
  }
}

/** What a chosen send gives. */
export interface Sent {
  /** A send gives nothing. */
  readonly value: undefined;
}

const SENT: Sent = { value: undefined };

class SendNode<T> extends QueueNode implements Sender<T>, Enrollment {
  readonly value: T;
  readonly #select: Chooser<Sent>;

  constructor(select: Chooser<Sent>, value: T) {
    super();
    this.#select = select;
    this.value = value;
  }

  get task(): TaskRecord | undefined {
    return this.#select.task;
  }

  accepted(): void {
    this.#select.choose(SENT);
  }

  refused(error: unknown): void {
    this.#select.refuse(error);
  }

  leave(): void {
    this.queue?.remove(this);
  }
}

/**
 * A case that receives from a channel, or from what stands on one: a ticker, a subscription, a job queue.
 *
 * **Errors** The select fails with the error with which the channel was closed, if it was.
 *
 * @example
 * const words = new Channel<string>(1);
 * await words.send("go");
 * const chosen = await select({ word: receive(words), late: after(50) });
 * chosen; //=> { key: "word", value: "go", done: false }
 */
export function receive<T>(port: Receivable<T>): SelectCase<Received<T>> {
  const end = port.receiveSide;
  return {
    resource: end.resource,
    ready: () => end.receivable,
    commit: () => end.tryReceive() as Received<T>,
    enroll: (select) => {
      const node = new ReceiveNode<T>(select);
      end.enrollReceiver(node);
      return node;
    },
  };
}

/**
 * A case that sends `value` to a channel. The value is evaluated when the case is made, as in Go.
 *
 * @example
 * const words = new Channel<string>(1);
 * const chosen = await select({ sent: send(words, "go") });
 * chosen.key; //=> "sent"
 */
export function send<T>(port: Sendable<T>, value: T): SelectCase<Sent> {
  const end = port.sendSide;
  return {
    resource: end.resource,
    ready: () => end.sendable,
    commit: () => {
      end.trySend(value);
      return SENT;
    },
    enroll: (select) => {
      const node = new SendNode<T>(select, value);
      end.enrollSender(node);
      return node;
    },
  };
}

/** What a chosen {@link after} gives. */
export interface Elapsed {
  /** The delay, in milliseconds. */
  readonly value: number;
}

/**
 * A case that is chosen when `delayMs` have passed since the select began to wait. Its value is the delay. If another
 * case is chosen, no timer is left.
 *
 * @example
 * const silent = new Channel<string>();
 * const chosen = await select({ word: receive(silent), late: after(5) });
 * chosen.key; //=> "late"
 */
export function after(delayMs: number): SelectCase<Elapsed> {
  const delay = requireDuration("delayMs", delayMs);
  return {
    resource: undefined,
    ready: () => delay === 0,
    commit: () => ({ value: delay }),
    enroll: (select) => {
      const timer: Timer = select.runtime.clock.after(delay, () => select.choose({ value: delay }));
      return { leave: () => timer.cancel() };
    },
  };
}

/**
 * A case that is chosen when a context or a signal ends. Its value is the reason.
 *
 * @example
 * const { ctx, cancel } = withCancel(background);
 * cancel(new Error("enough"));
 * const chosen = await select({ ended: done(ctx) });
 * (chosen.value as Error).message; //=> "enough"
 */
export function done(source: CancelOptions | AbortSignal): SelectCase<CaseResult> {
  requireObject("source", source, "a context, a signal, or an object with a signal");
  // By what it has and not by its class: a signal may come from another realm.
  const options: CancelOptions & CancellationCarrier = "aborted" in source ? { signal: source } : source;
  return {
    resource: undefined,
    ready: () => isCancelled(options),
    commit: () => ({ value: endingOf(options)?.reason }),
    enroll: (select) => {
      const link: CancelLink | undefined = linkCancel(options, {
        onCancel: (reason) => select.choose({ value: reason }),
      });
      return { leave: () => link?.release() };
    },
  };
}
