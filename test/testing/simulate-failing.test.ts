import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { MisuseError } from "concurrency-model-patterns/errors";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { log, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { listenersOf } from "../support/listeners.ts";
import { failureOf } from "../support/outcomes.ts";

const silent = (): Promise<never> => new Promise(() => {});

/** Fails when the other has begun to wait. */
async function failBeside(wait: () => Promise<unknown>): Promise<void> {
  void wait();
  await sleep(1);
  throw new MisuseError("no");
}

function runInPool(signal: AbortSignal): Promise<unknown> {
  const pool = new WorkerPool(() => new Channel<number>().receive(), { workers: 1, signal });
  return pool.run(undefined, { signal });
}

/** Waits for the end of its context, outside of what the simulation knows, and goes on. */
async function unwindInto(next: () => unknown, ctx: Context): Promise<void> {
  await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve, { once: true }));
  next();
}

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

  const never = (signal: AbortSignal): Promise<unknown> => new Channel<number>().receive({ signal });
  test.each<[string, (signal: AbortSignal, ctx: Context) => unknown, string]>([
    ["whose program waits on it", never, "DEADLOCK"],
    [
      "of which a task waits on it",
      (signal) => TaskGroup.run((group) => group.go(() => never(signal))),
      "DEADLOCK",
    ],
    [
      "that leaves a task behind which waits on it",
      (signal) => void new TaskGroup().go(() => never(signal)),
      "LEAK",
    ],
    ["that has a context below it", (signal) => withCancel({ signal }) && silent(), "STALLED"],
    ["that has a group and a pool below it", (signal) => runInPool(signal), "DEADLOCK"],
    ["that throws beside a wait on it", (signal) => failBeside(() => never(signal)), "MISUSE"],
    [
      "that makes a context below it on its way out",
      (signal, ctx) => unwindInto(() => withCancel({ signal }), ctx),
      "STALLED",
    ],
  ])("leaves no listener on a signal of outside: one %s", async (_, body, code) => {
    const outside = new AbortController();
    const program = (ctx: Context): unknown => body(outside.signal, ctx);
    expect(await failureOf(simulate(program, { seed: 1, externalTimeoutMs: 1 }))).toMatchObject({ code });
    expect(listenersOf(outside.signal)).toBe(0);
  });

  test("takes nothing from others who wait on the same signal", async () => {
    const outside = new AbortController();
    const waiting = failureOf(never(outside.signal));
    await failureOf(simulate(() => never(outside.signal), { seed: 1 }));
    expect(listenersOf(outside.signal)).toBe(1);
    outside.abort("enough");
    expect([await waiting, listenersOf(outside.signal)]).toEqual(["enough", 0]);
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
    let comeLate = (): void => {};
    const late = new Promise<void>((resolve) => {
      comeLate = resolve;
    });
    const program = async (): Promise<void> => {
      const channel = new Channel<number>(1);
      await late;
      channel.trySend(1);
    };
    const onEvent = (event: RunEvent): void => void events.push(event);
    const error = await failureOf(simulate(program, { seed: 1, externalTimeoutMs: 1, onEvent }));
    comeLate();
    await sleep(0);
    expect(error).toMatchObject({ code: "STALLED" });
    expect(events.at(-1)).toMatchObject({ k: "run.end" });
  });
});
