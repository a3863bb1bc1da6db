/**
 * Who handles which kind of event, and what a failure means.
 */
import { MisuseError } from "../../core/errors.ts";
import { type Outcome, outcomeOf } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";

type Handler = (value: never, ctx: Context) => void | PromiseLike<void>;

type Failure =
  | { readonly from: "handler"; readonly event: { readonly kind: string; readonly value: unknown } }
  | { readonly from: "source"; readonly kind: string };

/** Deals with a failure, as a `catch` block does: if it returns, the loop goes on; if it throws, that ends the loop. */
export type Catch = (error: unknown, failure: Failure) => void | PromiseLike<void>;

/** How an event was handled; `fatal` are the errors that are to end the loop, none if it goes on. */
interface Handled {
  readonly how: "processed" | "failed" | "given up";
  readonly fatal: readonly unknown[];
}

interface Entry {
  readonly handler: Handler;
  readonly once: boolean;
  active: boolean;
}

/**
 * Invariants
 *   I1  A list is replaced and never changed: an event goes to those who were there when it came, and are still there
 *       when their turn comes.
 *   I2  Once the context has ended no handler is called, and one that gave up because of that has not failed.
 */
export class Handlers {
  readonly #lists = new Map<string, readonly Entry[]>();
  readonly #catch: Catch;

  constructor(onError: Catch = rethrow) {
    this.#catch = onError;
  }

  /** Adds a handler. The function that it gives takes it back. */
  add(kind: string, handler: Handler, once: boolean): () => void {
    const entry: Entry = { handler, once, active: true };
    this.#lists.set(kind, [...this.#of(kind), entry]);
    return () => this.#remove(kind, entry);
  }

  /** Handles an event, or the failure of a source. */
  async handle(kind: string, outcome: Outcome<unknown>, ctx: Context): Promise<Handled> {
    if (!outcome.ok) return this.#failed(outcome.error, { from: "source", kind });
    const { value } = outcome;
    const list = this.#of(kind);
    const failure: Failure = { from: "handler", event: { kind, value } };
    if (list.length === 0) return this.#failed(new MisuseError(`no handler for "${kind}" events`), failure);
    let result: Handled = { how: "processed", fatal: [] };
    for (const entry of list) {
      if (!entry.active) continue;
      if (ctx.error !== undefined) return { how: "given up", fatal: [] };
      if (entry.once) this.#remove(kind, entry);
      const handled = await outcomeOf(() => entry.handler(value as never, ctx));
      if (handled.ok) continue;
      if (ctx.error !== undefined && handled.error === ctx.cause) return { how: "given up", fatal: [] };
      result = await this.#failed(handled.error, failure);
      if (result.fatal.length > 0) break;
    }
    return result;
  }

  /** An error that is thrown in place of another does not hide it. */
  async #failed(error: unknown, failure: Failure): Promise<Handled> {
    const dealt = await outcomeOf(() => this.#catch(error, failure));
    if (dealt.ok) return { how: "failed", fatal: [] };
    return { how: "failed", fatal: dealt.error === error ? [error] : [dealt.error, error] };
  }

  #of(kind: string): readonly Entry[] {
    return this.#lists.get(kind) ?? [];
  }

  #remove(kind: string, entry: Entry): void {
    entry.active = false;
    this.#lists.set(
      kind,
      this.#of(kind).filter((other) => other !== entry),
    );
  }
}

function rethrow(error: unknown): never {
  throw error;
}
