/**
 * Waiting for time to pass, on the clock of the current runtime.
 */
import { requireDuration, requirePositive } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import type { Timer as ClockTimer } from "../core/clock.ts";
import { begin } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { Waiter } from "../core/waiter.ts";
import { Channel, type Received, type ReceiveEnd } from "./channel.ts";
import type { ReceiveSide } from "./ports.ts";

export { Timer } from "./timer.ts";

class SleepWaiter extends Waiter<void> {
  readonly #timer: ClockTimer;

  constructor(runtime: Runtime, options: CancelOptions | undefined, delayMs: number) {
    super(runtime, "sleep", undefined, options);
    this.#timer = runtime.clock.after(delayMs, () => this.grant());
  }

  protected override leave(): void {
    super.leave();
    this.#timer.cancel();
  }
}

/**
 * Waits for `delayMs`.
 *
 * **Guarantees** Never returns early. Monotonic: a change of the wall clock does not matter.
 * **Units and ranges** Milliseconds; zero and less wait for one turn, `Infinity` for ever, values above 2^31-1 are
 * honoured.
 * **Cancellation** Rejects with the signal's reason, at once; no timer is left.
 * **Errors** Throws `TypeError` or `RangeError` at the call if it is no number.
 *
 * @example
 * const before = now();
 * await sleep(20);
 * now() - before >= 20; //=> true
 */
export function sleep(delayMs: number, options?: CancelOptions): Promise<void> {
  const runtime = currentRuntime();
  const delay = requireDuration("delayMs", delayMs);
  return begin(runtime, () => {
    return rejectIfCancelled(options) ?? new SleepWaiter(runtime, options, delay).promise;
  });
}

/**
 * Milliseconds on the current runtime's clock: monotonic, from an arbitrary start. In a simulation it is the virtual
 * time, from 0.
 *
 * @example
 * now() <= now(); //=> true
 */
export function now(): number {
  return currentRuntime().clock.now();
}

/**
 * Gives a tick every `intervalMs`, as Go's `time.Ticker`.
 *
 * **Guarantees** Ticks are due at whole multiples of the interval after the start, so they do not drift. At most one
 * tick is kept: a slow receiver loses ticks, not time.
 * **Units and ranges** `intervalMs`: above 0. A tick's value is the instant at which it was due, in milliseconds of
 * {@link now}.
 * **Cancellation** {@link Ticker.stop} sets no more timers; it does not close, so that a receive never mistakes the end
 * for a tick. With a signal, a receive can be given up.
 * **Cost** One timer at a time.
 * **Source** Go's `time.Ticker`.
 *
 * @example
 * const ticker = new Ticker(5);
 * const first = await ticker.receive();
 * const second = await ticker.receive();
 * ticker.stop();
 * Math.round((second.value ?? 0) - (first.value ?? 0)) % 5; //=> 0
 */
export class Ticker implements ReceiveEnd<number> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #intervalMs: number;
  readonly #ticks: Channel<number>;
  #dueMs: number;
  #timer: ClockTimer | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = requirePositive("intervalMs", intervalMs);
    this.#ticks = new Channel<number>(1, { name: `ticker ${intervalMs} ms` });
    this.#dueMs = this.#runtime.clock.now();
    this.#arm();
  }

  /** Waits for the next tick. */
  receive(options?: CancelOptions): Promise<Received<number>> {
    return this.#ticks.receive(options);
  }

  /** The tick that is due, if one is. */
  tryReceive(): Received<number> | undefined {
    return this.#ticks.tryReceive();
  }

  /** Ticks for ever. Leaving the loop does not stop the ticker. */
  [Symbol.asyncIterator](): AsyncIterator<number, undefined> {
    return this.#ticks[Symbol.asyncIterator]();
  }

  /** No more ticks. A tick that is due can still be received; a receive that waits goes on waiting. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Stops. */
  [Symbol.dispose](): void {
    this.stop();
  }

  /** For select. */
  get receiveSide(): ReceiveSide<number> {
    return this.#ticks;
  }

  /** Sets the timer for the first multiple of the interval that lies ahead. */
  #arm(): void {
    const nowMs = this.#runtime.clock.now();
    const behind = Math.floor((nowMs - this.#dueMs) / this.#intervalMs);
    this.#dueMs += Math.max(1, behind + 1) * this.#intervalMs;
    this.#timer = this.#runtime.clock.after(this.#dueMs - nowMs, () => this.#tick());
  }

  #tick(): void {
    this.#ticks.trySend(this.#dueMs);
    this.#arm();
  }
}
