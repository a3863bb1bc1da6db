import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { log, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { listenersOf } from "../support/listeners.ts";
import { failureOf } from "../support/outcomes.ts";

const silent = (): Promise<never> => new Promise(() => {});

describe("a simulation that fails", () => {
  test.each<[string, (ctx: Context) => unknown, string]>([
    ["it waits for I/O that never answers", (ctx) => withCancel(ctx) && silent(), "STALLED"],
    ["a task of it does", (ctx) => TaskGroup.run((group) => group.go(silent).join(), ctx), "STALLED"],
    ["all of it is blocked", (ctx) => new Channel().receive(ctx), "DEADLOCK"],
  ])("as %s ends the context of its program, which lets go of what is outside", async (_, body, code) => {
    const outside = new AbortController();
    let inside: Context = background;
    let told = 0;
    const program = (ctx: Context): unknown => {
      inside = ctx;
      ctx.signal.addEventListener("abort", () => void told++, { once: true });
      return body(ctx);
    };
    const error = await failureOf(
      simulate(program, { signal: outside.signal, seed: 1, externalTimeoutMs: 1 }),
    );
    expect(error).toMatchObject({ code });
    expect([inside.cause, told]).toEqual([error, 1]);
    expect([listenersOf(inside.signal), listenersOf(outside.signal)]).toEqual([0, 0]);
  });

  test("lets its program unwind where it belongs: it gets no further than its next wait, and logs nothing", async () => {
    const trail: string[] = [];
    const events: RunEvent[] = [];
    const program = async (ctx: Context): Promise<void> => {
      try {
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.cause)));
      } finally {
        trail.push("unwinds");
        log("too late");
        await sleep(0);
        trail.push("goes on");
      }
    };
    const onEvent = (event: RunEvent): void => void events.push(event);
    await failureOf(simulate(program, { seed: 1, externalTimeoutMs: 1, onEvent }));
    await sleep(5);
    expect(trail).toEqual(["unwinds"]);
    expect(events.filter(({ k }) => k === "log")).toEqual([]);
    expect(events.at(-1)).toMatchObject({ k: "run.end", how: "error" });
  });

  test("has a log that ends with its end, although I/O of it comes later", async () => {
    const events: RunEvent[] = [];
    const late = new Promise<void>((resolve) => setTimeout(resolve, 10));
    const program = async (): Promise<void> => {
      const channel = new Channel<number>(1);
      await late;
      channel.trySend(1);
    };
    const onEvent = (event: RunEvent): void => void events.push(event);
    const error = await failureOf(simulate(program, { seed: 1, externalTimeoutMs: 1, onEvent }));
    await late;
    await sleep(0);
    expect(error).toMatchObject({ code: "STALLED" });
    expect(events.at(-1)).toMatchObject({ k: "run.end" });
  });
});
