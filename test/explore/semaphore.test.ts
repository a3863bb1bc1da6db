import { background, withCancel } from "concurrency-model-patterns/context";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { inEveryOrder } from "../support/explored.ts";
import { ended } from "../support/outcomes.ts";
import { check, gate, how, sorted, step, together } from "../support/programs.ts";

inEveryOrder("a semaphore", {
  "no more get in than there are permits": async () => {
    const [semaphore, other] = [new Semaphore(2), gate()];
    let inside = 0;
    const enter = (): Promise<void> =>
      semaphore.withPermit(async () => {
        check(++inside <= 2, `${inside} inside`);
        await other.acquire();
        inside--;
      });
    await TaskGroup.run((group) => {
      for (let n = 0; n < 3; n++) group.go(enter);
    });
    check(semaphore.available === 2, "a permit is lost");
  },
  "a cancelled acquire holds nothing": async () => {
    const semaphore = new Semaphore(1);
    const { ctx, cancel } = withCancel(background);
    await together(
      async () => void (await ended(semaphore.withPermit(() => {}, ctx))),
      () => semaphore.withPermit(() => {}),
      () => cancel(),
    );
    check(semaphore.available === 1 && semaphore.waiting === 0, "a permit is lost");
  },
  "a cancelled large acquire lets a small one in": async () => {
    const semaphore = new Semaphore(2);
    const held = semaphore.tryAcquire(1);
    const { ctx, cancel } = withCancel(background);
    await together(
      async () => {
        const release = await semaphore.acquire(2, ctx).catch(() => undefined);
        release?.();
      },
      async () => (await semaphore.acquire(1))(),
      () => cancel(),
    );
    held?.();
    check(semaphore.available === 2, "a permit is lost");
  },
  "small and large together never hold more than there is": async () => {
    const semaphore = new Semaphore(2);
    let held = 0;
    const hold = (weight: number) => async (): Promise<void> => {
      const release = await semaphore.acquire(weight);
      held += weight;
      check(held <= 2, `${held} held`);
      await step();
      held -= weight;
      release();
    };
    await together(hold(1), hold(2), hold(1));
    check(semaphore.available === 2, "a permit is lost");
  },
  "a large one is not overtaken by a small one that came later": async () => {
    const semaphore = new Semaphore(2);
    const release = semaphore.tryAcquire(1);
    const served: string[] = [];
    await together(
      async () => {
        const large = semaphore.acquire(2);
        const small = semaphore.acquire(1);
        const ends = [large, small].map(async (acquired, index) => {
          const free = await acquired;
          served.push(index === 0 ? "large" : "small");
          free();
        });
        await Promise.all(ends);
      },
      () => release?.(),
    );
    check(served.join() === "large,small", served.join());
  },
  "a resize lets in those who fit, and fails those who never will": [
    async () => {
      const semaphore = new Semaphore(2);
      const ends: string[] = [];
      const hold = async (weight: number): Promise<void> => {
        const release = await semaphore.acquire(weight);
        await step();
        release();
      };
      const note = (weight: number) => async (): Promise<void> => {
        const end = hold(weight);
        ends.push(`${weight} ${await how(end)}`);
      };
      await together(note(2), note(1), () => semaphore.resize(1));
      check(semaphore.available === 1 && semaphore.waiting === 0, "a permit is lost");
      return sorted(ends);
    },
    "1 ok,2 RangeError: weight must be a whole number from 1 to 1, got 2",
    "1 ok,2 limit",
    "1 ok,2 ok",
  ],
  "a resize down takes nothing away, and holds new ones back": async () => {
    const semaphore = new Semaphore(2);
    let inside = 0;
    let resized = false;
    const enter = async (): Promise<void> => {
      const release = await semaphore.acquire();
      const limit = resized ? 1 : 2;
      check(++inside <= limit || semaphore.available === 0, `${inside} inside`);
      await step();
      inside--;
      release();
    };
    await together(enter, enter, () => {
      resized = true;
      semaphore.resize(1);
    });
    check(semaphore.available === 1, `${semaphore.available}`);
  },
  "a resize up lets in who waits": async () => {
    const semaphore = new Semaphore(1);
    const release = semaphore.tryAcquire();
    await together(
      async () => (await semaphore.acquire())(),
      async () => (await semaphore.acquire())(),
      () => semaphore.resize(3),
    );
    check(semaphore.available === 2 && semaphore.waiting === 0, `${semaphore.available}`);
    release?.();
  },
});
