import { AsyncLocalStorage } from "node:async_hooks";
import { Cond } from "concurrency-model-patterns/cond";
import { background, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { describe, expect, test } from "vitest";
import type { CancelOptions } from "../../src/core/cancellation.ts";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

interface Fixture {
  readonly mutex: Mutex;
  readonly cond: Cond;
  /** Locks, waits, unlocks. */
  readonly wait: (options?: CancelOptions) => Promise<void>;
}

function fixture(): Fixture {
  const mutex = new Mutex();
  const cond = new Cond(mutex);
  return {
    mutex,
    cond,
    wait: async (options) => (await cond.wait(await mutex.lock(), options))(),
  };
}

describe("Cond: waking", () => {
  inBothRuntimes(
    "a signal with nobody waiting is lost",
    async () => {
      const { cond, wait } = fixture();
      cond.signal();
      cond.broadcast();
      let over = false;
      const waiting = wait().then(() => (over = true));
      await settle();
      expect([over, cond.waiting]).toEqual([false, 1]);
      cond.signal();
      await waiting;
    },
    20,
  );

  inBothRuntimes(
    "a signal wakes one, in the order in which they began to wait",
    async () => {
      const { mutex, cond, wait } = fixture();
      const order: number[] = [];
      const waits: Promise<unknown>[] = [];
      for (let n = 0; n < 5; n++) {
        waits.push(wait().then(() => order.push(n)));
        await settle();
      }
      for (let n = 0; n < 5; n++) {
        cond.signal();
        await settle();
        expect([order.length, cond.waiting]).toEqual([n + 1, 4 - n]);
      }
      await Promise.all(waits);
      expect([order, mutex.locked]).toEqual([[0, 1, 2, 3, 4], false]);
    },
    30,
  );

  inBothRuntimes(
    "a broadcast wakes all who wait, and nobody who comes later",
    async () => {
      const { mutex, cond, wait } = fixture();
      const early = [wait(), wait(), wait()];
      await settle();
      expect(cond.waiting).toBe(3);
      cond.broadcast();
      expect(cond.waiting).toBe(0);
      let over = false;
      const late = wait().then(() => (over = true));
      await Promise.all(early);
      await settle();
      expect([over, cond.waiting, mutex.locked]).toEqual([false, 1, false]);
      cond.signal();
      await late;
    },
    30,
  );

  inBothRuntimes(
    "the lock is free while one waits, and held when the wait is over",
    async () => {
      const { mutex, cond } = fixture();
      const waiting = (async () => {
        const first = await mutex.lock();
        const unlock = await cond.wait(first);
        expect(mutex.locked).toBe(true);
        first();
        expect(mutex.locked).toBe(true);
        unlock();
      })();
      await settle();
      const unlock = mutex.tryLock();
      expect(unlock).toBeDefined();
      cond.signal();
      await settle();
      expect([cond.waiting, mutex.waiting]).toEqual([0, 1]);
      unlock?.();
      await waiting;
      expect(mutex.locked).toBe(false);
    },
    30,
  );

  test("wakes 20,000", async () => {
    const { mutex, cond, wait } = fixture();
    const waits = Array.from({ length: 20_000 }, () => wait());
    while (cond.waiting < waits.length) await settle();
    cond.broadcast();
    await Promise.all(waits);
    expect([cond.waiting, mutex.locked]).toEqual([0, false]);
  });
});

describe("Cond: cancellation", () => {
  inBothRuntimes(
    "leaves without the lock, and without waiting for it; the old unlock is spent",
    async () => {
      const { mutex, cond } = fixture();
      const { ctx, cancel } = withCancel(background);
      const spent = await mutex.lock();
      const waiting = ended(cond.wait(spent, ctx));
      await settle();
      const unlock = await mutex.lock();
      cancel();
      expect(await waiting).toMatchObject({ error: { code: "CANCELED" } });
      spent();
      expect([mutex.locked, cond.waiting]).toEqual([true, 0]);
      unlock();
      expect(mutex.locked).toBe(false);
    },
    30,
  );

  inBothRuntimes(
    "before it waits gives the lock up too, so that the rule is one",
    async () => {
      const { mutex, cond } = fixture();
      const gone = { signal: AbortSignal.abort(new Error("gone")) };
      expect(await failureOf(cond.wait(await mutex.lock(), gone))).toEqual(new Error("gone"));
      expect([mutex.locked, cond.waiting]).toEqual([false, 0]);
    },
    5,
  );

  inBothRuntimes(
    "of one that was signalled and waits for the lock passes the signal on",
    async () => {
      const { mutex, cond, wait } = fixture();
      const { ctx, cancel } = withCancel(background);
      const first = ended(wait(ctx));
      await settle();
      const second = wait();
      await settle();
      const unlock = await mutex.lock();
      cond.signal();
      await settle();
      expect([cond.waiting, mutex.waiting]).toEqual([1, 1]);
      cancel();
      expect(await first).toMatchObject({ error: { code: "CANCELED" } });
      await settle();
      unlock();
      await second;
      expect([cond.waiting, mutex.waiting, mutex.locked]).toEqual([0, 0, false]);
    },
    50,
  );

  inBothRuntimes(
    "of one that a broadcast woke wakes nobody else",
    async () => {
      const { mutex, cond, wait } = fixture();
      const { ctx, cancel } = withCancel(background);
      const first = ended(wait(ctx));
      await settle();
      cond.broadcast();
      const unlock = await mutex.lock();
      const late = ended(wait());
      unlock();
      cancel();
      await first;
      await settle();
      expect(cond.waiting).toBe(1);
      cond.signal();
      await late;
    },
    50,
  );

  inBothRuntimes("in a race with the signal loses no wake-up: of two, one always gets it", async () => {
    const { mutex, cond, wait } = fixture();
    const { ctx, cancel } = withCancel(background);
    await TaskGroup.run(async (group) => {
      const first = group.go(() => ended(wait(ctx)));
      await settle();
      const second = group.go(() => wait());
      await settle();
      group.go(() => cancel());
      group.go(() => cond.signal());
      const end = await first.join();
      if ("error" in end) await second.join();
      else {
        await settle();
        expect(cond.waiting).toBe(1);
        cond.signal();
      }
    });
    expect([cond.waiting, mutex.waiting, mutex.locked]).toEqual([0, 0, false]);
  });

  test("never wakes one that is being cancelled too: the signal reaches the next", async () => {
    const { cond, wait } = fixture();
    const controller = new AbortController();
    // Told first, it signals while the waiter has not been told yet.
    controller.signal.addEventListener("abort", () => cond.signal());
    const first = ended(wait(controller));
    await settle();
    const second = wait();
    await settle();
    controller.abort(new Error("gone"));
    expect(cond.waiting).toBe(0);
    expect(await first).toEqual({ error: new Error("gone") });
    await second;
  });
});

describe("Cond.withLockWhen", () => {
  inBothRuntimes(
    "passes every item of a bounded buffer on once, with two conditions over one mutex",
    async () => {
      const mutex = new Mutex();
      const notEmpty = new Cond(mutex);
      const notFull = new Cond(mutex);
      const buffer: number[] = [];
      const seen: number[] = [];
      const put = (n: number): Promise<void> =>
        notFull.withLockWhen(
          () => buffer.length < 2,
          () => {
            buffer.push(n);
            expect(buffer.length).toBeLessThanOrEqual(2);
            notEmpty.signal();
          },
        );
      const take = (): Promise<void> =>
        notEmpty.withLockWhen(
          () => buffer.length > 0,
          () => {
            seen.push(buffer.shift() ?? -1);
            notFull.signal();
          },
        );
      await TaskGroup.run((group) => {
        for (let producer = 0; producer < 3; producer++) {
          group.go(async () => {
            for (let n = 0; n < 4; n++) await put(producer * 4 + n);
          });
          group.go(async () => {
            for (let n = 0; n < 4; n++) await take();
          });
        }
      });
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
      expect([mutex.locked, notEmpty.waiting, notFull.waiting]).toEqual([false, 0, 0]);
    },
    100,
  );

  inBothRuntimes(
    "looks again after each wake-up, and does not wait if the condition holds",
    async () => {
      const { mutex, cond } = fixture();
      let looks = 0;
      const third = cond.withLockWhen(
        () => ++looks === 3,
        () => mutex.locked,
      );
      for (let n = 0; n < 2; n++) {
        await settle();
        expect([looks, cond.waiting]).toEqual([n + 1, 1]);
        cond.signal();
      }
      expect(await third).toBe(true);
      expect(
        await cond.withLockWhen(
          () => true,
          () => 7,
        ),
      ).toBe(7);
      expect(mutex.locked).toBe(false);
    },
    20,
  );

  inBothRuntimes(
    "unlocks if the condition throws, the first time or later, and if the task does",
    async () => {
      const { mutex, cond } = fixture();
      const no = new Error("no");
      const thrower = (): never => {
        throw no;
      };
      expect(await failureOf(cond.lockWhen(thrower))).toBe(no);
      let looks = 0;
      const later = failureOf(cond.lockWhen(() => (++looks === 2 ? thrower() : false)));
      await settle();
      cond.signal();
      expect(await later).toBe(no);
      expect(await failureOf(cond.withLockWhen(() => true, thrower))).toBe(no);
      expect([mutex.locked, cond.waiting]).toEqual([false, 0]);
    },
    10,
  );

  inBothRuntimes(
    "lets condition and task run in the async context of their caller",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const { cond } = fixture();
      const seen: unknown[] = [];
      let open = false;
      const task = storage.run("caller", () =>
        cond.withLockWhen(
          () => {
            seen.push(storage.getStore());
            return open;
          },
          () => seen.push(storage.getStore()),
        ),
      );
      await settle();
      open = true;
      storage.run("signaller", () => cond.signal());
      await task;
      expect(seen).toEqual(["caller", "caller", "caller"]);
    },
    10,
  );
});

