import { RwLock } from "concurrency-model-patterns/rw-lock";
import * as fc from "fast-check";
import { Ends, type Model, pickAt, type Subject } from "./harness.ts";
import { Held } from "./semaphore.ts";

export type RwLockCommand =
  | { readonly do: "read" | "write" | "tryRead" | "tryWrite" }
  | { readonly do: "release"; readonly which: number };

class RwLockModel extends Ends implements Model<RwLockCommand> {
  readonly #inside = new Map<number, "read" | "write">();
  #readers: number[] = [];
  #writers: number[] = [];

  apply(command: RwLockCommand, id: number): void {
    if (command.do === "release") return this.#release(command.which, id);
    const write = command.do === "write" || command.do === "tryWrite";
    const free = write ? this.#inside.size === 0 : !this.#writing && this.#writers.length === 0;
    if (free) this.#enter(id, write ? "write" : "read");
    else if (command.do === "write") this.#writers.push(id);
    else if (command.do === "read") this.#readers.push(id);
    else this.end(id, "nothing");
  }

  leave(id: number): void {
    this.#readers = this.#readers.filter((reader) => reader !== id);
    this.#writers = this.#writers.filter((writer) => writer !== id);
    this.#serve();
  }

  look(): unknown {
    const writers = this.#writing ? 1 : 0;
    return [this.#inside.size - writers, writers, this.#readers.length, this.#writers.length];
  }

  get #writing(): boolean {
    return [...this.#inside.values()].includes("write");
  }

  #enter(id: number, as: "read" | "write"): void {
    this.#inside.set(id, as);
    this.end(id, "held");
  }

  #admitReaders(): void {
    for (const reader of this.#readers.splice(0)) this.#enter(reader, "read");
  }

  #release(which: number, id: number): void {
    const holder = pickAt(
      [...this.#inside.keys()].toSorted((a, b) => a - b),
      which,
    );
    this.end(id, holder ?? "none");
    if (holder === undefined) return;
    const wasWriter = this.#writing;
    this.#inside.delete(holder);
    if (wasWriter) this.#admitReaders();
    this.#serve();
  }

  #serve(): void {
    if (this.#writing) return;
    if (this.#writers.length === 0) this.#admitReaders();
    else if (this.#inside.size === 0) this.#enter(this.#writers.shift() as number, "write");
  }
}

export const rwLockSubject: Subject<null, RwLockCommand> = {
  setup: fc.constant(null),
  command: fc.oneof(
    fc.record({
      do: fc.constantFrom("read" as const, "write" as const, "tryRead" as const, "tryWrite" as const),
    }),
    fc.record({ do: fc.constant("release" as const), which: fc.nat(5) }),
  ),
  model: () => new RwLockModel(),
  real: () => {
    const [lock, held] = [new RwLock(), new Held()];
    return {
      apply(command, ctx, id) {
        switch (command.do) {
          case "read":
            return lock.readLock(ctx).then((permit) => held.keep(id, permit));
          case "write":
            return lock.writeLock(ctx).then((permit) => held.keep(id, permit));
          case "tryRead":
            return held.keep(id, lock.tryReadLock());
          case "tryWrite":
            return held.keep(id, lock.tryWriteLock());
          case "release":
        }
        return held.release(command.which);
      },
      look: () => {
        const { active, waiting } = lock;
        return [active.readers, active.writers, waiting.readers, waiting.writers];
      },
    };
  },
};
