import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import { type Permit, RwLock } from "concurrency-model-patterns/rw-lock";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const held = (permit: Permit | undefined): Permit => {
  expect(permit).toBeDefined();
  return permit as Permit;
};

const free = { readers: 0, writers: 0 };

/** Locks, notes the name, and gives the unlock. */
const noting =
  (order: string[]) =>
  async (name: string, lock: Promise<Permit>): Promise<Permit> => {
    const unlock = await lock;
    order.push(name);
    return unlock;
  };

describe("RwLock: who is inside", () => {
  inBothRuntimes(
    "any number of readers, or one writer",
    async () => {
      const lock = new RwLock();
      let readers = 0;
      let writers = 0;
      let most = 0;
      await TaskGroup.run((group) => {
        for (let n = 0; n < 9; n++) {
          group.go(async () => {
            for (let round = 0; round < 3; round++) {
              if ((n + round) % 3 === 0) {
                await lock.withWriteLock(async () => {
                  expect([++writers, readers]).toEqual([1, 0]);
                  await settle();
                  writers--;
                }, group.ctx);
              } else {
                await lock.withReadLock(async () => {
                  most = Math.max(most, ++readers);
                  expect(writers).toBe(0);
                  await settle();
                  readers--;
                }, group.ctx);
              }
            }
          });
        }
      });
      expect(most).toBeGreaterThan(1);
      expect([lock.active, lock.waiting]).toEqual([free, free]);
    },
    50,
  );

  test("is told at once, and tryLock agrees", () => {
    const lock = new RwLock();
    const reads = [held(lock.tryReadLock()), held(lock.tryReadLock())];
    expect([lock.active, lock.tryWriteLock()]).toEqual([{ readers: 2, writers: 0 }, undefined]);
    for (const unlock of reads) unlock();
    const unlock = held(lock.tryWriteLock());
    expect(lock.active).toEqual({ readers: 0, writers: 1 });
    expect([lock.tryReadLock(), lock.tryWriteLock()]).toEqual([undefined, undefined]);
    unlock();
    expect(lock.active).toEqual(free);
  });
});

describe("RwLock: order", () => {
  test("a waiting writer keeps new readers out, also those that only try", async () => {
    const lock = new RwLock();
    const order: string[] = [];
    const note = noting(order);
    const first = held(lock.tryReadLock());
    const writer = note("writer", lock.writeLock());
    const reader = note("reader", lock.readLock());
    expect([lock.waiting, lock.tryReadLock()]).toEqual([{ readers: 1, writers: 1 }, undefined]);
    first();
    (await writer)();
    (await reader)();
    expect([order, lock.active]).toEqual([["writer", "reader"], free]);
  });

  test("when a writer leaves, all waiting readers enter together, before the next writer, as in Go", async () => {
    const lock = new RwLock();
    const order: string[] = [];
    const note = noting(order);
    const unlock = held(lock.tryWriteLock());
    const early = note("r1", lock.readLock());
    const writer = note("w2", lock.writeLock());
    const late = note("r2", lock.readLock());
    unlock();
    expect([lock.active, lock.waiting]).toEqual([
      { readers: 2, writers: 0 },
      { readers: 0, writers: 1 },
    ]);
    (await early)();
    expect(lock.active).toEqual({ readers: 1, writers: 0 });
    (await late)();
    (await writer)();
    expect(order).toEqual(["r1", "r2", "w2"]);
  });

  test("writers enter one by one in the order in which they came", async () => {
    const lock = new RwLock();
    const order: string[] = [];
    const note = noting(order);
    const unlock = held(lock.tryReadLock());
    const writers = ["w1", "w2", "w3"].map(async (name) => (await note(name, lock.writeLock()))());
    unlock();
    await Promise.all(writers);
    expect(order).toEqual(["w1", "w2", "w3"]);
  });

  inBothRuntimes(
    "neither readers nor writers are starved by a stream of the others",
    async () => {
      const lock = new RwLock();
      await TaskGroup.run(async (group) => {
        const endless = async (kind: "withReadLock" | "withWriteLock"): Promise<void> => {
          while (group.ctx.error === undefined) await lock[kind](settle, group.ctx);
        };
        for (const kind of ["withReadLock", "withReadLock", "withWriteLock", "withWriteLock"] as const)
          group.go(() => endless(kind));
        for (let n = 0; n < 5; n++) {
          await lock.withReadLock(settle);
          await lock.withWriteLock(settle);
        }
        group.cancel();
      });
      expect([lock.active, lock.waiting]).toEqual([free, free]);
    },
    50,
  );

  test("goes round without starving the host", async () => {
    const lock = new RwLock();
    const turn = await hostGetsItsTurn(async (over) => {
      const loop = async (): Promise<void> => {
        while (!over()) {
          (await lock.writeLock())();
          (await lock.readLock())();
        }
      };
      await Promise.all([loop(), loop()]);
    });
    expect(turn).toBe(true);
  });
});

