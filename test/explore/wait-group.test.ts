import { background, withCancel } from "concurrency-model-patterns/context";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, step, together } from "../support/programs.ts";

inEveryOrder("a wait group", {
  "who waits goes on when all are done, not before": async () => {
    const group = new WaitGroup();
    group.add(2);
    let done = 0;
    const work = async (): Promise<void> => {
      await step();
      done++;
      group.done();
    };
    await together(work, work, async () => {
      await group.wait();
      check(done === 2, `${done}`);
    });
  },
  "all who wait are woken": async () => {
    const group = new WaitGroup();
    group.add();
    let woken = 0;
    const wait = async (): Promise<void> => {
      await group.wait();
      check(group.count === 0, `${group.count}`);
      woken++;
    };
    await together(wait, wait, wait, () => group.done());
    check(woken === 3 && group.waiting === 0, `${woken}`);
  },
  "nobody waits for nothing": async () => {
    const group = new WaitGroup();
    await together(
      () => group.wait(),
      () => group.wait(),
      step,
    );
  },
  "it can be used again": async () => {
    const group = new WaitGroup();
    const rounds: number[] = [];
    const work = async (): Promise<void> => {
      await step();
      group.done();
    };
    for (const round of [1, 2]) {
      group.add();
      await together(work, async () => {
        await group.wait();
        rounds.push(round);
      });
    }
    check(rounds.join() === "1,2", rounds.join());
  },
  "adding before one is done keeps it waiting": async () => {
    const group = new WaitGroup();
    group.add();
    let second = false;
    await together(
      async () => {
        group.add();
        group.done();
        await step();
        second = true;
        group.done();
      },
      async () => {
        await group.wait();
        check(second, "too early");
      },
    );
  },
  "who is cancelled leaves, and the counter stays": [
    async () => {
      const group = new WaitGroup();
      group.add();
      const { ctx, cancel } = withCancel(background);
      let end = "";
      await together(
        async () => {
          end = await how(group.wait(ctx));
        },
        () => cancel(),
        () => group.done(),
        () => group.wait(),
      );
      check(group.count === 0 && group.waiting === 0, `${group.count}`);
      return end;
    },
    "canceled",
    "ok",
  ],
  "one done too many fails, and changes nothing": [
    async () => {
      const group = new WaitGroup();
      group.add();
      const ends: string[] = [];
      const finish = async (): Promise<void> => {
        await step();
        ends.push(await how(Promise.resolve().then(() => group.done())));
      };
      await together(finish, finish);
      check(group.count === 0, `${group.count}`);
      return ends.join();
    },
    "ok,misuse",
  ],
});
