import { sleep } from "concurrency-model-patterns/timers";
import { TaskGroup, type TaskGroupOptions } from "concurrency-model-patterns/task-group";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

/** What a failure carries along. */
function suppressedBy(error: unknown): unknown {
  return (error as { suppressed?: unknown }).suppressed;
}

function raise(error: Error): never {
  throw error;
}

describe("TaskGroup: its context after `wait`", () => {
  const [one, two] = [new Error("one"), new Error("two")];
  const rows: readonly [string, readonly (Error | undefined)[], Error | undefined][] = [
    ["no task", [], undefined],
    ["a task that ends well", [undefined], undefined],
    ["a failure", [one], one],
    ["a failure, and one that ends well", [one, undefined], one],
    ["one that ends well, and a failure", [undefined, two], two],
    ["two failures and one that ends well", [one, undefined, two], one],
  ];
  for (const [name, tasks, first] of rows) {
    inBothRuntimes(
      `has ended with the first failure, or as canceled: ${name}`,
      async () => {
        const group = new TaskGroup();
        for (const [index, error] of tasks.entries())
          group.go(async () => {
            await sleep(index);
            if (error !== undefined) raise(error);
          });
        expect(await ended(group.wait())).toEqual(
          first === undefined ? { value: undefined } : { error: first },
        );
        expect(group.ctx.error?.code).toBe("CANCELED");
        expect(group.ctx.cause).toBe(first ?? group.ctx.error);
      },
      5,
    );
  }

  test("is open while a task runs, and until somebody waits", async () => {
    const group = new TaskGroup();
    await group.go(() => sleep(1)).join();
    expect(group.ctx.error).toBeUndefined();
    await group.wait();
    expect(group.ctx.error?.message).toBe("context canceled");
  });
});

describe("TaskGroup: failures beside the first", () => {
  const fatal = (): Error => new Error("the first");
  const second = new Error("while cleaning up");

  /** A task that fails in its own way when it is told to give up. */
  const clumsy = async (group: TaskGroup): Promise<void> => {
    await ended(sleep(1e6, group.ctx));
    raise(second);
  };

  test.each<[string, (first: Error) => Promise<unknown>, readonly unknown[] | undefined]>([
    [
      "of two tasks",
      (first) =>
        TaskGroup.run((group) => {
          group.go(() => clumsy(group));
          group.go(() => raise(first));
        }),
      [second],
    ],
    [
      "of the body and a task",
      (first) =>
        TaskGroup.run(async (group) => {
          group.go(() => clumsy(group));
          await sleep(0);
          raise(first);
        }),
      [second],
    ],
    [
      "of a task that merely gave up",
      (first) =>
        TaskGroup.run((group) => {
          group.go((ctx) => sleep(1e6, ctx));
          group.go(() => raise(first));
        }),
      undefined,
    ],
    [
      "of the body alone, whose tasks gave up",
      (first) =>
        TaskGroup.run(async (group) => {
          group.go((ctx) => sleep(1e6, ctx));
          await sleep(0);
          raise(first);
        }),
      undefined,
    ],
  ])("are attached to it, and never take its place: %s", async (_, run, suppressed) => {
    const first = fatal();
    const error = await failureOf(run(first));
    expect(error).toBe(first);
    expect(suppressedBy(error)).toEqual(suppressed);
  });

  test.each([3, 1])("are all there when they are collected, with %i at once", async (concurrency) => {
    const errors = [1, 2, 3].map((n) => new Error(`${n}`));
    const group = new TaskGroup({ errors: "collect", concurrency });
    const handles = errors.map((error) => group.go(() => raise(error)));
    expect(await failureOf(group.wait())).toMatchObject({ errors });
    expect(await Promise.all(handles.map((handle) => failureOf(handle.join())))).toEqual(errors);
  });
});

describe("TaskGroup: a cancellation from outside", () => {
  test("does not hide a failure that comes after it", async () => {
    const controller = new AbortController();
    const failure = new Error("while cleaning up");
    const group = new TaskGroup(controller);
    group.go((ctx) => sleep(1e6, ctx));
    group.go(async (ctx) => {
      await ended(sleep(1e6, ctx));
      await sleep(1);
      raise(failure);
    });
    await sleep(0);
    controller.abort();
    const error = await failureOf(group.wait());
    expect([error, suppressedBy(error)]).toEqual([failure, [controller.signal.reason]]);
    expect(group.errors).toEqual([controller.signal.reason, failure]);
  });

  test("is what `wait` throws if nothing else went wrong", async () => {
    const controller = new AbortController();
    const group = new TaskGroup(controller);
    group.go((ctx) => sleep(1e6, ctx));
    await sleep(0);
    controller.abort();
    expect(await failureOf(group.wait())).toBe(controller.signal.reason);
  });
});

describe("TaskGroup: what is put away around it", () => {
  /** Something that is put away when its block is left, and fails then if it is told to. */
  const thing = (name: string, trail: string[], error?: Error): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => {
      trail.push(`${name} …`);
      await sleep(2);
      trail.push(name);
      if (error !== undefined) raise(error);
    },
  });

  const program = async (trail: string[], own: Error | undefined, failures: readonly Error[]) => {
    await using first = thing("first", trail, failures[0]);
    await using second = thing("second", trail, failures[1]);
    await TaskGroup.run(async (group) => {
      expect([first, second]).toHaveLength(2);
      group.go(async (ctx) => {
        await ended(sleep(own === undefined ? 3 : 1e6, ctx));
        await sleep(3);
        trail.push("task");
      });
      await sleep(1);
      if (own !== undefined) raise(own);
    });
  };

  inBothRuntimes(
    "is put away when its tasks have ended, in reverse and one after the other, also if the body throws",
    async () => {
      const own = new Error("of the body");
      for (const error of [undefined, own]) {
        const trail: string[] = [];
        expect(await ended(program(trail, error, []))).toEqual(
          error === undefined ? { value: undefined } : { error },
        );
        expect(trail).toEqual(["task", "second …", "second", "first …", "first"]);
      }
    },
    5,
  );

  inBothRuntimes(
    "hides no failure if it fails on its way out: each has the one before as its `suppressed`",
    async () => {
      const [own, one, two] = [new Error("of the body"), new Error("one"), new Error("two")] as const;
      expect(await failureOf(program([], own, [one, two]))).toMatchObject({
        error: one,
        suppressed: { error: two, suppressed: own },
      });
    },
    5,
  );
});

describe("TaskGroup: its limit", () => {
  test("is read once: changing the options later changes nothing", async () => {
    const options = { concurrency: 1, capacity: 1 };
    const group = new TaskGroup(options satisfies TaskGroupOptions);
    const first = group.go(() => sleep(1));
    Object.assign(options, { concurrency: 5, capacity: 5 });
    group.go(() => {});
    expect([group.active, group.waiting, group.tryGo(() => {})]).toEqual([1, 1, undefined]);
    expect(thrownBy(() => group.go(() => {}))).toMatchObject({ code: "FULL" });
    await first.join();
    await group.wait();
  });

  test.each([0, -1])("is never %i, which would let no task run: no limit is Infinity", (concurrency) => {
    expect(thrownBy(() => new TaskGroup({ concurrency }))).toBeInstanceOf(RangeError);
    expect(new TaskGroup({ concurrency: Number.POSITIVE_INFINITY }).active).toBe(0);
  });
});
