import { Mutex } from "concurrency-model-patterns/mutex";
import { type Permit, Semaphore } from "concurrency-model-patterns/semaphore";
import * as fc from "fast-check";
import { Ends, type Model, pickAt, type Subject } from "./harness.ts";

export type SemaphoreCommand =
  | { readonly do: "acquire" | "try"; readonly weight: number }
  | { readonly do: "release"; readonly which: number }
  | { readonly do: "resize"; readonly permits: number };

class SemaphoreModel extends Ends implements Model<SemaphoreCommand> {
  #permits: number;
  readonly #held = new Map<number, number>();
  #queue: (readonly [id: number, weight: number])[] = [];

  constructor(permits: number) {
    super();
    this.#permits = permits;
  }

  apply(command: SemaphoreCommand, id: number): void {
    switch (command.do) {
      case "acquire":
      case "try": {
        const { weight } = command;
        if (weight > this.#permits) return this.end(id, "RangeError");
        if (command.do === "try" && (this.#queue.length > 0 || weight > this.#available))
          return this.end(id, "nothing");
        this.#queue.push([id, weight]);
        return this.#serve();
      }
      case "release": {
        const held = pickAt(
          [...this.#held.keys()].toSorted((a, b) => a - b),
          command.which,
        );
        if (held !== undefined) this.#held.delete(held);
        this.end(id, held ?? "none");
        return this.#serve();
      }
      case "resize":
        return this.#resize(command.permits, id);
    }
  }

  leave(id: number): void {
    this.#queue = this.#queue.filter(([waiter]) => waiter !== id);
    this.end(id, "canceled");
    this.#serve();
  }

  look(): unknown {
    return [this.#permits, this.#available, this.#queue.length];
  }

  get #available(): number {
    const held = [...this.#held.values()].reduce((a, b) => a + b, 0);
    return Math.max(0, this.#permits - held);
  }

  #resize(permits: number, id: number): void {
    this.#permits = permits;
    for (const [waiter, weight] of this.#queue) if (weight > permits) this.end(waiter, "limit");
    this.#queue = this.#queue.filter(([, weight]) => weight <= permits);
    this.end(id, "undefined");
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const [id, weight] = this.#queue[0] ?? [-1, Number.POSITIVE_INFINITY];
      if (weight > this.#available) return;
      this.#queue.shift();
      this.#held.set(id, weight);
      this.end(id, "held");
    }
  }
}

/** Permits by the number of the call that got them. */
export class Held {
  readonly #permits = new Map<number, Permit>();

  keep(id: number, permit: Permit | undefined): string {
    if (permit === undefined) return "nothing";
    this.#permits.set(id, permit);
    return "held";
  }

  /** Gives one back, twice: the second time must not matter. */
  release(which: number): unknown {
    const id = pickAt(
      [...this.#permits.keys()].toSorted((a, b) => a - b),
      which,
    );
    if (id === undefined) return "none";
    this.#permits.get(id)?.();
    this.#permits.get(id)?.();
    this.#permits.delete(id);
    return id;
  }
}

const from1 = fc.integer({ min: 1, max: 4 });

export const semaphoreSubject: Subject<number, SemaphoreCommand> = {
  setup: from1,
  command: fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("acquire" as const), weight: from1 }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("try" as const), weight: from1 }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("release" as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("resize" as const), permits: from1 }) },
  ),
  model: (permits) => new SemaphoreModel(permits),
  real: (permits) => {
    const [semaphore, held] = [new Semaphore(permits), new Held()];
    return {
      apply(command, ctx, id) {
        switch (command.do) {
          case "acquire":
            return semaphore.acquire(command.weight, ctx).then((permit) => held.keep(id, permit));
          case "try":
            return held.keep(id, semaphore.tryAcquire(command.weight));
          case "resize":
            return semaphore.resize(command.permits);
          case "release":
        }
        return held.release(command.which);
      },
      look: () => [semaphore.permits, semaphore.available, semaphore.waiting],
    };
  },
};

/** A mutex is a semaphore of one permit. */
export const mutexSubject: Subject<number, SemaphoreCommand> = {
  setup: fc.constant(1),
  command: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: "acquire" as const, weight: 1 }) },
    { weight: 1, arbitrary: fc.constant({ do: "try" as const, weight: 1 }) },
    { weight: 3, arbitrary: fc.constant({ do: "release" as const, which: 0 }) },
  ),
  model: (permits) => new SemaphoreModel(permits),
  real: () => {
    const [mutex, held] = [new Mutex(), new Held()];
    return {
      apply(command, ctx, id) {
        if (command.do === "acquire") return mutex.lock(ctx).then((permit) => held.keep(id, permit));
        return command.do === "try" ? held.keep(id, mutex.tryLock()) : held.release(0);
      },
      look: () => [1, mutex.locked ? 0 : 1, mutex.waiting],
    };
  },
};
