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
import type { Receivable, Received, ReceiveSide, Receiver, Sendable, Sender, SendSide } from "./ports.ts";

/** One operation that a select may choose. Made by {@link receive}, {@link send}, {@link after}, {@link done} and `settled`. */
export interface SelectCase<R extends CaseResult> {
  /** Whether it could go on now. */
  ready(): boolean;
  /** Goes on; called only when ready, in the same step. Undefined if it could not, as another thread was faster. */
  commit(): R | undefined;
  /** Takes its place where it will be found when it can go on; `key` is what the select calls it. */
  enroll(select: Chooser<R>, key: string): Enrollment;
  /** What it concerns, for reports. */
  readonly resource: ResourceInfo | undefined;
}

/** What a case gives when it is chosen. */
export interface CaseResult {
  /** What the operation gave. */
  readonly value: unknown;
  /** Of a receive. */
  readonly done?: boolean | undefined;
}

/** A case that has taken its place. */
export interface Enrollment {
  leave(): void;
  /** Whether it may be chosen because of something that no scheduler sees. */
  readonly outside?: true;
}

/** The select to which an enrolled case belongs. */
export interface Chooser<R extends CaseResult> {
  readonly runtime: Runtime;
  readonly task: TaskRecord | undefined;
  choose(key: string, result: R): void;
  refuse(error: unknown): void;
}

class ReceiveNode<T> extends QueueNode implements Receiver<T>, Enrollment {
  readonly #select: Chooser<Received<T>>;
  readonly #key: string;

  constructor(select: Chooser<Received<T>>, key: string) {
    super();
    this.#select = select;
    this.#key = key;
  }

  get task(): TaskRecord | undefined {
    return this.#select.task;
  }

  deliver(result: Received<T>): void {
    this.#select.choose(this.#key, result);
  }

  refused(error: unknown): void {
    this.#select.refuse(error);
  }

  leave(): void {
    this.queue?.remove(this);
  }
}

// Classes and not records of closures: a loop makes its cases anew each time round.
class ReceiveCase<T> implements SelectCase<Received<T>> {
  readonly #end: ReceiveSide<T>;

  constructor(end: ReceiveSide<T>) {
    this.#end = end;
  }

  get resource(): ResourceInfo | undefined {
    return this.#end.resource;
  }

  ready(): boolean {
    return this.#end.receivable;
  }

  commit(): Received<T> | undefined {
    return this.#end.tryReceive();
  }

  enroll(select: Chooser<Received<T>>, key: string): Enrollment {
    const node = new ReceiveNode<T>(select, key);
    this.#end.enrollReceiver(node);
    return node;
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
  readonly #key: string;

  constructor(select: Chooser<Sent>, key: string, value: T) {
    super();
    this.#select = select;
    this.#key = key;
    this.value = value;
  }

  get task(): TaskRecord | undefined {
    return this.#select.task;
  }

  accepted(): void {
    this.#select.choose(this.#key, SENT);
  }

  refused(error: unknown): void {
    this.#select.refuse(error);
  }

  leave(): void {
    this.queue?.remove(this);
  }
}

class SendCase<T> implements SelectCase<Sent> {
  readonly #end: SendSide<T>;
  readonly #value: T;

  constructor(end: SendSide<T>, value: T) {
    this.#end = end;
    this.#value = value;
  }

  get resource(): ResourceInfo | undefined {
    return this.#end.resource;
  }

  ready(): boolean {
    return this.#end.sendable;
  }

  commit(): Sent | undefined {
    return this.#end.trySend(this.#value) || this.#end.shared !== true ? SENT : undefined;
  }

  enroll(select: Chooser<Sent>, key: string): Enrollment {
    const node = new SendNode<T>(select, key, this.#value);
    this.#end.enrollSender(node);
    return node;
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
  return new ReceiveCase(port.receiveSide);
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
  return new SendCase(port.sendSide, value);
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
    enroll: (select, key) => {
      const timer: Timer = select.runtime.clock.after(delay, () => select.choose(key, { value: delay }));
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
    enroll: (select, key) => {
      const link: CancelLink | undefined = linkCancel(options, {
        onCancel: (reason) => select.choose(key, { value: reason }),
      });
      return { leave: () => link?.release() };
    },
  };
}
