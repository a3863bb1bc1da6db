/**
 * The end of a flow of which all values are wanted, and none before the last.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { ClosedError } from "../../core/errors.ts";
import { completed, turnIfDue } from "../../core/fairness.ts";
import { GrowingList } from "../../core/growing-list.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import type { SendPort } from "../ports.ts";
import type { Outlet } from "./hand-over.ts";

/** In the place of a value that has yet to come. */
const vacant: unique symbol = Symbol("vacant");

/** Takes whatever comes. */
export class Collector<T> implements Outlet<T>, SendPort<T> {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #values = new GrowingList<T | typeof vacant>();
  #vacancies = 0;
  #state: "open" | "closed" = "open";

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** What has come. A place to which nothing came is left out. */
  toArray(): T[] {
    const values = this.#values.toArray();
    return (this.#vacancies === 0 ? values : values.filter((value) => value !== vacant)) as T[];
  }

  give(value: T, options: CancelOptions | undefined): Promise<void> | undefined {
    const refused = this.#refusal(options);
    if (refused !== undefined) return refused;
    this.#values.push(value);
    return turnIfDue(this.#runtime);
  }

  place(index: number, value: T, options: CancelOptions): Promise<void> | undefined {
    const refused = this.#refusal(options);
    if (refused !== undefined) return refused;
    for (let left = index - this.#values.size; left > 0; left--) {
      this.#values.push(vacant);
      this.#vacancies++;
    }
    if (index === this.#values.size) this.#values.push(value);
    else {
      this.#values.set(index, value);
      this.#vacancies--;
    }
    return turnIfDue(this.#runtime);
  }

  send(value: T, options?: CancelOptions): Promise<void> {
    return this.give(value, options) ?? completed(this.#runtime, undefined);
  }

  trySend(value: T): boolean {
    if (this.#state === "closed") throw sendOnClosed();
    this.#values.push(value);
    return true;
  }

  close(): void {
    this.#state = "closed";
  }

  #refusal(options: CancelOptions | undefined): Promise<never> | undefined {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    return this.#state === "closed" ? Promise.reject(sendOnClosed()) : undefined;
  }
}

function sendOnClosed(): ClosedError {
  return new ClosedError("send on closed channel");
}
