/**
 * Waits for the first of several operations, as Go's `select`.
 *
 * Invariants
 *   I1  Nothing is committed before a case has been chosen, and exactly one is.
 *   I2  When one case is chosen, or the wait is cancelled, every other case has left its queue in the same step.
 *   I3  A select never meets itself: it takes its place in the queues only when no case is ready.
 */
import { requireOneOf } from "../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../core/cancellation.ts";
import { completed } from "../core/fairness.ts";
import { pick } from "../core/random.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
import type { ResourceInfo } from "../core/scheduler.ts";
import { Waiter } from "../core/waiter.ts";
import type { CaseResult, Chooser, Enrollment, SelectCase } from "./select-cases.ts";

export type { Receivable, Sendable } from "./ports.ts";
export {
  after,
  type CaseResult,
  done,
  type Elapsed,
  receive,
  type SelectCase,
  type Sent,
  send,
} from "./select-cases.ts";
export { settled, type Settled } from "./select/settled.ts";

/** A record of cases. A case that is `undefined`, `null` or `false` is disabled, as a nil channel is in Go. */
export type SelectCases = Readonly<Record<string, SelectCase<CaseResult> | undefined | null | false>>;

/** What a select gives: the key of the case that was chosen, and that case's result. Narrow it by `key`. */
export type Selected<C extends SelectCases> = {
  [K in keyof C & string]: C[K] extends SelectCase<infer R> | undefined | null | false
    ? {
        /** Which case was chosen. */
        readonly key: K;
      } & R
    : never;
}[keyof C & string];

/** How a select chooses. */
export interface SelectOptions extends CancelOptions {
  /**
   * Among cases that are ready: `random`, the default, gives each the same chance, so none starves; `priority` takes
   * the first in the order of the record.
   */
  readonly order?: "random" | "priority" | undefined;
}

type Order = "random" | "priority";

function requireOrder(order: Order | undefined): Order {
  return order === undefined ? "random" : requireOneOf("order", order, ["random", "priority"]);
}

type Case = SelectCase<CaseResult>;

type Choice = CaseResult & { readonly key: string };

/** The cases: one of `operations` for each of `keys`. One that is disabled stays in its place, and is passed over. */
interface Cases {
  readonly keys: readonly string[];
  readonly operations: readonly (Case | undefined | null | false)[];
}

function casesOf(cases: SelectCases): Cases {
  return { keys: Object.keys(cases), operations: Object.values(cases) };
}

/** The wait of one select: one promise, and a place in the queue of every case. */
class SelectWaiter extends Waiter<Choice> implements Chooser<CaseResult> {
  readonly runtime: Runtime;
  readonly #enrolled: Enrollment[] = [];

  constructor(runtime: Runtime, cases: Cases, options: CancelOptions | undefined) {
    super(runtime, "select", runtime.scheduler === undefined ? undefined : resourcesOf(cases), options);
    this.runtime = runtime;
    const { keys, operations } = cases;
    // What is shared with other threads may be ready by the time at which it is waited for.
    for (let index = 0; index < keys.length && this.waiting; index++) {
      const operation = operations[index];
      if (isEnabled(operation)) this.#enrolled.push(operation.enroll(this, keys[index] as string));
    }
  }

  /** Whether it may go on because of something that no scheduler sees. */
  get outside(): boolean {
    return this.#enrolled.some(({ outside }) => outside === true);
  }

  choose(key: string, result: CaseResult): void {
    this.grant(choiceOf(key, result));
  }

  refuse(error: unknown): void {
    this.fail(error);
  }

  protected override leave(): void {
    super.leave();
    for (const enrolled of this.#enrolled) enrolled.leave();
    this.#enrolled.length = 0;
  }
}

function isEnabled(operation: Case | undefined | null | false): operation is Case {
  return operation !== undefined && operation !== null && operation !== false;
}

function resourcesOf({ operations }: Cases): ResourceInfo[] {
  return operations.flatMap((operation) =>
    isEnabled(operation) && operation.resource !== undefined ? [operation.resource] : [],
  );
}

/** Chooses among the cases that are ready now and commits it; undefined if none is. */
function commitReady(runtime: Runtime, { keys, operations }: Cases, order: Order): Choice | undefined {
  let ready = 0;
  for (const operation of operations) if (isEnabled(operation) && operation.ready()) ready++;
  if (ready === 0) return undefined;
  let passed = order === "priority" || ready === 1 ? 0 : chooseAmong(runtime, ready);
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index];
    if (!isEnabled(operation) || !operation.ready() || passed-- > 0) continue;
    const result = operation.commit();
    if (result !== undefined) return choiceOf(keys[index] as string, result);
    return commitReady(runtime, { keys, operations: operations.with(index, undefined) }, order);
  }
  return undefined;
}

/** Written out, as spreading costs as much as all the rest of a select. */
function choiceOf(key: string, { value, done }: CaseResult): Choice {
  return done === undefined ? { key, value } : { key, value, done };
}

function chooseAmong(runtime: Runtime, count: number): number {
  return runtime.scheduler?.choose(count) ?? pick(runtime.random, count);
}

/**
 * Waits until one of the cases can go on, and lets exactly that one go on.
 *
 * **Guarantees** Exactly one case takes effect; the others leave nothing behind: no waiter, no timer, no listener. Among
 * cases that are ready the choice is uniform, unless `order` is `priority`.
 * **Cancellation** With `signal`, rejects with its reason and no case has taken effect. To handle a cancellation as one
 * of the cases, use {@link done}.
 * **Errors** Rejects with `ClosedError` if the chosen case sends on a closed channel.
 * **Cost** O(number of cases).
 * **Not for** waiting for all of them: that is `Promise.all`, or a task group.
 * **Source** Go's `select`; the record of cases gives the result a type that `switch (chosen.key)` narrows.
 *
 * @example
 * const numbers = new Channel<number>(1);
 * const words = new Channel<string>(1);
 * await words.send("hello");
 * const chosen = await select({ number: receive(numbers), word: receive(words) });
 * chosen.key === "word" ? chosen.value : "?"; //=> "hello"
 */
export function select<C extends SelectCases>(cases: C, options?: SelectOptions): Promise<Selected<C>> {
  const runtime = currentRuntime();
  const list = casesOf(cases);
  const order = requireOrder(options?.order);
  const choice =
    runtime.scheduler === undefined
      ? firstOf(runtime, list, order, options)
      : runtime.scheduler.begin().then(() => firstOf(runtime, list, order, options));
  return choice as Promise<Selected<C>>;
}

function firstOf(
  runtime: Runtime,
  list: Cases,
  order: Order,
  options: CancelOptions | undefined,
): Promise<Choice> {
  const cancelled = rejectIfCancelled(options);
  if (cancelled !== undefined) return cancelled;
  try {
    const choice = commitReady(runtime, list, order);
    if (choice !== undefined) return completed(runtime, choice);
  } catch (error) {
    return Promise.reject(error);
  }
  return new SelectWaiter(runtime, list, options).promise;
}

/**
 * A select that does not wait: the result of a case that is ready now, or `undefined`. Go's `select` with `default`.
 *
 * **Errors** Throws `ClosedError` if the chosen case sends on a closed channel.
 *
 * @example
 * const numbers = new Channel<number>(1);
 * trySelect({ number: receive(numbers) }); //=> undefined
 */
export function trySelect<C extends SelectCases>(
  cases: C,
  options?: Pick<SelectOptions, "order">,
): Selected<C> | undefined {
  return commitReady(currentRuntime(), casesOf(cases), requireOrder(options?.order)) as
    | Selected<C>
    | undefined;
}
