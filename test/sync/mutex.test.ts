import { background, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

describe("Mutex", () => {
  inBothRuntimes(
    "lets one task at a time in, in the order in which they came",
    async () => {
      const mutex = new Mutex();
      const order: number[] = [];
      let inside = 0;
      const unlock = await mutex.lock();
      await TaskGroup.run(async (group) => {
        for (let n = 0; n < 5; n++) {
          group.go(() =>
            mutex.withLock(async () => {
              expect(++inside).toBe(1);
              order.push(n);
              await settle();
              inside--;
            }, group.ctx),
          );
          await settle();
        }
        expect(mutex.waiting).toBe(5);
        unlock();
      });
      expect([order, mutex.locked]).toEqual([[0, 1, 2, 3, 4], false]);
    },
    50,
  );

  test("unlocks once: a second call does not take the lock away from the next holder", async () => {
    const mutex = new Mutex();
    const unlock = await mutex.lock();
    const next = mutex.lock();
    unlock();
    const unlockNext = await next;
    unlock();
    expect([mutex.locked, mutex.tryLock()]).toEqual([true, undefined]);
    unlockNext();
    expect(mutex.locked).toBe(false);
  });

  test("reads free at once when it is unlocked and nobody waits", () => {
    const mutex = new Mutex();
    const unlock = mutex.tryLock();
    expect(mutex.locked).toBe(true);
    unlock?.();
    expect(mutex.locked).toBe(false);
  });

  test("is not re-entrant: a holder who locks again waits for itself, and the report says so", async () => {
    const error = await failureOf(
      simulate(async () => {
        const mutex = new Mutex({ name: "the lock" });
        await mutex.lock();
        await mutex.lock();
      }),
    );
    expect(error).toMatchObject({
      code: "DEADLOCK",
      message: expect.stringContaining("acquire on the lock") as string,
    });
  });

  inBothRuntimes("never lets a cancelled waiter in, also when the unlock races with the cancel", async () => {
    const mutex = new Mutex();
    const unlock = await mutex.lock();
    const { ctx, cancel } = withCancel(background);
    await TaskGroup.run(async (group) => {
      let cancelled = false;
      const waiting = group.go(() =>
        ended(
          mutex.withLock(() => {
            return cancelled;
          }, ctx),
        ),
      );
      await settle();
      group.go(() => {
        cancelled = mutex.waiting === 1;
        cancel();
      });
      group.go(() => unlock());
      const end = await waiting.join();
      if ("value" in end) expect(end.value).toBe(false);
    });
    expect([mutex.locked, mutex.waiting]).toEqual([false, 0]);
  });

  test("is got ten times against a tight loop", async () => {
    const mutex = new Mutex();
    const seen = { over: false };
    const loop = (async () => {
      while (!seen.over) await mutex.withLock(() => {});
    })();
    for (let n = 0; n < 10; n++) await mutex.withLock(() => sleep(0));
    seen.over = true;
    await loop;
    expect(mutex.locked).toBe(false);
  });

  test("protects a balance in every order of the tasks", async () => {
    await overSeeds(50, async (seed) => {
      await simulate(
        async () => {
          const mutex = new Mutex();
          let balance = 0;
          await TaskGroup.run((group) => {
            for (let n = 0; n < 5; n++) {
              group.go(() =>
                mutex.withLock(async () => {
                  const seen = balance;
                  await sleep(1);
                  balance = seen + 1;
                }),
              );
            }
          });
          expect(balance).toBe(5);
        },
        { seed },
      );
    });
  });

  test("refuses a task that is no function at the call", () => {
    expect(thrownBy(() => new Mutex().withLock(3 as never))).toBeInstanceOf(TypeError);
  });
});
