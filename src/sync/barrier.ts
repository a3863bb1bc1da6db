/**
 * A place where tasks wait for each other.
 *
 * Invariants
 *   I1  Fewer than `parties` wait in `#arriving`, or the action of an earlier round is under way.
 *   I2  At most one action is under way.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import { AsyncContext } from "../core/async-context.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { begin, observe, type Resource } from "../core/resource.ts";
import { type Outcome, spawnTask } from "../core/task.ts";
import { reportUncaught } from "../core/uncaught.ts";
import { Waiter } from "../core/waiter.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";

/** What happens at a barrier, and its name. */
export interface BarrierOptions {
  /** Runs once a round, when all have arrived and before any goes on. */
  readonly action?: (() => void | PromiseLike<void>) | undefined;
  /** A short name; by default `barrier#` and a number. */
  readonly name?: string | undefined;
}

/**
 * Lets `parties` tasks go on together, once all of them have arrived; then it does so again.
 *
 * **Guarantees** Nobody goes on before the last one of its round has arrived and the action has ended. Who comes early
 * belongs to the next round. The action is a task of its own, in the async context of whoever made the barrier.
 * **Units and ranges** `parties`: a whole number of at least 1.
 * **Cancellation** Who is cancelled leaves at once, and has not arrived: the others go on waiting for as many as are
 * missing. Nothing is broken, and it may come back. If it never will, the others must be told too: let all wait with the
 * context of their task group, which ends when one of them fails.
 * **Errors** What the action throws, all of its round get; the next round is as if nothing had been.
 * **Cost** O(1) a wait; a round with an action costs a task.
 * **Not for** waiting until others are done, without being waited for: see `WaitGroup`.
 * **Source** Java's `CyclicBarrier` and Python's `asyncio.Barrier`; that who leaves breaks nothing is as in the latter.
 *
 * @example
 * const rounds: string[] = [];
 * const barrier = new Barrier(2, { action: () => void rounds.push("both are here") });
 * const places = await Promise.all([barrier.wait(), barrier.wait()]);
 * [places, rounds]; //=> [[0, 1], ["both are here"]]
 */
export class Barrier {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #parties: number;
  readonly #action: (() => void | PromiseLike<void>) | undefined;
  readonly #context: AsyncContext | undefined;
  readonly #resource: Resource | undefined;
  readonly #arriving = new WaiterQueue<Waiter<number>>();
  #acting = false;

  constructor(parties: number, options: BarrierOptions = {}) {
    this.#parties = requireInteger("parties", parties, 1);
    const { action } = options;
    if (action !== undefined) requireFunction("action", action);
    this.#action = action;
    this.#context = action && new AsyncContext();
    this.#resource = observe(this.#runtime, "barrier", options.name, parties);
  }

  /** How many make a round. */
  get parties(): number {
    return this.#parties;
  }

  /** How many have arrived and wait for the others. */
  get waiting(): number {
    return this.#arriving.size;
  }

  /**
   * Arrives, and waits until all have.
   *
   * **Cancellation** Rejects with the signal's reason. Once all have arrived, the round is complete: then it no longer
   * matters to the others.
   * **Errors** What the action of its round throws.
   * @returns the place in the order of arrival, from 0: so one of them can be chosen for something.
   */
  wait(options?: CancelOptions): Promise<number> {
    return begin(this.#runtime, () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      const waiter = new Waiter<number>(this.#runtime, "barrier", this.#resource, options);
      this.#arriving.push(waiter);
      this.#completeRound();
      return waiter.promise;
    });
  }

  #completeRound(): void {
    if (this.#acting || this.#arriving.size < this.#parties) return;
    const round = this.#takeRound();
    if (round === undefined) return;
    if (this.#action === undefined) letGo(round, { ok: true, value: undefined });
    else this.#act(this.#action, round);
  }

  /** Takes those of a round; nobody, if some of them are being cancelled and others are missing for that. */
  #takeRound(): readonly Waiter<number>[] | undefined {
    const round: Waiter<number>[] = [];
    while (round.length < this.#parties) {
      const waiter = this.#arriving.shift();
      if (waiter === undefined) {
        for (const present of round) this.#arriving.push(present);
        return undefined;
      }
      if (!waiter.givenUp) round.push(waiter);
    }
    return round;
  }

  #act(action: () => void | PromiseLike<void>, round: readonly Waiter<number>[]): void {
    this.#acting = true;
    const label = { name: "barrier action", group: this.#resource?.name };
    const done = (outcome: Outcome<void>): void => {
      letGo(round, outcome);
      this.#acting = false;
      this.#completeRound();
    };
    void this.#context?.run(() => spawnTask(this.#runtime, label, action, done));
  }
}

/** Those who were cancelled during the action have left. If nobody is left to hear of its failure, the host is. */
function letGo(round: readonly Waiter<number>[], outcome: Outcome<void>): void {
  let heard = false;
  for (const [place, waiter] of round.entries()) {
    if (!waiter.waiting || waiter.givenUp) continue;
    heard = true;
    if (outcome.ok) waiter.grant(place);
    else waiter.fail(outcome.error);
  }
  if (!outcome.ok && !heard) reportUncaught(outcome.error);
}
