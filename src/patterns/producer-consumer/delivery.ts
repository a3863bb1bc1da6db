/**
 * One value in the hands of one consumer, until it says what became of it or its time is up.
 *
 * Invariants
 *   I1  It ends once: acknowledged, given back, or expired. Its timer ends with it.
 */
import { requireNumber, requirePositive } from "../../core/arguments.ts";
import type { Timer } from "../../core/clock.ts";
import { TimeoutError } from "../../core/errors.ts";
import type { Runtime } from "../../core/runtime.ts";

/** Why and when a value is to be tried again. */
export interface NakOptions {
  /** What went wrong; its dead letter tells. */
  readonly error?: unknown;
  /** For how long it is kept back, in milliseconds: finite, at least 0; by default as the queue's schedule says. */
  readonly delayMs?: number | undefined;
}

/** How a delivery ended. @internal */
export type DeliveryEnd =
  | { readonly how: "acknowledged" | "revoked" }
  | { readonly how: "again"; readonly error: unknown; readonly delayMs: number | undefined };

/**
 * A value that was taken from an `AcknowledgedQueue`, and is to be acknowledged.
 *
 * **Guarantees** Ends once. What comes too late changes nothing, and returns false: then the value is with somebody
 * else, or will be.
 *
 * @example
 * const queue = new AcknowledgedQueue<string>({ capacity: 10, visibilityMs: 1000, onDeadLetter: () => {} });
 * await queue.put("job");
 * const { value: delivery } = await queue.take();
 * [delivery?.value, delivery?.attempt, delivery?.ack(), delivery?.ack()]; //=> ["job", 1, true, false]
 */
export class Delivery<T> {
  /** What was put. */
  readonly value: T;
  /** How many times it has been taken, this one included. */
  readonly attempt: number;
  readonly #runtime: Runtime;
  readonly #ended: (end: DeliveryEnd) => void;
  #visibilityMs: number;
  #timer: Timer | undefined;

  /** Made by an `AcknowledgedQueue`. @internal */
  constructor(
    runtime: Runtime,
    value: T,
    attempt: number,
    visibilityMs: number,
    ended: (end: DeliveryEnd) => void,
  ) {
    this.#runtime = runtime;
    this.value = value;
    this.attempt = attempt;
    this.#visibilityMs = visibilityMs;
    this.#ended = ended;
    this.#arm();
  }

  /** Whether it is still with whoever took it. */
  get held(): boolean {
    return this.#timer !== undefined;
  }

  /** It was worked on: the queue forgets it. False if it is not held any more. */
  ack(): boolean {
    return this.#end({ how: "acknowledged" });
  }

  /** It was not: it comes back, or becomes a dead letter. False if it is not held any more. */
  nak(options: NakOptions = {}): boolean {
    const { error, delayMs } = options;
    if (delayMs !== undefined) requireNumber("delayMs", delayMs, 0);
    return this.#end({ how: "again", error, delayMs });
  }

  /** It takes longer: holds it for so many milliseconds from now; default as before. False if it is not held any more. */
  extend(visibilityMs: number = this.#visibilityMs): boolean {
    this.#visibilityMs = requirePositive("visibilityMs", visibilityMs);
    if (!this.held) return false;
    this.#timer?.cancel();
    this.#arm();
    return true;
  }

  /** The queue takes it back for good. @internal */
  revoke(): void {
    this.#end({ how: "revoked" });
  }

  #arm(): void {
    const visibilityMs = this.#visibilityMs;
    this.#timer = this.#runtime.clock.after(visibilityMs, () => {
      const error = new TimeoutError(`not acknowledged within ${visibilityMs} ms`);
      this.#end({ how: "again", error, delayMs: undefined });
    });
  }

  #end(end: DeliveryEnd): boolean {
    if (!this.held) return false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ended(end);
    return true;
  }
}
