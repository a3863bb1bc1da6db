/** Where tasks wait for each other: condition, barrier, wait group, once. */
import { Barrier } from "concurrency-model-patterns/barrier";
import { Channel } from "concurrency-model-patterns/channel";
import { Cond } from "concurrency-model-patterns/cond";
import { Mutex } from "concurrency-model-patterns/mutex";
import { onceValue } from "concurrency-model-patterns/once";
import type { Permit } from "concurrency-model-patterns/semaphore";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import * as fc from "fast-check";
import { Ends, type Model, type Subject } from "./harness.ts";

export type CondCommand = "lock" | "unlock" | "wait" | "signal" | "broadcast";
interface Word<W extends string> {
  readonly do: W;
}
const words = <W extends string>(...all: W[]): fc.Arbitrary<Word<W>> =>
  fc.constantFrom(...all).map((word) => ({ do: word }));

class CondModel extends Ends implements Model<Word<CondCommand>> {
  #locked = false;
  /** Those who were signalled pass the signal on if they leave; the others have nothing to pass on. */
  #lockQueue: { readonly id: number; readonly signalled: boolean }[] = [];
  #waiters: number[] = [];

  apply({ do: command }: Word<CondCommand>, id: number): void {
    if (command === "lock") this.#lock(id, false);
    else if (command === "signal") this.#signal();
    else if (command === "broadcast") for (const waiter of this.#waiters.splice(0)) this.#lock(waiter, false);
    else if (this.#locked) {
      if (command === "wait") this.#waiters.push(id);
      this.#unlock();
    }
    const waits = command === "lock" || this.#waiters.includes(id);
    if (!waits) this.end(id, "undefined");
  }

  leave(id: number): void {
    this.#waiters = this.#waiters.filter((waiter) => waiter !== id);
    const leaver = this.#lockQueue.find((waiter) => waiter.id === id);
    this.#lockQueue = this.#lockQueue.filter((waiter) => waiter !== leaver);
    if (leaver?.signalled === true) this.#signal();
  }

  look(): unknown {
    return [this.#locked, this.#lockQueue.length, this.#waiters.length];
  }

  #signal(): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) this.#lock(waiter, true);
  }

  #lock(id: number, signalled: boolean): void {
    this.#lockQueue.push({ id, signalled });
    if (!this.#locked) this.#unlock();
  }

  #unlock(): void {
    const next = this.#lockQueue.shift();
    this.#locked = next !== undefined;
    if (next !== undefined) this.end(next.id, "held");
  }
}

export const condSubject: Subject<null, Word<CondCommand>> = {
  setup: fc.constant(null),
  command: words<CondCommand>("lock", "lock", "unlock", "wait", "wait", "signal", "broadcast"),
  inOrder: true,
  model: () => new CondModel(),
  real: () => {
    const mutex = new Mutex();
    const cond = new Cond(mutex);
    let held: Permit | undefined;
    const hold = (permit: Permit): string => {
      held = permit;
      return "held";
    };
    return {
      apply({ do: command }, ctx) {
        const permit = held;
        if (command === "lock") return mutex.lock(ctx).then(hold);
        if (command === "signal") return cond.signal();
        if (command === "broadcast") return cond.broadcast();
        if (command === "wait" && permit !== undefined) {
          held = undefined;
          return cond.wait(permit, ctx).then(hold);
        }
        held = undefined;
        return permit?.();
      },
      look: () => [mutex.locked, mutex.waiting, cond.waiting],
    };
  },
};

interface BarrierSetup {
  readonly parties: number;
  /** Every so many rounds the action fails; 0 if there is none. */
  readonly failing: number;
}

class BarrierModel extends Ends implements Model<Word<"wait">> {
  readonly #setup: BarrierSetup;
  #waiters: number[] = [];
  #rounds = 0;

  constructor(setup: BarrierSetup) {
    super();
    this.#setup = setup;
  }

