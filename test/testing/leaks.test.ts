import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type Leak, leaks, type Program } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { listenersOf } from "../support/leftovers.ts";

const leftBy = (program: Program<unknown>): Promise<readonly Leak[]> => leaks(program, { seed: 1 });

describe("leaks", () => {
  test("are none of a program that cleans up", async () => {
    const program = async (): Promise<void> => {
      const { signal } = new AbortController();
      const { ctx, cancel } = withTimeout({ signal }, 1000);
      const channel = new Channel<number>();
      await TaskGroup.run((group) => {
        group.go(() => channel.send(1, ctx));
        group.go(() => channel.receive({ signal }));
      });
      cancel();
    };
    expect(await leftBy(program)).toEqual([]);
  });

  test("are tasks that have not ended, with what they wait for", async () => {
    const program = (): void => {
      const group = new TaskGroup();
      group.go(() => new Channel(0, { name: "silent" }).receive(), { name: "stray" });
    };
    expect(await leftBy(program)).toEqual([
      { kind: "task", text: "stray (task 1): recv on silent (no other live task has used it)" },
    ]);
  });

  test("are waits that their task has left alone", async () => {
    const program = (): void => void new Channel(0, { name: "silent" }).send(1);
    expect(await leftBy(program)).toEqual([
      { kind: "wait", text: "main (task 0): send on silent (no other live task has used it)" },
    ]);
  });

  test("are no waits that come to an end by themselves", async () => {
    const program = (): void => {
      const channel = new Channel<number>();
      void channel.send(1);
      void channel.receive();
    };
    expect(await leftBy(program)).toEqual([]);
  });

  test("are timers that are set, and listeners on signals of outside, and neither is left in the host", async () => {
    const controller = new AbortController();
    const program = async (): Promise<void> => {
      await sleep(1);
      withTimeout(background, 500);
      withCancel({ signal: controller.signal });
    };
    expect(await leftBy(program)).toEqual([
      { kind: "timer", text: "a timer of main, due at 501 ms" },
      { kind: "listener", text: "a listener for the abort of a signal" },
    ]);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("are not looked for in a program that fails", async () => {
    const failure = new Error("no");
    await expect(leftBy(() => Promise.reject(failure))).rejects.toBe(failure);
    await expect(leftBy(() => new Channel().receive())).rejects.toMatchObject({ code: "DEADLOCK" });
  });

  test("want a program", () => {
    // @ts-expect-error it is none
    expect(() => leaks(1)).toThrow("program must be a function");
  });
});
