import { afterFunc, background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inEveryOrder } from "../support/explored.ts";
import { check, step, together } from "../support/programs.ts";

inEveryOrder("a function after the end of a context", {
  "is called once, however many end it": async () => {
    const { ctx, cancel } = withCancel(background);
    let calls = 0;
    afterFunc(ctx, () => void calls++);
    await together(cancel, cancel, step);
    await sleep(1);
    check(calls === 1, `${calls}`);
  },
  "is called, or taken back": [
    async () => {
      const { ctx, cancel } = withCancel(background);
      let calls = 0;
      const stop = afterFunc(ctx, () => void calls++);
      let prevented = false;
      await together(cancel, step, () => {
        prevented = stop();
      });
      await sleep(1);
      check(calls === (prevented ? 0 : 1), `${calls}`);
      return String(prevented);
    },
    "false",
    "true",
  ],
  "of several that take it back, one at most has prevented it": [
    async () => {
      const { ctx, cancel } = withCancel(background);
      let calls = 0;
      let prevented = 0;
      const stop = afterFunc(ctx, () => void calls++);
      const tryStop = (): void => {
        if (stop()) prevented++;
      };
      await together(cancel, tryStop, tryStop);
      await sleep(1);
      check(calls + prevented === 1, `${calls} and ${prevented}`);
      return `${calls}`;
    },
    "0",
    "1",
  ],
  "one that is taken back leaves the other": async () => {
    const { ctx, cancel } = withCancel(background);
    const called: string[] = [];
    const stop = afterFunc(ctx, () => void called.push("a"));
    afterFunc(ctx, () => void called.push("b"));
    let prevented = false;
    await together(cancel, () => {
      prevented = stop();
    });
    await sleep(1);
    check(called.includes("b") && called.includes("a") !== prevented, called.join());
  },
  "registered before or after the end, is called all the same": async () => {
    const { ctx, cancel } = withCancel(background);
    let calls = 0;
    const register = async (): Promise<void> => {
      await step();
      afterFunc(ctx, () => void calls++);
    };
    await together(register, register, cancel);
    await sleep(1);
    check(calls === 2, `${calls}`);
  },
  "is a task of its own, which may wait": async () => {
    const { ctx, cancel } = withCancel(background);
    let inside = true;
    let end = 0;
    afterFunc(ctx, async () => {
      check(!inside, "called inside");
      await sleep(3);
      end = now();
    });
    await together(step, () => {
      cancel();
      inside = false;
    });
    await sleep(5);
    check(end === 3, `${end}`);
  },
  "comes with a deadline too": [
    async () => {
      const { ctx, cancel } = withTimeout(background, 2);
      let at = -1;
      afterFunc(ctx, () => {
        at = now();
      });
      await together(
        async () => {
          await sleep(2);
          cancel();
        },
        () => sleep(2),
      );
      await sleep(1);
      check(at === 2, `${at}`);
      return ctx.error?.code ?? "";
    },
    "CANCELED",
    "TIMEOUT",
  ],
});