  apply(_: Word<"wait">, id: number): void {
    this.#waiters.push(id);
    if (this.#waiters.length < this.#setup.parties) return;
    this.#rounds++;
    const fails = this.#setup.failing > 0 && this.#rounds % this.#setup.failing === 0;
    for (const [place, waiter] of this.#waiters.splice(0).entries())
      this.end(waiter, fails ? "Error" : place);
  }

  leave(id: number): void {
    this.#waiters = this.#waiters.filter((waiter) => waiter !== id);
  }

  look(): unknown {
    return this.#waiters.length;
  }
}

export const barrierSubject: Subject<BarrierSetup, Word<"wait">> = {
  setup: fc.record({ parties: fc.integer({ min: 1, max: 4 }), failing: fc.nat(3) }),
  command: words("wait"),
  model: (setup) => new BarrierModel(setup),
  real: ({ parties, failing }) => {
    let rounds = 0;
    const action = (): void => {
      if (++rounds % failing === 0) throw new Error("no");
    };
    const barrier = new Barrier(parties, failing > 0 ? { action } : {});
    return { apply: (_, ctx) => barrier.wait(ctx), look: () => barrier.waiting };
  },
};

type WaitGroupCommand = Word<"wait" | "done"> | { readonly do: "add"; readonly delta: number };

class WaitGroupModel extends Ends implements Model<WaitGroupCommand> {
  #count = 0;
  #waiters: number[] = [];

  apply(command: WaitGroupCommand, id: number): void {
    if (command.do === "wait") this.#waiters.push(id);
    else {
      const count = this.#count + ("delta" in command ? command.delta : -1);
      this.end(id, count < 0 ? "misuse" : "undefined");
      if (count >= 0) this.#count = count;
    }
    if (this.#count === 0) for (const waiter of this.#waiters.splice(0)) this.end(waiter, "undefined");
  }

  leave(id: number): void {
    this.#waiters = this.#waiters.filter((waiter) => waiter !== id);
  }

  look(): unknown {
    return [this.#count, this.#waiters.length];
  }
}

export const waitGroupSubject: Subject<null, WaitGroupCommand> = {
  setup: fc.constant(null),
  command: fc.oneof(
    words("wait", "done"),
    fc.record({ do: fc.constant("add" as const), delta: fc.integer({ min: -2, max: 2 }) }),
  ),
  model: () => new WaitGroupModel(),
  real: () => {
    const group = new WaitGroup();
    return {
      apply(command, ctx) {
        if (command.do === "wait") return group.wait(ctx);
        return "delta" in command ? group.add(command.delta) : group.done();
      },
      look: () => [group.count, group.waiting],
    };
  },
};

class OnceModel extends Ends implements Model<Word<"call" | "finish">> {
  readonly #fails: boolean;
  #state: "idle" | "runs" | "over" = "idle";
  #waiters: number[] = [];

  constructor(fails: boolean) {
    super();
    this.#fails = fails;
  }

  apply({ do: command }: Word<"call" | "finish">, id: number): void {
    if (command === "call") this.#waiters.push(id);
    else this.end(id, this.#state === "runs");
    if (command === "call" && this.#state === "idle") this.#state = "runs";
    else if (command === "finish" && this.#state === "runs") this.#state = "over";
    if (this.#state !== "over") return;
    for (const waiter of this.#waiters.splice(0)) this.end(waiter, this.#fails ? "Error" : 1);
  }

  leave(id: number): void {
    this.#waiters = this.#waiters.filter((waiter) => waiter !== id);
  }

  look(): unknown {
    return this.#state === "idle" ? 0 : 1;
  }
}

export const onceSubject: Subject<boolean, Word<"call" | "finish">> = {
  setup: fc.boolean(),
  command: words("call", "call", "call", "call", "finish"),
  model: (fails) => new OnceModel(fails),
  real: (fails) => {
    let runs = 0;
    const finish = new Channel<true>();
    const load = onceValue(async () => {
      runs++;
      await finish.receive();
      if (fails) throw new Error("no");
      return runs;
    });
    return {
      apply: ({ do: command }, ctx) => (command === "call" ? load(ctx) : finish.trySend(true)),
      look: () => runs,
      dispose: () => finish.close(),
    };
  },
};
