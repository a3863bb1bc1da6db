import { Cond } from "concurrency-model-patterns/cond";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { explore } from "concurrency-model-patterns/testing";
import { expect, test } from "vitest";
import { inEveryOrder } from "../support/explored.ts";
import { failureOf } from "../support/outcomes.ts";
import { check, how, sorted, together } from "../support/programs.ts";

/** What a store of one shelf needs. */
class Shelf {
  readonly mutex = new Mutex();
  readonly changed = new Cond(this.mutex);
  readonly items: number[] = [];

  readonly take = (): Promise<number | undefined> =>
    this.changed.withLockWhen(
      () => this.items.length > 0,
      () => this.items.shift(),
    );

  readonly put = (item: number): Promise<void> =>
    this.mutex.withLock(() => {
      this.items.push(item);
      this.changed.signal();
    });

  empty(): void {
    check(!this.mutex.locked && this.changed.waiting === 0 && this.mutex.waiting === 0, "somebody is left");
  }
}

inEveryOrder("a condition", {
  "a signal is not lost between the look and the wait": async () => {
    const shelf = new Shelf();
    let got: unknown;
    await together(
      async () => {
        got = await shelf.take();
      },
      () => shelf.put(7),
    );
    check(got === 7, String(got));
    shelf.empty();
  },
  "two signals serve two": async () => {
    const shelf = new Shelf();
    const got: unknown[] = [];
    const take = async (): Promise<void> => void got.push(await shelf.take());
    await together(take, take, async () => {
      await shelf.put(1);
      await shelf.put(2);
    });
    check(sorted(got) === "1,2", got.join());
    shelf.empty();
  },
  "a broadcast wakes all": async () => {
    const mutex = new Mutex();
    const opened = new Cond(mutex);
    let open = false;
    let through = 0;
    const pass = (): Promise<void> =>
      opened.withLockWhen(
        () => open,
        () => void through++,
      );
    await together(pass, pass, async () => {
      const unlock = await mutex.lock();
      open = true;
      unlock();
      opened.broadcast();
    });
    check(through === 2 && opened.waiting === 0, `${through}`);
  },
  "the lock is held after a wait, by one alone": async () => {
    const shelf = new Shelf();
    let holders = 0;
    const hold = async (): Promise<void> => {
      const unlock = await shelf.changed.lockWhen(() => shelf.items.length > 0);
      check(++holders === 1 && shelf.mutex.locked, `${holders}`);
      holders--;
      unlock();
    };
    await together(hold, hold, async () => {
      await shelf.mutex.withLock(() => void shelf.items.push(1));
      shelf.changed.broadcast();
    });
    shelf.empty();
  },
  "a signal to one who is cancelled goes to the next": [
    async () => {
      const shelf = new Shelf();
      const { ctx, cancel } = withCancel(background);
      const ends: string[] = [];
      const pass = async (given: Context): Promise<void> => {
        const full = (): boolean => shelf.items.length > 0;
        ends.push(await how(shelf.changed.withLockWhen(full, () => {}, given)));
        shelf.changed.signal();
      };
      const passes = [pass(ctx), pass(background)];
      await together(
        () => cancel(),
        () => shelf.put(1),
      );
      await Promise.all(passes);
      shelf.empty();
      return sorted(ends);
    },
    "canceled,ok",
    "ok,ok",
  ],
  "who is cancelled does not hold the lock": [
    async () => {
      const mutex = new Mutex();
      const never = new Cond(mutex);
      const { ctx, cancel } = withCancel(background);
      let end = "";
      await together(
        async () => {
          const unlock = await mutex.lock();
          const woken = never.wait(unlock, ctx);
          end = await how(woken);
          if (end === "ok") (await woken)();
        },
        () => mutex.withLock(() => never.signal()),
        () => cancel(),
      );
      check(!mutex.locked && never.waiting === 0, "still locked");
      return end;
    },
    "canceled",
    "ok",
  ],
  "a condition that throws leaves the lock free": async () => {
    const shelf = new Shelf();
    let end = "";
    await together(
      async () => {
        const failing = (): boolean => {
          throw new Error("no");
        };
        end = await how(shelf.changed.lockWhen(failing));
      },
      () => shelf.put(1),
    );
    check(end === "Error: no", end);
    shelf.empty();
  },
});

test("a change that is not made under the lock is missed in some order, between the look and the wait", async () => {
  const careless = (): Promise<void> => {
    const mutex = new Mutex();
    const opened = new Cond(mutex);
    let open = false;
    return together(
      () => opened.lockWhen(() => open),
      () => {
        open = true;
        opened.broadcast();
      },
    );
  };
  expect(await failureOf(explore(careless))).toMatchObject({ cause: { code: "DEADLOCK" } });
});
