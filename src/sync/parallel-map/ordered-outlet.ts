/**
 * Hands results over in the order of their numbers, whoever comes with them first.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { handOver, type Outlet, tryHandOver } from "../flow/hand-over.ts";

/** A result that waits for an earlier one, and its worker: told whether it has been handed over, or now can be. */
interface Early<O> {
  readonly result: O;
  readonly worker: Waiter<boolean>;
}

/**
 * Invariants
 *   I1  All results below `#now` have been handed over, and that of `#now` has yet to come, or is being handed over.
 *   I2  Nobody waits here with the number `#now`.
 */
export class OrderedOutlet<O> {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #out: Outlet<O>;
  readonly #options: CancelOptions;
  readonly #early = new Map<number, Early<O>>();
  #now = 0;

  constructor(out: Outlet<O>, options: CancelOptions) {
    this.#out = out;
    this.#options = options;
  }

  /** Hands a result over, after all with lower numbers; undefined if that is done. */
  handOver(number: number, result: O): Promise<void> | undefined {
    if (number !== this.#now) return this.#wait(number, result);
    const handing = handOver(this.#runtime, this.#out, result, this.#options);
    if (handing !== undefined) return this.#finish(handing);
    this.#handOn();
    return undefined;
  }

  async #wait(number: number, result: O): Promise<void> {
    const cancelled = rejectIfCancelled(this.#options);
    if (cancelled !== undefined) return cancelled;
    const worker = new Waiter<boolean>(this.#runtime, "turn", undefined, this.#options);
    this.#early.set(number, { result, worker });
    if (await worker.promise) return;
    await this.#finish(handOver(this.#runtime, this.#out, result, this.#options));
  }

  async #finish(handing: Promise<void> | undefined): Promise<void> {
    await handing;
    this.#handOn();
  }

  /**
   * It is the turn of the next ones: of as many as can be handed over without waiting. To let each do that by itself
   * would make it a convoy, in which each waits for the one before it for ever after.
   */
  #handOn(): void {
    for (let next = this.#early.get(++this.#now); next !== undefined; next = this.#early.get(++this.#now)) {
      this.#early.delete(this.#now);
      const { result, worker } = next;
      const done = worker.waiting && tryHandOver(this.#runtime, this.#out, result, this.#options);
      worker.grant(done);
      if (!done) return;
    }
  }
}
