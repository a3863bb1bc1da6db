/**
 * A channel whose ends may be in several threads: its values are in shared memory.
 *
 * Who waits in this thread stands in one of two lines of its own, as at any channel. While anybody does, the channel
 * listens for the bells of the queue, which other threads ring; what is sent and received in this thread serves them at
 * once.
 *
 * Invariants
 *   I1  Whenever a call returns, nobody waits in this thread for what is there, as far as this thread has heard.
 *   I2  While somebody waits, the process is kept alive, and no longer.
 */
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { completed } from "../core/fairness.ts";
import { begin } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { type ChannelWaiting, ReceiveWaiter, SendWaiter } from "../sync/channel/waiters.ts";
import type {
  Received,
  ReceiveEnd,
  Receiver,
  ReceiveSide,
  SendEnd,
  Sender,
  SendSide,
} from "../sync/ports.ts";
import type { Bell } from "./shared-bell.ts";
import type { StructureCodec } from "./shared-codec.ts";
import { type SharedChannelHandle, type SharedChannelOptions, SharedQueue } from "./shared-queue.ts";
import { forRoom, forValues, type SharedRingHandle } from "./shared-ring.ts";
import { WatchedLine } from "./watched-line.ts";

export type { SharedChannelHandle, SharedChannelOptions } from "./shared-queue.ts";

/** Longer than anybody waits; a timer of the host cannot do without an end. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * One end of a channel in shared memory; made by `sharedChannel`. Every end can send and receive.
 *
 * Its calls are those of a `Channel`, except that nobody can wait for a rendezvous, and that there are two more:
 * `sendSync` and `receiveSync` wait with the whole thread.
 */
