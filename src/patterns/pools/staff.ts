/**
 * The workers of a pool: hired, set up, at work, taken apart.
 *
 * Invariants
 *   I1  A number belongs to one worker at a time; new ones get the lowest that are free.
 *   I2  Who was set up is taken apart, once, as the last thing.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { isCancellation } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { outcomeOf, spawnTask } from "../../core/task.ts";
import type { CancelableContext } from "../../sync/context.ts";
import { WaitGroup } from "../../sync/wait-group.ts";
import type { Dispatch } from "./dispatch.ts";
import type { WorkerSeat, WorkerPoolOptions } from "./options.ts";
import { Worker } from "./worker.ts";

/** What workers belong to. */
export interface StaffParts<I, O, S> {
  readonly runtime: Runtime;
  readonly resource: Resource | undefined;
  readonly options: WorkerPoolOptions<S>;
  readonly dispatch: Dispatch<I, O, S>;
  /** That of the pool: ends when it is cancelled. A setup that fails cancels it. */
  readonly scope: CancelableContext;
  /** Told, once, when the last worker has gone, of what went wrong in setup and teardown. */
  readonly gone: (errors: readonly unknown[]) => void;
}

export class Staff<I, O, S> {
  readonly #parts: StaffParts<I, O, S>;
  readonly #label: string;
  readonly #startingUp: WaitGroup;
  readonly #numbers = new Set<number>();
  readonly #errors: unknown[] = [];

  constructor(parts: StaffParts<I, O, S>) {
    this.#parts = parts;
    this.#label = parts.options.name ?? "pool";
    this.#startingUp = new WaitGroup({ name: `${this.#label} setup` });
  }

  /** How many workers there are. */
  get size(): number {
    return this.#numbers.size;
  }

  /** Waits until all are set up. */
  async ready(options: CancelOptions | undefined): Promise<void> {
    await this.#startingUp.wait(options);
  }

  /** Hires as many as are wanted. */
  hire(): void {
    for (let worker = 1; this.#parts.dispatch.hire(); worker++) {
      while (this.#numbers.has(worker)) worker++;
      this.#start(worker);
    }
  }

  #start(worker: number): void {
    const { runtime, resource } = this.#parts;
    this.#numbers.add(worker);
    this.#startingUp.add(1);
    const label = { name: `${this.#label} worker ${worker}`, group: resource?.name };
    spawnTask(
      runtime,
      label,
      () => this.#work(worker),
      (outcome) => {
        if (!outcome.ok) this.#errors.push(outcome.error);
        this.#numbers.delete(worker);
        if (this.size === 0) this.#parts.gone(this.#errors);
      },
    );
  }

  /** The life of a worker. */
  async #work(worker: number): Promise<void> {
    const { dispatch, options, resource } = this.#parts;
    const seat = await this.#seat(worker);
    this.#startingUp.done();
    if (seat === undefined) return;
    await new Worker({ dispatch, resource, seat }).work();
    await options.teardown?.(seat);
  }

  /** Sets a worker up; `undefined` if that fails, or if there is nothing to do any more. */
  async #seat(worker: number): Promise<WorkerSeat<S> | undefined> {
    const { dispatch, options, scope } = this.#parts;
    if (dispatch.isOver) return undefined;
    const { ctx } = scope;
    const made = await outcomeOf(() => options.setup?.({ worker, ctx }) as S);
    if (made.ok) return { worker, state: made.value };
    const { error } = made;
    const wasToldTo = ctx.error !== undefined && (error === ctx.cause || isCancellation(error));
    if (!wasToldTo) this.#errors.push(error);
    scope.cancel(error);
    return undefined;
  }
}
