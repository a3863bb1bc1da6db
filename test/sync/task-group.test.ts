import { AsyncLocalStorage } from "node:async_hooks";
import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { TaskGroup, type TaskHandle } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const boom = new Error("boom");
const fail = (error: unknown): never => {
  throw error;
};

/** Somebody else's promise: an object with a method `then`, whatever that does. */
function thenable(then: (yes: () => void, no: (error: unknown) => void) => void): object {
  // oxlint-disable-next-line unicorn/no-thenable -- a foreign thenable is what is tested
  return Object.defineProperty({}, "then", { value: then });
}

describe("TaskGroup: wait", () => {
  inBothRuntimes("returns when every task has ended, and not before", async () => {
    const group = new TaskGroup();
    let over = 0;
    for (let n = 0; n < 5; n++) {
      group.go(async () => {
        await sleep(n % 3);
        over++;
      });
    }
    await group.wait();
    expect([over, group.active, group.waiting]).toEqual([5, 0, 0]);
    expect(group.ctx.error?.message).toBe("context canceled");
  });

  inBothRuntimes(
    "waits for tasks that tasks start",
    async () => {
      const group = new TaskGroup();
      let over = 0;
      const grow = (depth: number): void => {
        group.go(async () => {
          await settle();
          over++;
          if (depth > 0) grow(depth - 1);
        });
      };
      grow(4);
      await group.wait();
      expect(over).toBe(5);
    },
    50,
  );

  test("waits for a task that was accepted while it was on its way, in any order", async () => {
    await overSeeds(100, async (seed) => {
      await simulate(
        async () => {
          const group = new TaskGroup();
          const outside = new TaskGroup();
          const first = group.go(() => {});
          let late: TaskHandle<string> | undefined;
          outside.go(async () => {
            await first.join();
            await ended(
              Promise.resolve().then(() => (late = group.go(async () => (await sleep(1), "late")))),
            );
          });
          await group.wait();
          expect([group.active, late === undefined || late.outcome]).toEqual([
            0,
            late === undefined || { ok: true, value: "late" },
          ]);
          await outside.wait();
        },
        { seed },
      );
    });
  });

  inBothRuntimes(
    "throws the first failure, again and again",
    async () => {
      const group = new TaskGroup();
      group.go(async () => {
        await sleep(2);
        fail(boom);
      });
      group.go(() => sleep(1e6, group.ctx));
      for (let n = 0; n < 3; n++) expect(await failureOf(group.wait())).toBe(boom);
      expect(group.errors).toEqual([boom]);
      expect(group.ctx.cause).toBe(boom);
    },
    50,
  );

  inBothRuntimes(
    "keeps the further failures",
    async () => {
      const second = new Error("while cleaning up");
      const group = new TaskGroup();
      group.go(async (ctx) => {
        await ended(sleep(1e6, ctx));
        fail(second);
      });
      await settle();
      group.go(() => fail(boom));
      expect(await failureOf(group.wait())).toBe(boom);
      expect(group.errors).toEqual([boom, second]);
    },
    50,
  );

  inBothRuntimes(
    "lets a cancelled caller go while the tasks go on",
    async () => {
      const group = new TaskGroup();
      const handle = group.go(() => sleep(5));
      const { ctx, cancel } = withTimeout(background, 1);
      expect(await failureOf(group.wait(ctx))).toMatchObject({ code: "TIMEOUT" });
      cancel();
      expect([handle.outcome, group.ctx.error]).toEqual([undefined, undefined]);
      await group.wait();
      expect(handle.outcome).toEqual({ ok: true, value: undefined });
    },
    10,
  );

  test("is the end: later tasks are refused", async () => {
    const group = new TaskGroup();
    await group.wait();
    expect(thrownBy(() => group.go(() => {}))).toMatchObject({ code: "MISUSE" });
    expect(thrownBy(() => group.tryGo(() => {}))).toMatchObject({ code: "MISUSE" });
  });
});

