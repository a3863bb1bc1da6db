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
import type { Job } from "./job.ts";
import type { WorkerSeat, WorkerPoolOptions } from "./options.ts";

/** What workers belong to. */
export interface StaffParts<O, S> {
  readonly runtime: Runtime;
  readonly resource: Resource | undefined;
  readonly options: WorkerPoolOptions<S>;
  readonly dispatch: Dispatch<O, S>;
  /** That of the pool: ends when it is cancelled. A setup that fails cancels it. */
  readonly scope: CancelableContext;
  /** Told, once, when the last worker has gone, of what went wrong in setup and teardown. */
  readonly gone: (errors: readonly unknown[]) => void;
}

export class Staff<O, S> {
  readonly #parts: StaffParts<O, S>;
  readonly #label: string;
  readonly #startingUp: WaitGroup;
  readonly #numbers = new Set<number>();
  readonly #errors: unknown[] = [];

  constructor(parts: StaffParts<O, S>) {
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
    const { dispatch, options } = this.#parts;
    const seat = await this.#seat(worker);
    this.#startingUp.done();
    if (seat === undefined) return;
    for (let job = await dispatch.next(); job !== undefined; job = await dispatch.next()) {
      await this.#perform(job, seat);
    }
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

  /** Does a job, unless it was given up on its way here. */
  async #perform(job: Job<O, S>, seat: WorkerSeat<S>): Promise<void> {
    const { dispatch, resource } = this.#parts;
    if (job.waiting) {
      const held = { r: resource?.id ?? 0, units: 1, item: seat.worker };
      resource?.emit({ k: "hold", ...held });
      await job.perform(seat);
      resource?.emit({ k: "free", ...held });
    }
    dispatch.freed();
  }
}
