/**
 * A worker that was set up: does one job after the other.
 *
 * By calls and not by awaits: a promise for each step would cost more than all the rest of a job.
 */
import type { Resource } from "../../core/resource.ts";
import { isPending } from "../../core/task.ts";
import { type Dispatch, Hand } from "./dispatch.ts";
import { Errand, type Sender } from "./errand.ts";
import type { Job, Performer } from "./job.ts";
import type { WorkerSeat } from "./options.ts";

/** What a worker works with. */
export interface WorkerParts<I, O, S> {
  readonly dispatch: Dispatch<I, O, S>;
  readonly resource: Resource | undefined;
  readonly seat: WorkerSeat<S>;
}

/**
 * Invariants
 *   I1  It has a job from its start until the handler has ended, also if that job was given up; then it asks for the next.
 *   I2  It leaves once, without a job.
 */
export class Worker<I, O, S> extends Hand<Job<I, O, S>> implements Performer, Sender<O> {
  readonly #dispatch: Dispatch<I, O, S>;
  readonly #resource: Resource | undefined;
  readonly #seat: WorkerSeat<S>;
  #job: Job<I, O, S> | undefined;
  #left!: () => void;

  constructor({ dispatch, resource, seat }: WorkerParts<I, O, S>) {
    super(dispatch.runtime, resource);
    this.#dispatch = dispatch;
    this.#resource = resource;
    this.#seat = seat;
  }

  /** Works until it is told to leave. */
  work(): Promise<void> {
    return new Promise((resolve) => {
      this.#left = resolve;
      this.#dispatch.next(this);
    });
  }

  /** Begins with a job, unless that was given up on its way here. */
  override take(job: Job<I, O, S> | undefined): void {
    if (job === undefined) this.#left();
    else if (job.waiting) {
      this.#job = job;
      this.#resource?.emit({ k: "hold", ...this.#held });
      job.start(this);
    } else this.#dispatch.freed(this);
  }

  perform(): void {
    const job = this.#job as Job<I, O, S>;
    if (job.waiting) this.#call(job);
    else this.#free();
  }

  #call(job: Job<I, O, S>): void {
    let given: O | PromiseLike<O> | Errand<O>;
    let pending: boolean;
    try {
      given = job.call(this.#seat);
      pending = isPending(given);
    } catch (error) {
      return this.failed(error);
    }
    if (pending) void Promise.resolve(given as O).then(this.succeeded, this.failed);
    else if (given instanceof Errand) this.#await(job, given);
    else this.succeeded(given as O);
  }

  #await(job: Job<I, O, S>, errand: Errand<O>): void {
    job.sent(errand);
    errand.sentBy(this);
  }

  readonly succeeded = (value: O): void => {
    this.#job?.succeed(value);
    this.#free();
  };

  readonly failed = (error: unknown): void => {
    this.#job?.failed(error);
    this.#free();
  };

  #free(): void {
    this.#job = undefined;
    this.#resource?.emit({ k: "free", ...this.#held });
    this.#dispatch.freed(this);
  }

  get #held(): { r: number; units: number; item: number } {
    return { r: this.#resource?.id ?? 0, units: 1, item: this.#seat.worker };
  }
}
