/**
 * A single event in time that can be put off.
 */
import { requireDuration } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import type { Timer as ClockTimer } from "../core/clock.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import { Channel, type Received, type ReceiveEnd } from "./channel.ts";
import type { ReceiveSide } from "./ports.ts";

/**
 * Fires once, `delayMs` after it was made or reset: a deadline that every sign of life puts off, for instance.
 *
 * **Guarantees** Never fires early. Once `stop` or `reset` has returned, a firing from before is not received any more. Each
 * firing is received once.
 * **Units and ranges** Milliseconds; zero and less fire in the next turn, `Infinity` never.
 * **Cancellation** A receive that is given up leaves the timer as it is.
 * **Cost** A timer of the host while it runs. Stop it, or dispose of it: as long as it runs, it keeps the process alive.
 * **Not for** waiting once (see `sleep`), a case of one select (see `after`), or a call with a time limit (see
 * `withTimeout`).
 * **Source** Go's `time.Timer`, as it is since Go 1.23.
 *
 * @example
 * using silence = new Timer(50);
 * await sleep(1);
 * const putOff = silence.reset(5);
 * const { done } = await silence.receive();
 * [putOff, done, silence.stop()]; //=> [true, false, false]
 */
export class Timer implements ReceiveEnd<number> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #fired = new Channel<number>(1, { name: "timer" });
  #timer: ClockTimer | undefined;

  constructor(delayMs: number) {
    this.#start(requireDuration("delayMs", delayMs));
  }

  /** Waits until it fires; gives the instant, in milliseconds of `now()`. */
  receive(options?: CancelOptions): Promise<Received<number>> {
    return this.#fired.receive(options);
  }

  /** The firing that nobody has received, if there is one. */
  tryReceive(): Received<number> | undefined {
    return this.#fired.tryReceive();
  }

  /** Each firing as it is received, for ever. Leaving the loop does not stop the timer. */
  [Symbol.asyncIterator](): AsyncIterator<number, undefined> {
    return this.#fired[Symbol.asyncIterator]();
  }

  /** Stops it. True if that has prevented a firing, also one that nobody has received yet. A receive goes on waiting. */
  stop(): boolean {
    const prevented = this.#timer !== undefined || this.#fired.size > 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#fired.tryReceive();
    return prevented;
  }

  /** Stops it and lets it fire `delayMs` from now. Says what `stop` would have said. */
  reset(delayMs: number): boolean {
    const delay = requireDuration("delayMs", delayMs);
    const prevented = this.stop();
    this.#start(delay);
    return prevented;
  }

  /** Stops. */
  [Symbol.dispose](): void {
    this.stop();
  }

  /** For select. */
  get receiveSide(): ReceiveSide<number> {
    return this.#fired;
  }

  #start(delayMs: number): void {
    const { clock } = this.#runtime;
    this.#timer = clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#fired.trySend(clock.now());
    });
  }
}