describe("RwLock: cancellation", () => {
  test("of the only waiting writer lets the readers in at once that it kept out", async () => {
    const lock = new RwLock();
    const inside = held(lock.tryReadLock());
    const { ctx, cancel } = withCancel(background);
    const writer = ended(lock.writeLock(ctx));
    const readers = [lock.readLock(), lock.readLock()];
    cancel();
    expect([lock.active.readers, lock.waiting]).toEqual([3, free]);
    for (const unlock of await Promise.all(readers)) unlock();
    inside();
    expect(await writer).toMatchObject({ error: { code: "CANCELED" } });
    expect(lock.active).toEqual(free);
  });

  test("of one of two writers lets nobody in", async () => {
    const lock = new RwLock();
    const inside = held(lock.tryReadLock());
    const { ctx, cancel } = withCancel(background);
    const first = ended(lock.writeLock(ctx));
    const second = lock.writeLock();
    const reader = lock.readLock();
    cancel();
    expect([lock.active.readers, lock.waiting]).toEqual([1, { readers: 1, writers: 1 }]);
    inside();
    (await second)();
    (await reader)();
    expect(await first).toMatchObject({ error: { code: "CANCELED" } });
  });

  test.each(["readers", "a writer"])(
    "never lets one in that is being cancelled too, behind %s",
    async (who) => {
      const lock = new RwLock();
      const controller = new AbortController();
      const unlock = held(who === "readers" ? lock.tryReadLock() : lock.tryWriteLock());
      // Told first, it unlocks while the others have not been told yet.
      controller.signal.addEventListener("abort", unlock);
      const meant = [lock.writeLock(controller), lock.readLock(controller), lock.writeLock(controller)].map(
        ended,
      );
      const writer = lock.writeLock();
      const reader = lock.readLock();
      controller.abort(new Error("all"));
      for (const end of await Promise.all(meant)) expect(end).toEqual({ error: new Error("all") });
      if (who === "readers") {
        (await writer)();
        (await reader)();
      } else {
        (await reader)();
        (await writer)();
      }
      expect([lock.active, lock.waiting]).toEqual([free, free]);
    },
  );

  test("keeps the counts right, for any plan", async () => {
    const step = fc.record({
      kind: fc.constantFrom("readLock" as const, "writeLock" as const),
      cancelAt: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
      releaseAt: fc.nat({ max: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (plan) => {
        const lock = new RwLock();
        const due: (() => void)[][] = Array.from({ length: 11 }, () => []);
        const over = plan.map(async ({ kind, cancelAt, releaseAt }) => {
          const { ctx, cancel } = withCancel(background);
          if (cancelAt !== undefined) due[cancelAt]?.push(cancel);
          const end = await ended(lock[kind](ctx));
          if ("error" in end) return;
          const { readers, writers } = lock.active;
          expect(kind === "readLock" ? writers === 0 && readers > 0 : writers === 1 && readers === 0).toBe(
            true,
          );
          for (let turn = 0; turn < releaseAt; turn++) await Promise.resolve();
          (end.value as Permit)();
        });
        for (const cancels of due) {
          for (const cancel of cancels) cancel();
          await Promise.resolve();
        }
        await Promise.all(over);
        expect([lock.active, lock.waiting]).toEqual([free, free]);
      }),
      { numRuns: 200 },
    );
  });

  test("of 20,000 writers lets 20,000 readers in, without a deep stack", async () => {
    const lock = new RwLock();
    const inside = held(lock.tryReadLock());
    const { ctx, cancel } = withCancel(background);
    const writers = Array.from({ length: 20_000 }, () => ended(lock.writeLock(ctx)));
    const readers = Array.from({ length: 20_000 }, () => lock.readLock());
    cancel();
    expect([lock.active.readers, lock.waiting]).toEqual([20_001, free]);
    inside();
    for (const unlock of await Promise.all(readers)) unlock();
    await Promise.all(writers);
    expect(lock.active).toEqual(free);
  });
});

describe("RwLock: unlocking", () => {
  test("twice counts once: it takes the lock away from nobody", async () => {
    const lock = new RwLock();
    const [one, two] = [held(lock.tryReadLock()), held(lock.tryReadLock())];
    one();
    one();
    one[Symbol.dispose]();
    expect(lock.active.readers).toBe(1);
    const writer = lock.writeLock();
    two();
    const unlock = await writer;
    two();
    expect(lock.active.writers).toBe(1);
    unlock();
    unlock();
    expect(lock.active).toEqual(free);
  });

  inBothRuntimes(
    "is done however a task ends, and its value or error comes through",
    async () => {
      const lock = new RwLock();
      const error = new Error("no");
      for (const kind of ["withReadLock", "withWriteLock"] as const) {
        expect(await lock[kind](() => 3)).toBe(3);
        const thrower = (): never => {
          throw error;
        };
        expect(await failureOf(lock[kind](thrower))).toBe(error);
        expect(await failureOf(lock[kind](() => Promise.reject(error)))).toBe(error);
      }
      expect(lock.active).toEqual(free);
    },
    10,
  );

  inBothRuntimes(
    "lets a task run in the async context of its caller",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const lock = new RwLock();
      const unlock = await lock.writeLock();
      const seen = ["a", "b"].map((name) =>
        storage.run(name, () => lock.withReadLock(() => storage.getStore())),
      );
      const written = storage.run("c", () => lock.withWriteLock(() => storage.getStore()));
      await settle();
      storage.run("unlocker", unlock);
      expect(await Promise.all([...seen, written])).toEqual(["a", "b", "c"]);
    },
    10,
  );
});

describe("RwLock: mistakes", () => {
  test("a reader that asks again behind a waiting writer waits for itself, and the report says so", async () => {
    const error = await failureOf(
      simulate(async () => {
        const lock = new RwLock({ name: "prices" });
        await TaskGroup.run(async (group) => {
          await lock.readLock();
          group.go(() => lock.writeLock(), { name: "writer" });
          await settle();
          await lock.readLock();
        });
      }),
    );
    expect(error).toMatchObject({ code: "DEADLOCK" });
    expect((error as Error).message).toContain("read lock on prices");
    expect((error as Error).message).toContain("write lock on prices");
  });

  test("a task that is no function is refused at the call", () => {
    const lock = new RwLock();
    const message = "task must be a function, got null";
    expect(thrownBy(() => lock.withReadLock(null as never))).toMatchObject({ message });
    expect(thrownBy(() => lock.withWriteLock(null as never))).toMatchObject({ message });
    expect(lock.active).toEqual(free);
  });
});
