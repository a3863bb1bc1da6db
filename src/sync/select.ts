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
import { begin } from "../core/resource.ts";
import { currentRuntime, type Runtime } from "../core/runtime.ts";
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

function requireOrder({ order }: Pick<SelectOptions, "order">): Order {
  return requireOneOf("order", order ?? "random", ["random", "priority"]);
}

type KeyedCase = readonly [key: string, operation: SelectCase<CaseResult>];

type Choice = CaseResult & { readonly key: string };

/** The wait of one select: one promise, and a place in the queue of every case. */
class SelectWaiter extends Waiter<Choice> {
  readonly #enrolled: Enrollment[] = [];

  constructor(runtime: Runtime, cases: readonly KeyedCase[], options: CancelOptions | undefined) {
    const about = cases.flatMap(([, { resource }]) => (resource === undefined ? [] : [resource]));
    super(runtime, "select", about, options);
    for (const [key, operation] of cases) {
      const chooser: Chooser<CaseResult> = {
        runtime,
        task: this.task,
        choose: (result) => this.grant({ key, ...result }),
        refuse: (error) => this.fail(error),
      };
      this.#enrolled.push(operation.enroll(chooser));
    }
  }

  protected override leave(): void {
    super.leave();
    for (const enrolled of this.#enrolled) enrolled.leave();
    this.#enrolled.length = 0;
  }
}

function enabled(cases: SelectCases): KeyedCase[] {
  const list: KeyedCase[] = [];
  for (const [key, operation] of Object.entries(cases)) {
    if (operation !== undefined && operation !== null && operation !== false) list.push([key, operation]);
  }
  return list;
}

/** Chooses among the cases that are ready now and commits it; undefined if none is. */
function commitReady(runtime: Runtime, cases: readonly KeyedCase[], order: Order): Choice | undefined {
  const ready = cases.filter(([, operation]) => operation.ready());
  if (ready.length === 0) return undefined;
  const index = order === "priority" || ready.length === 1 ? 0 : chooseAmong(runtime, ready.length);
  const [key, operation] = ready[index] as KeyedCase;
  return { key, ...operation.commit() };
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
export function select<C extends SelectCases>(cases: C, options: SelectOptions = {}): Promise<Selected<C>> {
  const runtime = currentRuntime();
  const list = enabled(cases);
  const order = requireOrder(options);
  return begin(runtime, () => {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const now = outcomeNow(runtime, () => commitReady(runtime, list, order));
    const result = now ?? new SelectWaiter(runtime, list, options).promise;
    return result as Promise<Selected<C>>;
  });
}

/** The result of a case that is ready, as a promise; undefined if none is. */
function outcomeNow<R>(runtime: Runtime, commit: () => R | undefined): Promise<R> | undefined {
  try {
    const result = commit();
    return result === undefined ? undefined : completed(runtime, result);
  } catch (error) {
    return Promise.reject(error);
  }
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
  options: Pick<SelectOptions, "order"> = {},
): Selected<C> | undefined {
  return commitReady(currentRuntime(), enabled(cases), requireOrder(options)) as Selected<C> | undefined;
}
