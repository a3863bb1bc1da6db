import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, step, together } from "../support/programs.ts";

inEveryOrder("timers", {
  "never fire early, and in the order of their time": async () => {
    const woken: number[] = [];
    const wait = (ms: number) => async (): Promise<void> => {
      const start = now();
      await sleep(ms);
      check(now() - start === ms, `${now() - start}`);
      woken.push(ms);
    };
    await together(wait(3), wait(1), wait(2));
    check(woken.join() === "1,2,3", woken.join());
  },
  "of one instant fire in any order": [
    async () => {
      let woken = "";
      const wait = (name: string) => async (): Promise<void> => {
        await sleep(1);
        woken += name;
      };
      await together(wait("a"), wait("b"));
      return woken;
    },
    "ab",
    "ba",
  ],
  "time does not pass while somebody can go on": async () => {
    await together(
      async () => {
        for (let n = 0; n < 4; n++) await step();
        check(now() === 0, `${now()}`);
      },
      () => sleep(1),
    );
  },
  "a sleep that is cancelled ends at once, or has ended": [
    async () => {
      const { ctx, cancel } = withCancel(background);
      let end = "";
      await together(
        async () => {
          end = `${await how(sleep(2, ctx))} ${now()}`;
        },
        async () => {
          await sleep(2);
          cancel();
        },
        () => sleep(1),
      );
      return end;
    },
    "canceled 2",
    "ok 2",
  ],
  "a sleep beyond a deadline ends with it": [
    async () => {
      let end = "";
      await together(
        async () => {
          const { ctx } = withTimeout(background, 2);
          end = `${await how(sleep(3, ctx))} ${now()}`;
        },
        () => sleep(2),
      );
      return end;
    },
    "timeout 2",
  ],
  "a ticker loses ticks, not time": [
    async () => {
      const ticker = new Ticker(2);
      const ticks: (number | undefined)[] = [];
      await together(async () => {
        ticks.push((await ticker.receive()).value);
        await sleep(5);
        ticks.push((await ticker.receive()).value);
        ticker.stop();
      }, step);
      return ticks.join();
    },
    "2,4",
  ],
  "a ticker that is stopped ticks no more": [
    async () => {
      const ticker = new Ticker(2);
      await together(
        async () => {
          await sleep(2);
          ticker.stop();
        },
        () => sleep(4),
      );
      return `${ticker.tryReceive()?.value}`;
    },
    "2",
    "undefined",
  ],
});