describe("TaskGroup: tasks", () => {
  inBothRuntimes(
    "never start inside the call that starts them",
    async () => {
      const group = new TaskGroup();
      let started = false;
      group.go(() => void (started = true));
      expect([started, group.active]).toEqual([false, 1]);
      await group.wait();
      expect(started).toBe(true);
    },
    5,
  );

  test("start in the order of their calls", async () => {
    for (const concurrency of [1, 2, Number.POSITIVE_INFINITY]) {
      const order: number[] = [];
      const group = new TaskGroup({ concurrency });
      for (let n = 0; n < 10; n++) group.go(() => void order.push(n));
      await group.wait();
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  inBothRuntimes(
    "give their results in the order of submission",
    async () => {
      const values = await TaskGroup.run((group) => {
        const handles = [3, 1, 2].map((n) => group.go(async () => (await sleep(n), n)));
        return Promise.all(handles.map((handle) => handle.join()));
      });
      expect(values).toEqual([3, 1, 2]);
    },
    20,
  );

  test.each<[string, () => unknown, unknown]>([
    ["a throw", () => fail(boom), boom],
    ["a rejection", () => Promise.reject(boom), boom],
    ["a thrown string", () => fail("text"), "text"],
    ["a thrown undefined", () => fail(undefined), undefined],
    ["a thenable that rejects", () => thenable((_, no) => no(boom)), boom],
    ["a thenable whose `then` throws", () => thenable(() => fail(boom)), boom],
    [
      "a thenable that calls back twice",
      () =>
        thenable((yes, no) => {
          no(boom);
          yes();
        }),
      boom,
    ],
  ])("fail by %s, and free their slot", async (_, task, error) => {
    const group = new TaskGroup({ concurrency: 1, errors: "collect" });
    const handle = group.go(task);
    const next = group.go(() => "next");
    expect(await ended(handle.join())).toEqual({ error });
    expect(await next.join()).toBe("next");
    expect((await failureOf(group.wait())) as AggregateError).toMatchObject({ errors: [error] });
    expect(group.active).toBe(0);
  });

  test("whose failure nobody looks at cause no unhandled rejection, as `wait` has it", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    const group = new TaskGroup();
    group.go(() => fail(boom));
    await ended(group.wait());
    await sleep(2);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  inBothRuntimes(
    "see their own context, which ends with the group's and alone",
    async () => {
      const group = new TaskGroup();
      const contexts: Context[] = [];
      const one = group.go((ctx) => (contexts.push(ctx), sleep(1e6, ctx)));
      const other = group.go((ctx) => (contexts.push(ctx), sleep(1e6, ctx)));
      await settle();
      one.cancel(boom);
      expect(await failureOf(one.join())).toBe(boom);
      expect(contexts.filter(({ error }) => error !== undefined)).toHaveLength(1);
      expect(group.ctx.error).toBeUndefined();
      group.cancel();
      expect(await failureOf(other.join())).toBe(group.ctx.cause);
      expect(group.ctx.error?.code).toBe("CANCELED");
      await ended(group.wait());
    },
    20,
  );

  test("that were cancelled alone are no failure of the group", async () => {
    const group = new TaskGroup();
    const handle = group.go((ctx) => sleep(1e6, ctx));
    handle.cancel();
    const other = group.go(() => 1);
    await group.wait();
    expect([await other.join(), group.errors]).toEqual([1, []]);
  });
});

describe("TaskGroup: slots", () => {
  test("are as many as its concurrency: 42 tasks run, the 43rd does not", async () => {
    const group = new TaskGroup({ concurrency: 42 });
    const gate = new Channel<never>();
    const task = (): Promise<unknown> => gate.receive();
    for (let n = 0; n < 42; n++) expect(group.tryGo(task)).toBeDefined();
    expect(group.tryGo(task)).toBeUndefined();
    expect([group.active, group.waiting]).toEqual([42, 0]);
    gate.close();
    await settle();
    expect(group.tryGo(() => 1)).toBeDefined();
    await group.wait();
  });

  inBothRuntimes(
    "are never exceeded, and all used",
    async () => {
      const group = new TaskGroup({ concurrency: 3 });
      let running = 0;
      let most = 0;
      for (let n = 0; n < 12; n++) {
        group.go(async () => {
          most = Math.max(most, ++running);
          await settle();
          running--;
        });
      }
      expect([group.active, group.waiting]).toEqual([3, 9]);
      await group.wait();
      expect(most).toBe(3);
    },
    50,
  );

  test("and places to wait are limited: then it refuses, and accepts again later", async () => {
    const group = new TaskGroup({ concurrency: 1, capacity: 2 });
    for (let n = 0; n < 3; n++) group.go(() => {});
    expect(thrownBy(() => group.go(() => {}))).toMatchObject({
      code: "FULL",
      message: "task group is full: 1 tasks run and 2 wait",
    });
    await settle();
    group.go(() => {});
    await group.wait();
  });

  inBothRuntimes(
    "are not taken by a waiting task that was cancelled: it settles at once and never runs",
    async () => {
      const group = new TaskGroup({ concurrency: 1 });
      const gate = new Channel<never>();
      const ran: string[] = [];
      group.go(() => gate.receive());
      const gone = group.go(() => void ran.push("gone"));
      const kept = group.go(() => void ran.push("kept"));
      gone.cancel(boom);
      expect([group.waiting, gone.outcome]).toEqual([1, { ok: false, error: boom }]);
      gate.close();
      await kept.join();
      await group.wait();
      expect([ran, group.errors]).toEqual([["kept"], []]);
    },
    20,
  );

  inBothRuntimes(
    "when a task fails, all that wait settle without having run",
    async () => {
      const group = new TaskGroup({ concurrency: 1 });
      let ran = 0;
      group.go(() => fail(boom));
      const waiting = [1, 2, 3].map(() => group.go(() => void ran++));
      const ends = await Promise.all(waiting.map((handle) => ended(handle.join())));
      expect(ends).toEqual([{ error: boom }, { error: boom }, { error: boom }]);
      expect(await failureOf(group.wait())).toBe(boom);
      expect([ran, group.waiting, group.active]).toEqual([0, 0, 0]);
    },
    20,
  );

  inBothRuntimes(
    "freed by another task run a body in the async context of whoever started it",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const group = new TaskGroup({ concurrency: 1 });
      const seen: (string | undefined)[] = [];
      for (const name of ["a", "b", "c"]) {
        storage.run(name, () =>
          group.go(async () => {
            await settle();
            seen.push(storage.getStore());
          }),
        );
      }
      await group.wait();
      expect(seen).toEqual(["a", "b", "c"]);
    },
    10,
  );
});

describe("TaskGroup: collecting errors", () => {
  inBothRuntimes(
    "lets all tasks run, and throws all failures together",
    async () => {
      const group = new TaskGroup({ errors: "collect" });
      const errors = [1, 2, 3].map((n) => new Error(`no ${n}`));
      for (const error of errors) group.go(() => fail(error));
      const good = group.go(async () => (await settle(), "good"));
      const failure = (await failureOf(group.wait())) as AggregateError;
      expect(failure).toBeInstanceOf(AggregateError);
      expect([failure.message, new Set(failure.errors)]).toEqual(["3 tasks failed", new Set(errors)]);
      expect(await good.join()).toBe("good");
    },
    20,
  );

  test("is no error if there is none", async () => {
    const group = new TaskGroup({ errors: "collect" });
    group.go(() => 1);
    expect(await ended(group.wait())).toEqual({ value: undefined });
  });
});

describe("TaskGroup: cancellation", () => {
  test.each(["signal", "context"])("by a %s ends every task, and leaves no listener", async (kind) => {
    const controller = new AbortController();
    const scope = withCancel(background);
    const group = new TaskGroup(
      kind === "signal" ? { signal: controller.signal } : { signal: scope.ctx.signal },
    );
    const handle = group.go((ctx) => sleep(1e6, ctx));
    await settle();
    if (kind === "signal") controller.abort(boom);
    else scope.cancel(boom);
    expect(await failureOf(handle.join())).toBe(boom);
    expect(await failureOf(group.wait())).toBe(boom);
    expect([listenersOf(controller.signal), listenersOf(scope.ctx.signal)]).toEqual([0, 0]);
  });

  test("leaves no listener on a long-lived signal after `wait`", async () => {
    const controller = new AbortController();
    for (let n = 0; n < 20; n++) await TaskGroup.run((group) => void group.go(() => n), controller);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("does not hide a failure behind its consequences", async () => {
    const group = new TaskGroup();
    group.go((ctx) => sleep(1e6, ctx));
    group.go(async (ctx) => {
      await ended(sleep(1e6, ctx));
      fail(boom);
    });
    await settle();
    group.cancel();
    expect(await failureOf(group.wait())).toBe(boom);
  });

  test("settles a task at once that comes after it and finds no slot", async () => {
    const group = new TaskGroup({ concurrency: 1 });
    const gate = new Channel<never>();
    group.go(() => gate.receive());
    await settle();
    group.cancel(boom);
    const late = group.go(() => 1);
    expect([late.outcome, group.waiting]).toEqual([{ ok: false, error: boom }, 0]);
    gate.close();
    await ended(group.wait());
  });

  test("by a timeout is a timeout", async () => {
    const { ctx, cancel } = withTimeout(background, 1);
    const group = new TaskGroup(ctx);
    group.go((inner) => sleep(1e6, inner));
    expect(await failureOf(group.wait())).toMatchObject({ code: "TIMEOUT" });
    cancel();
  });

  inBothRuntimes(
    "by dispose cancels, waits, and leaves nothing",
    async () => {
      let cleaned = false;
      {
        await using group = new TaskGroup();
        group.go(async (ctx) => {
          await ended(sleep(1e6, ctx));
          await sleep(1);
          cleaned = true;
        });
        await settle();
      }
      expect(cleaned).toBe(true);
    },
    10,
  );
});

describe("TaskGroup.run", () => {
  inBothRuntimes(
    "gives the value of its body once every task has ended",
    async () => {
      let over = false;
      const value = await TaskGroup.run((group) => {
        group.go(async () => {
          await sleep(2);
          over = true;
        });
        return "value";
      });
      expect([value, over]).toEqual(["value", true]);
    },
    20,
  );

  inBothRuntimes(
    "cancels its tasks when the body throws, waits for them, and throws that error",
    async () => {
      let cleaned = false;
      const error = await failureOf(
        TaskGroup.run(async (group) => {
          group.go(async (ctx) => {
            expect(await failureOf(sleep(1e6, ctx))).toBe(boom);
            await sleep(1);
            cleaned = true;
          });
          await settle();
          fail(boom);
        }),
      );
      expect([error, cleaned]).toEqual([boom, true]);
    },
    20,
  );

  inBothRuntimes(
    "is not held up by a task that its body has told to end",
    async () => {
      let ended_ = false;
      const value = await TaskGroup.run(async (group) => {
        const watch = group.go((ctx) => sleep(Number.POSITIVE_INFINITY, ctx).finally(() => (ended_ = true)));
        await settle();
        watch.cancel();
        return "value";
      });
      expect([value, ended_]).toEqual(["value", true]);
    },
    10,
  );

  inBothRuntimes(
    "throws the failure of a task",
    async () => {
      expect(await failureOf(TaskGroup.run((group) => void group.go(() => fail(boom))))).toBe(boom);
    },
    10,
  );
});

describe("TaskGroup: size", () => {
  test("20,000 tasks end", async () => {
    const group = new TaskGroup();
    let over = 0;
    for (let n = 0; n < 20_000; n++) group.go(() => void over++);
    await group.wait();
    expect(over).toBe(20_000);
  });

  test("20,000 tasks that wait for one slot run one after the other, without a deep stack", async () => {
    const group = new TaskGroup({ concurrency: 1, capacity: 20_000 });
    let over = 0;
    for (let n = 0; n < 20_000; n++) group.go(() => void over++);
    await group.wait();
    expect(over).toBe(20_000);
  });

  test("20,000 tasks that wait are dropped at once", async () => {
    const group = new TaskGroup({ concurrency: 1, capacity: 20_000 });
    let ran = 0;
    for (let n = 0; n < 20_000; n++) group.go(() => void ran++);
    group.cancel();
    expect(group.waiting).toBe(0);
    await ended(group.wait());
    expect(ran).toBe(0);
  });
});

describe("TaskGroup: arguments", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "concurrency 0",
      () => new TaskGroup({ concurrency: 0 }),
      /^concurrency must be a whole number of at least 1, or Infinity, got 0$/,
    ],
    ["concurrency NaN", () => new TaskGroup({ concurrency: Number.NaN }), /^concurrency .* got NaN$/],
    ["concurrency 1.5", () => new TaskGroup({ concurrency: 1.5 }), /^concurrency .* got 1.5$/],
    ["concurrency '3'", () => new TaskGroup({ concurrency: "3" as never }), /^concurrency .* got "3"$/],
    [
      "concurrency 2**53",
      () => new TaskGroup({ concurrency: 2 ** 53 }),
      /^concurrency .* got 9007199254740992$/,
    ],
    ["concurrency {}", () => new TaskGroup({ concurrency: {} as never }), /^concurrency .* got an object$/],
    [
      "capacity -1",
      () => new TaskGroup({ capacity: -1 }),
      /^capacity must be a whole number of at least 0, or Infinity, got -1$/,
    ],
    [
      "errors 'ignore'",
      () => new TaskGroup({ errors: "ignore" as never }),
      /^errors must be one of "fail-fast", "collect", got "ignore"$/,
    ],
    ["go(null)", () => new TaskGroup().go(null as never), /^task must be a function, got null$/],
    ["tryGo({})", () => new TaskGroup().tryGo({} as never), /^task must be a function, got an object$/],
    ["run(null)", () => TaskGroup.run(null as never), /^body must be a function, got null$/],
    ["run with bad options", () => TaskGroup.run(() => {}, { capacity: -1 }), /^capacity must be/],
  ])("%s is refused at the call", (_, call, message) => {
    const error = thrownBy(call);
    expect(error).toBeDefined();
    expect((error as Error).message).toMatch(message);
  });
});
