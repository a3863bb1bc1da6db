/**
 * Several tasks of which so many must succeed: the rest is called off, and waited for.
 *
 * Invariants
 *   I1  The winners are the first `needed` that succeeded. As soon as there are so many, or can no longer be, it is over.
 *   I2  Once it is over, the context of every task has ended; once `run` has settled, every task has.
 *   I3  Each outcome is part of the result, or in the error that is thrown, or told as unused. What merely did as it was
 *       told is none of these.
 */
import { type CancelOptions, endingOf, isCancelled } from "../../core/cancellation.ts";
import { CanceledError, isCancellation } from "../../core/errors.ts";
import { type Outcome, outcomeOf } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { Context } from "../../sync/context.ts";
import { type Task, TaskGroup } from "../../sync/task-group.ts";

/** What several tasks for one result share. */
export interface ContestOptions<T> extends CancelOptions {
  /**
   * Told of each outcome that is of no use, once all tasks have ended: a value too many, so that what it holds can be
   * released, and a failure that did not matter. `index` is that of its task, from 0.
   */
  readonly onUnused?: ((outcome: Outcome<T>, index: number) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How it ended: the values of the winners or all failures, in the order of the tasks. */
export type Decision<T> =
  | { readonly won: true; readonly values: readonly T[] }
  | { readonly won: false; readonly failures: readonly unknown[] };

export class Contest<T> {
  readonly #needed: number;
  readonly #total: number;
  readonly #options: ContestOptions<T>;
  readonly #group: TaskGroup;
  readonly #outcomes = new Map<number, Outcome<T>>();
  readonly #winners = new Set<number>();
  #entered = 0;
  #failed = 0;
  #state: "open" | "won" | "lost" = "open";

  /** `total` is how many tasks there will be; Infinity if that is not known beforehand. */
  constructor(needed: number, total: number, options: ContestOptions<T>) {
    this.#needed = needed;
    this.#total = total;
    this.#options = options;
    this.#group = new TaskGroup({ signal: options.signal, name: options.name });
  }

  /** Ends when it is over, and when the caller gives up. */
  get ctx(): Context {
    return this.#group.ctx;
  }

  /** Starts the next task. */
  enter(task: Task<T>): void {
    const index = this.#entered++;
    this.#group.go(async (ctx) => this.#record(index, await outcomeOf(() => task(ctx)), ctx));
  }

  /** Waits until `body` has let the tasks enter and all of them have ended. Rejects if the caller gave up before it was over. */
  async run(body: () => void | PromiseLike<void>): Promise<Decision<T>> {
    await body();
    // What goes wrong in a task is written down there. The group fails only with the reason for which it was ended.
    await outcomeOf(() => this.#group.wait());
    const givenUp = this.#state === "open" && isCancelled(this.#options);
    const inOrder = [...this.#outcomes].toSorted(([one], [other]) => one - other);
    const values: T[] = [];
    const failures: unknown[] = [];
    for (const [index, outcome] of inOrder) {
      if (outcome.ok && this.#state === "won" && this.#winners.has(index)) values.push(outcome.value);
      else if (!outcome.ok && this.#state !== "won" && !givenUp) failures.push(outcome.error);
      else this.#tellUnused(outcome, index);
    }
    if (givenUp) throw endingOf(this.#options)?.reason;
    return this.#state === "won" ? { won: true, values } : { won: false, failures };
  }

  #record(index: number, outcome: Outcome<T>, ctx: Context): void {
    if (!outcome.ok && ctx.error !== undefined && isObedience(outcome.error, ctx)) return;
    this.#outcomes.set(index, outcome);
    if (this.ctx.error !== undefined) return;
    if (!outcome.ok) this.#failed++;
    else this.#winners.add(index);
    if (this.#winners.size === this.#needed) this.#end("won");
    else if (this.#failed > this.#total - this.#needed) this.#end("lost");
  }

  #end(state: "won" | "lost"): void {
    this.#state = state;
    this.#group.cancel(new CanceledError("no longer needed"));
  }

  #tellUnused(outcome: Outcome<T>, index: number): void {
    try {
      this.#options.onUnused?.(outcome, index);
    } catch (error) {
      reportUncaught(error);
    }
  }
}

function isObedience(error: unknown, ctx: Context): boolean {
  return error === ctx.cause || isCancellation(error);
}
