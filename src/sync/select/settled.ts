/**
 * A case of a select for what comes by a promise.
 *
 * Invariants
 *   I1  A promise is asked for its outcome once, however many selects wait for it: what waits stands in a queue, and leaves
 *       nothing on the promise. `Promise.race` leaves a reaction each time, as long as the promise has not settled.
 *   I2  Once the outcome is there, nobody waits.
 */
import { refuseType } from "../../core/arguments.ts";
import { isPending, type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { QueueNode, WaiterQueue } from "../../core/waiter-queue.ts";
import type { Chooser, Enrollment, SelectCase } from "../select-cases.ts";

/** What a chosen {@link settled} gives. */
export interface Settled<T> {
  /** What the promise has resolved to. */
  readonly value: T;
}

class SettledNode<T> extends QueueNode implements Enrollment {
  readonly outside = true;
  readonly #select: Chooser<Settled<T>>;
  readonly #key: string;

  constructor(select: Chooser<Settled<T>>, key: string) {
    super();
    this.#select = select;
    this.#key = key;
  }

  settle(outcome: Outcome<T>): void {
    if (outcome.ok) this.#select.choose(this.#key, { value: outcome.value });
    else this.#select.refuse(outcome.error);
  }

  leave(): void {
    this.queue?.remove(this);
  }
}

/** A promise, its outcome once that is known, and the selects that wait for it. It is itself the case. */
class SettledCase<T> implements SelectCase<Settled<T>> {
  readonly resource = undefined;
  readonly #waiting = new WaiterQueue<SettledNode<T>>();
  #outcome: Outcome<T> | undefined;

  constructor(promise: PromiseLike<T>) {
    void outcomeOf(() => promise).then((outcome) => this.#settle(outcome));
  }

  ready(): boolean {
    return this.#outcome !== undefined;
  }

  commit(): Settled<T> {
    return { value: valueOf(this.#outcome as Outcome<T>) };
  }

  enroll(select: Chooser<Settled<T>>, key: string): Enrollment {
    const node = new SettledNode(select, key);
    this.#waiting.push(node);
    return node;
  }

  #settle(outcome: Outcome<T>): void {
    this.#outcome = outcome;
    for (let node = this.#waiting.shift(); node !== undefined; node = this.#waiting.shift())
      node.settle(outcome);
  }
}

/** The case of each promise, as long as the promise is there. */
const cases = new WeakMap<object, SettledCase<unknown>>();

/**
 * A case that is chosen when a promise has resolved. Its value is that of the promise.
 *
 * **Guarantees** Selects that choose another case leave nothing on the promise, however often that happens and however
 * long it takes to settle.
 * **Errors** If the promise rejects, the select fails with its reason. When another case was chosen before, that is no
 * unhandled rejection: whoever wants to know looks at the promise.
 * **Cost** One reaction for each promise. That a promise has settled is known some microtasks later, also where it had
 * settled before: {@link trySelect} does not see it in the step in which the case is made.
 * **Not for** promises alone: see `Promise.all`, `anyOf`, `TaskGroup`. In a simulation a promise is outside, as is I/O: the
 * run waits for it, and says that it cannot be replayed.
 *
 * @example
 * const stop = new Channel<string>();
 * const answer = sleep(1).then(() => 42);
 * const chosen = await select({ answer: settled(answer), stopped: receive(stop) });
 * chosen; //=> { key: "answer", value: 42 }
 */
export function settled<T>(promise: PromiseLike<T>): SelectCase<Settled<T>> {
  if (!isPending(promise)) refuseType("promise", "a promise", promise);
  const known = cases.get(promise) as SettledCase<T> | undefined;
  if (known !== undefined) return known;
  const made = new SettledCase(promise);
  cases.set(promise, made);
  return made;
}