describe("Cond: mistakes", () => {
  inBothRuntimes(
    "a wait without the lock is refused, also with an unlock that is spent",
    async () => {
      const { mutex, cond } = fixture();
      const unlock = await mutex.lock();
      unlock();
      expect(await failureOf(cond.wait(unlock))).toMatchObject({
        code: "MISUSE",
        message: "wait on a condition without its lock",
      });
      expect([mutex.locked, cond.waiting]).toEqual([false, 0]);
    },
    5,
  );

  test("who is never woken is named in the report", async () => {
    const error = await failureOf(
      simulate(async () => {
        const mutex = new Mutex();
        await new Cond(mutex, { name: "not empty" }).lockWhen(() => false);
      }),
    );
    expect(error).toMatchObject({ code: "DEADLOCK" });
    expect((error as Error).message).toContain("wait on not empty");
  });

  test("bad arguments are refused at the call", () => {
    const { cond } = fixture();
    const refused = [
      [() => new Cond(undefined as never), "mutex must be a Mutex, got undefined"],
      [() => cond.wait(undefined as never), "unlock must be a function, got undefined"],
      [() => cond.lockWhen(true as never), "condition must be a function, got true"],
      [() => cond.withLockWhen(() => true, 3 as never), "task must be a function, got 3"],
    ] as const;
    for (const [call, message] of refused) {
      const error = thrownBy(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message });
    }
  });
});
