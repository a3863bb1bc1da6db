import { background, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { inEveryOrder } from "../support/explored.ts";
import { ended } from "../support/outcomes.ts";
import { check, gate, how, sorted, step, together } from "../support/programs.ts";

inEveryOrder("a mutex", {
  "a mutex makes a section of several steps whole": async () => {
    const [mutex, other] = [new Mutex(), gate()];
    let count = 0;
    const add = (): Promise<void> =>
      mutex.withLock(async () => {
        const seen = count;
        await other.acquire();
        count = seen + 1;
      });
    await together(add, add);
    check(count === 2, `${count}`);
  },
  "three sections of several steps are whole": async () => {
    const mutex = new Mutex();
    let count = 0;
    const add = (): Promise<void> =>
      mutex.withLock(async () => {
        const seen = count;
        await step();
        count = seen + 1;
      });
    await together(add, add, add);
    check(count === 3, `${count}`);
  },
  "a mutex is free again after a failure": async () => {
    const mutex = new Mutex();
    await together(
      () => ended(mutex.withLock(() => Promise.reject(new Error("no")))),
      () => mutex.withLock(() => {}),
    );
    check(!mutex.locked && mutex.waiting === 0, "still locked");
  },
  "two locks in one order do not block": async () => {
    const [a, b] = [new Mutex(), new Mutex()];
    const both = (): Promise<void> => a.withLock(() => b.withLock(() => {}));
    await together(both, both);
  },
  "a try never waits and never takes a second permit": async () => {
    const mutex = new Mutex();
    let holders = 0;
    const attempt = async (): Promise<void> => {
      const unlock = mutex.tryLock();
      if (unlock === undefined) return;
      check(++holders === 1, "two holders");
      await gate().acquire();
      holders--;
      unlock();
    };
    await together(attempt, attempt);
  },
  "who comes first, of three, is served first": async () => {
    const mutex = new Mutex();
    const [came, served]: [string[], string[]] = [[], []];
    const unlock = mutex.tryLock();
    const visit = (name: string) => (): Promise<void> => {
      const locked = mutex.withLock(() => void served.push(name));
      came.push(name);
      return locked;
    };
    await together(visit("a"), visit("b"), () => unlock?.());
    check(sorted(served) === "a,b" && came.length === 2, served.join());
  },
  "a cancelled lock is never held, and the next one gets it": [
    async () => {
      const mutex = new Mutex();
      const { ctx, cancel } = withCancel(background);
      const unlock = mutex.tryLock();
      let end = "";
      await together(
        async () => {
          end = await how(mutex.withLock(() => {}, ctx));
        },
        () => mutex.withLock(step),
        () => cancel(),
        () => unlock?.(),
      );
      check(!mutex.locked && mutex.waiting === 0, "still locked");
      return end;
    },
    "canceled",
    "ok",
  ],
});
