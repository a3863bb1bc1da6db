import { Channel } from "concurrency-model-patterns/channel";
import {
  afterFunc,
  background,
  ContextKey,
  withCancel,
  withDeadline,
  withTimeout,
  withValue,
} from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import { ended } from "../support/outcomes.ts";
import { inEveryOrder } from "../support/explored.ts";
import { check, gate, together } from "../support/programs.ts";

inEveryOrder("a context", {
  "an end reaches who waits below": async () => {
    const { ctx, cancel } = withCancel(background);
    const child = withCancel(ctx).ctx;
    await together(
      () => ended(new Channel().receive(child)),
      () => ended(sleep(1e9, child)),
      () => cancel(),
    );
    check(now() === 0 && child.error?.code === "CANCELED", "it slept");
  },
  "the first of two ends wins": async () => {
    const { ctx, cancel } = withCancel(background);
    const ends: string[] = [];
    const end = (name: string) => () => {
      ends.push(name);
      cancel(name);
    };
    await together(end("a"), end("b"));
    check(ctx.cause === ends[0], String(ctx.cause));
  },
  "ends by its deadline or by hand, and never as the other": async () => {
    const { ctx, cancel } = withTimeout(background, 5);
    await together(
      async () => {
        await sleep(5);
        cancel();
      },
      () => ended(new Channel().receive(ctx)),
    );
    check(now() === 5 && ["CANCELED", "TIMEOUT"].includes(ctx.error?.code ?? ""), `${ctx.error?.code}`);
  },
  "a child's end leaves its parent": async () => {
    const parent = withCancel(background);
    const child = withDeadline(parent.ctx, 1);
    await together(
      () => child.cancel(),
      () => ended(sleep(3, child.ctx)),
      () => sleep(2, parent.ctx),
    );
    check(parent.ctx.error === undefined && child.ctx.error !== undefined, "the parent has ended");
    parent.cancel();
  },
  "a callback at the end is called once, or prevented": async () => {
    const { ctx, cancel } = withCancel(background);
    let calls = 0;
    const stop = afterFunc(ctx, () => void calls++);
    let prevented = false;
    await together(
      () => cancel(),
      () => {
        prevented = stop();
      },
    );
    await sleep(1);
    check(calls === (prevented ? 0 : 1), `${calls} calls, ${prevented}`);
  },
  "a value is there in every task": async () => {
    const user = new ContextKey<string>("user");
    const ctx = withValue(background, user, "ada");
    await TaskGroup.run((group) => {
      for (let n = 0; n < 2; n++) group.go((inner) => check(inner.value(user) === "ada", "no user"));
    }, ctx);
  },
  "who waits after the end does not wait": async () => {
    const { ctx, cancel } = withCancel(background);
    let cancelled = 0;
    const wait = async (): Promise<void> => {
      if ("error" in (await ended(gate().acquire(1, ctx)))) cancelled++;
      check("error" in (await ended(new Channel().receive(ctx))), "a value from nowhere");
    };
    await together(wait, wait, () => cancel());
    check(cancelled <= 2, `${cancelled}`);
  },
});
