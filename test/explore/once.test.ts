import { background, withCancel } from "concurrency-model-patterns/context";
import { onceValue } from "concurrency-model-patterns/once";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, step, together } from "../support/programs.ts";

/** Work that says how often it has run. */
function counted(): { readonly load: ReturnType<typeof onceValue<number>>; readonly runs: () => number } {
  let runs = 0;
  const load = onceValue(async () => {
    runs++;
    await step();
    return runs;
  });
  return { load, runs: () => runs };
}

inEveryOrder("work that is done once", {
  "two callers share one run": async () => {
    const { load, runs } = counted();
    const call = async (): Promise<void> => check((await load()) === 1, "a second run");
    await together(call, call);
    check(runs() === 1, `${runs()}`);
  },
  "three callers share one run": async () => {
    const { load, runs } = counted();
    const call = async (): Promise<void> => check((await load()) === 1, "a second run");
    await together(call, call, call);
    check(runs() === 1, `${runs()}`);
  },
  "a failure is everybody's, and is not tried again": async () => {
    let runs = 0;
    const load = onceValue(() => Promise.reject(new Error(`no ${++runs}`)));
    const call = async (): Promise<void> => check((await how(load())) === "Error: no 1", "not the failure");
    await together(call, call);
    check(runs === 1, `${runs}`);
  },
  "work that throws at once is as one that fails later": async () => {
    const load = onceValue(() => {
      throw new Error("no");
    });
    const call = async (): Promise<void> => check((await how(load())) === "Error: no", "not the failure");
    await together(call, call, step);
  },
  "a caller who is cancelled leaves, and the work goes on": [
    async () => {
      const { load, runs } = counted();
      const { ctx, cancel } = withCancel(background);
      let end = "";
      await together(
        async () => {
          end = await how(load(ctx));
        },
        load,
        () => cancel(),
      );
      check(runs() === 1, `${runs()}`);
      return end;
    },
    "canceled",
    "ok",
  ],
  "a call that is given up before it begins starts nothing": [
    async () => {
      const { load, runs } = counted();
      const { ctx, cancel } = withCancel(background);
      await together(
        () => how(load(ctx)),
        () => cancel(),
        step,
      );
      await step();
      return `${runs()}`;
    },
    "0",
    "1",
  ],
  "who comes late gets the value at once": async () => {
    const { load } = counted();
    await together(async () => {
      await load();
      check((await load()) === 1, "a second run");
    }, load);
  },
});