export class SharedChannel<T> implements SendEnd<T>, ReceiveEnd<T> {
  /** What reports know of it: nothing, as there is none in a simulation. @internal */
  readonly resource = undefined;
  /** @internal */
  readonly shared = true;
  readonly #runtime: Runtime = currentRuntime();
  readonly #queue: SharedQueue<T>;
  readonly #senders: WatchedLine<Sender<T>> = new WatchedLine(
    () => this.#listen(forRoom),
    () => this.#rest(),
  );
  readonly #receivers: WatchedLine<Receiver<T>> = new WatchedLine(
    () => this.#listen(forValues),
    () => this.#rest(),
  );
  readonly #listening = new Set<Bell>();
  #alive: Timer | undefined;

  /** @internal */
  constructor(made: number | SharedRingHandle, options: SharedChannelOptions, structures: StructureCodec) {
    this.#queue = new SharedQueue<T>(made, options, structures);
  }

  /** For another thread. */
  get handle(): SharedChannelHandle<T> {
    return this.#queue.handle;
  }

  /** How many values may be in it. */
  get capacity(): number {
    return this.#queue.handle.capacity;
  }

  /** How many values are in it, or on their way in or out; a place that was lost may be counted. Never above `capacity`. */
  get size(): number {
    return this.#queue.size;
  }

  /** Whether it has been closed, by whichever thread. */
  get closed(): boolean {
    return this.#queue.closed;
  }

  /** How many wait in this thread; those who wait with a whole thread are not counted. */
  get waiting(): ChannelWaiting {
    return { senders: this.#senders.size, receivers: this.#receivers.size };
  }

  /**
   * Sends a value, or waits until there is room.
   *
   * **Cancellation** Rejects with the signal's reason; the value is not sent and never will be.
   * **Errors** Rejects with `ClosedError` if the channel is closed, or is closed while this waits; with `RangeError` if
   * the value is too large, and with `DataCloneError` if it cannot be copied.
   */
  send(value: T, options?: CancelOptions): Promise<void> {
    if (this.#runtime.scheduler === undefined) return this.#send(value, options);
    return begin(this.#runtime, () => this.#send(value, options));
  }

  /** Sends a value if there is room, and says whether it did. **Errors** As those of `send`, thrown. */
  trySend(value: T): boolean {
    if (this.#senders.size > 0 && !this.#queue.closed) return false;
    const sent = this.#queue.put(value);
    if (sent) this.#serve();
    return sent;
  }

  /**
   * Sends a value, and waits for room with the whole thread: for a thread that has nothing else to do. Overtakes those who
   * wait in `send` in this thread.
   *
   * **Cancellation** None: a thread that sleeps hears nothing. Close the channel, or end the thread.
   */
  sendSync(value: T): void {
    this.#queue.putSync(value);
    this.#serve();
  }

  /**
   * Receives the next value, or waits for one. `done` is true once the channel is closed and empty.
   *
   * **Cancellation** Rejects with the signal's reason; no value was taken.
   * **Errors** Once the channel is empty, rejects with the error with which it was closed, if it was.
   */
  receive(options?: CancelOptions): Promise<Received<T>> {
    if (this.#runtime.scheduler === undefined) return this.#receive(options);
    return begin(this.#runtime, () => this.#receive(options));
  }

  /** Receives if that needs no waiting; `undefined` means that it would have to wait. **Errors** As those of `receive`. */
  tryReceive(): Received<T> | undefined {
    if (this.#receivers.size > 0) return undefined;
    const taken = this.#queue.take();
    if (taken?.done === false) this.#serve();
    return taken;
  }

  /**
   * Receives the next value, and waits for it with the whole thread: for a thread that has nothing else to do. Overtakes
   * those who wait in `receive` in this thread.
   *
   * **Cancellation** None, as that of `sendSync`.
   */
  receiveSync(): Received<T> {
    const taken = this.#queue.takeSync();
    this.#serve();
    return taken;
  }

  /**
   * No more values, from any thread. What is in it can still be received, and then receivers get `done` or, if an error is
   * given, fail with that: in other threads with a copy of it, or of its text if it has more than `valueBytes`. Who waits
   * for room is refused, in every thread.
   *
   * **Errors** Throws `MisuseError` if it is closed already.
   */
  close(error?: unknown): void {
    this.#queue.close(error);
    this.#serve();
  }

  /** Receives until it is closed and empty. Leaving the loop early leaves it open, and drops nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.receive() };
  }

  /** For select. */
  get receiveSide(): ReceiveSide<T> {
    return this;
  }

  /** For select. */
  get sendSide(): SendSide<T> {
    return this;
  }

  /** Whether a receive would not wait, if no other thread is faster. @internal */
  get receivable(): boolean {
    return this.#receivers.size === 0 && this.#queue.receivable;
  }

  /** Whether a send would not wait, if no other thread is faster. @internal */
  get sendable(): boolean {
    return this.#queue.closed || (this.#senders.size === 0 && this.#queue.sendable);
  }

  /** Lets a receiver wait who has seen that this is not receivable; it may be served in this call. @internal */
  enrollReceiver(receiver: Receiver<T>): void {
    this.#receivers.push(receiver);
  }

  /** Lets a sender wait who has seen that this is not sendable; it may be served in this call. @internal */
  enrollSender(sender: Sender<T>): void {
    this.#senders.push(sender);
  }

  #send(value: T, options: CancelOptions | undefined): Promise<void> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    try {
      if (this.trySend(value)) return completed(this.#runtime, undefined);
    } catch (error) {
      return Promise.reject(error);
    }
    const waiter = new SendWaiter<T>(this.#runtime, undefined, options, value);
    this.#senders.push(waiter);
    return waiter.promise;
  }

  #receive(options: CancelOptions | undefined): Promise<Received<T>> {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    try {
      const taken = this.tryReceive();
      if (taken !== undefined) return completed(this.#runtime, taken);
    } catch (error) {
      return Promise.reject(error);
    }
    const waiter = new ReceiveWaiter<T>(this.#runtime, "recv", undefined, options);
    this.#receivers.push(waiter);
    return waiter.promise;
  }

  /** Those who wait in this thread, as far as there is something for them. A receive makes room, and a send a value. */
  #serve(): void {
    while (this.#serveReceivers() || this.#serveSenders());
  }

  #serveReceivers(): boolean {
    let served = false;
    while (this.#receivers.size > 0) {
      try {
        const taken = this.#queue.take();
        if (taken === undefined) return served;
        this.#receivers.shift()?.deliver(taken);
      } catch (error) {
        this.#receivers.shift()?.refused(error);
      }
      served = true;
    }
    return served;
  }

  #serveSenders(): boolean {
    let served = false;
    for (let sender = this.#senders.first; sender !== undefined; sender = this.#senders.first) {
      try {
        if (!this.#queue.put(sender.value)) return served;
        this.#senders.shift()?.accepted();
      } catch (error) {
        this.#senders.shift()?.refused(error);
      }
      served = true;
    }
    return served;
  }

  /** Hears of other threads, as long as somebody waits in this one. In a simulation there are none. */
  #listen(bell: Bell): void {
    if (this.#runtime.scheduler !== undefined) return;
    this.#alive ??= this.#runtime.clock.after(FOR_EVER_MS, () => {});
    if (!this.#listening.has(bell)) void this.#hear(bell);
  }

  async #hear(bell: Bell): Promise<void> {
    const line = bell === forValues ? this.#receivers : this.#senders;
    this.#listening.add(bell);
    while (line.size > 0) {
      const marked = this.#queue.mark(bell);
      this.#serve();
      if (line.size > 0) await this.#queue.ring(bell, marked);
    }
    this.#listening.delete(bell);
  }

  #rest(): void {
    if (this.#senders.size + this.#receivers.size > 0) return;
    this.#alive?.cancel();
    this.#alive = undefined;
  }
}
