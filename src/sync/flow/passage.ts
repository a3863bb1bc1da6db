/**
 * The way of values from the tasks of a group to who reads them, in the plain runtime; in a simulation it is a channel.
 *
 * All who wait here are given up together, with the group, and nobody alone. So a wait is a promise and a place in a line,
 * and not a waiter with a tie of its own: with those, a pipeline of three stages took 1.8 times as long.
 *
 * Invariants
 *   I1  A receiver waits only while there is no value.
 *   I2  The values of senders who wait are the newest. Beyond `capacity` there are only these, one a sender.
 *   I3  Once the group has ended, nobody waits; once it is closed, nobody waits for a value.
 */
import {
  type Cancelable,
  type CancelOptions,
  endingOf,
  linkCancel,
  rejectIfCancelled,
} from "../../core/cancellation.ts";
import { ClosedError } from "../../core/errors.ts";
import { afterTurn, completed, turnIfDue, turnIsDue } from "../../core/fairness.ts";
import { RingBuffer } from "../../core/ring-buffer.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import type { Context } from "../context.ts";
import type { Received, ReceivePort, SendPort } from "../ports.ts";
import type { Outlet } from "./hand-over.ts";

/** What a flow needs of the way of its values. */
export type Way<T> = SendPort<T> & Pick<ReceivePort<T>, "receive" | "tryReceive">;

/** Lets somebody who waits go on, with what it waited for; or with a promise that has failed, so that no `reject` is kept. */
type Wake<R> = (outcome: R | Promise<never>) => void;

/** A line of values, as long as it may be; whoever gives one beyond that waits, and whoever takes one where there is none. */
export class Passage<T> implements Outlet<T>, Way<T>, Cancelable {
  readonly #runtime: BareRuntime;
  readonly #ctx: Context;
  readonly #capacity: number;
  /** One who waits for room goes on when there are no more values than this. */
  readonly #resumeAt: number;
  readonly #values = new RingBuffer<T>();
  readonly #senders = new RingBuffer<Wake<void>>();
  readonly #receivers = new RingBuffer<Wake<Received<T>>>();
  #state: "open" | "closed" | "given up" = "open";

  /** All who wait here are given up when `ctx` ends. */
  constructor(runtime: BareRuntime, capacity: number, ctx: Context) {
    this.#runtime = runtime;
    this.#ctx = ctx;
    this.#capacity = capacity;
    // Else who makes values faster than they are taken would wait at each of them.
    this.#resumeAt = capacity - Math.floor(capacity / 4);
    if (endingOf(ctx) === undefined) linkCancel(ctx, this);
    else this.#state = "given up";
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Hands a value over; undefined if that is done, and nothing has to be waited for. */
  give(value: T): Promise<void> | undefined {
    if (this.#state !== "open") return Promise.reject(this.#refusal());
    const receiver = this.#receivers.size > 0 ? this.#receivers.shift() : undefined;
    if (receiver !== undefined) this.#settle(receiver, { value, done: false });
    else this.#values.push(value);
    if (this.#values.size > this.#capacity) return this.#room();
    return turnIfDue(this.#runtime);
  }

  send(value: T, options?: CancelOptions): Promise<void> {
    return rejectIfCancelled(options) ?? this.give(value) ?? completed(this.#runtime, undefined);
  }

  trySend(value: T): boolean {
    if (this.#state !== "open") throw this.#refusal();
    if (this.#receivers.size === 0 && this.#values.size >= this.#capacity) return false;
    void this.give(value);
    return true;
  }

  receive(): Promise<Received<T>> {
    const taken = this.tryReceive();
    if (taken !== undefined) return completed(this.#runtime, taken);
    if (this.#state === "given up") return Promise.reject(endingOf(this.#ctx)?.reason);
    return this.#arrival();
  }

  tryReceive(): Received<T> | undefined {
    if (this.#state === "given up") return undefined;
    if (this.#values.size > 0) return { value: this.#take(), done: false };
    return this.#state === "closed" ? { value: undefined, done: true } : undefined;
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    while (this.#receivers.size > 0) this.#settle(this.#receivers.shift(), { value: undefined, done: true });
  }

  onCancel(reason: unknown): void {
    this.#state = "given up";
    this.#values.clear();
    while (this.#receivers.size > 0) this.#refuse(this.#receivers.shift(), reason);
    while (this.#senders.size > 0) this.#refuse(this.#senders.shift(), reason);
  }

  // Waiting stands apart, here and below, for the reason for which `completedLater` does.

  #room(): Promise<void> {
    return new Promise((resolve) => this.#senders.push(resolve));
  }

  #arrival(): Promise<Received<T>> {
    return new Promise((resolve) => this.#receivers.push(resolve));
  }

  /** The oldest value; there is one. Lets who waits for room go on: in turn, but the last only when a quarter is free. */
  #take(): T {
    const value = this.#values.shift();
    const waiting = this.#senders.size;
    if (waiting > 1 || (waiting === 1 && this.#values.size <= this.#resumeAt))
      this.#settle(this.#senders.shift(), undefined);
    return value;
  }

  /** Late, if the host is due its turn. */
  #settle<R>(wake: Wake<R>, outcome: R): void {
    if (turnIsDue(this.#runtime)) wakeLater(wake, outcome);
    else wake(outcome);
  }

  #refuse<R>(wake: Wake<R>, reason: unknown): void {
    if (turnIsDue(this.#runtime)) afterTurn(() => wake(Promise.reject(reason)));
    else wake(Promise.reject(reason));
  }

  #refusal(): unknown {
    if (this.#state === "given up") return endingOf(this.#ctx)?.reason;
    return new ClosedError("send on closed channel");
  }
}

function wakeLater<R>(wake: Wake<R>, outcome: R): void {
  afterTurn(() => wake(outcome));
}
