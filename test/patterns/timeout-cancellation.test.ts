import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { withCancel } from "concurrency-model-patterns/context";
import { TimeoutError } from "concurrency-model-patterns/errors";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { timeout, type TimeoutOptions } from "concurrency-model-patterns/timeout-cancellation";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

/** Ignores its context for `workMs`. */
const deaf = (workMs: number) => async (): Promise<string> => {
  await sleep(workMs);
  return "late";
};

describe("timeout", () => {
  test("gives the value of a task that is in time, and sets no other timer", async () => {
    const events: RunEvent[] = [];
    const { value, elapsedMs } = await simulate(
      () => timeout(async (ctx) => sleep(10, ctx).then(() => "done"), { timeoutMs: 50 }),
      { onEvent: (event) => events.push(event) },
    );
    expect([value, elapsedMs]).toEqual(["done", 10]);
    const count = (k: string): number => events.filter((event) => event.k === k).length;
    expect(count("timer.set")).toBe(count("timer.fire") + count("timer.clear"));
  });

  test("gives the task's own error unchanged, also one that it throws at once", async () => {
    const error = new Error("broken");
    await simulate(async () => {
      const throws = (): never => {
        throw error;
      };
      expect(await caught(timeout(throws, { timeoutMs: 50 }))).toBe(error);
      const rejects = async (): Promise<void> => {
        await sleep(1);
        throw undefined;
      };
      expect(await caught(timeout(rejects, { timeoutMs: 50 }))).toBe(undefined);
      expect(now()).toBe(1);
    });
  });

  test("rejects with a TimeoutError when time is up, and the task's context says the same", async () => {
    let seen: unknown;
    const { elapsedMs } = await simulate(async () => {
      const call = timeout(
        async (ctx) => {
          seen = await caught(sleep(1000, ctx));
          throw seen;
        },
        { timeoutMs: 50 },
      );
      const error = await caught(call);
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toBe(seen);
      expect((error as Error).message).toBe("context deadline exceeded");
      expect((error as Error).cause).toBe(undefined);
    });
    expect(elapsedMs).toBe(50);
  });

  test("tells the task its deadline", async () => {
    await simulate(async () => {
      await sleep(5);
      expect(await timeout((ctx) => ctx.deadlineMs, { timeoutMs: 50 })).toBe(55);
    });
  });

  test("waits for the cleanup of a task that has run out of time", async () => {
    const trail: string[] = [];
    const { elapsedMs } = await simulate(async () => {
      const call = timeout(
        async (ctx) => {
          try {
            await sleep(1000, ctx);
          } finally {
            await sleep(20);
            trail.push("cleaned up");
          }
        },
        { timeoutMs: 50 },
      );
      expect(await caught(call)).toMatchObject({ code: "TIMEOUT" });
      trail.push("settled");
    });
    expect(trail).toEqual(["cleaned up", "settled"]);
    expect(elapsedMs).toBe(70);
  });

  test("attaches what goes wrong in the cleanup to the TimeoutError", async () => {
    const broken = new Error("cleanup broke");
    await simulate(async () => {
      const call = timeout(
        async (ctx) => {
          await caught(sleep(1000, ctx));
          throw broken;
        },
        { timeoutMs: 50 },
      );
      const error = await caught(call);
      expect(error).toMatchObject({ code: "TIMEOUT", cause: broken });
    });
  });

  test("a value that comes too late is no result, but is told, so that it can be released", async () => {
    const late: unknown[] = [];
    await simulate(async () => {
      const call = timeout(deaf(80), { timeoutMs: 50, onLate: (outcome) => late.push(outcome) });
      expect(await caught(call)).toMatchObject({ code: "TIMEOUT" });
      expect(now()).toBe(80);
    });
    expect(late).toEqual([{ ok: true, value: "late" }]);
  });

  test("a task that only does as it was told is not reported as late", async () => {
    const late: unknown[] = [];
    await simulate(async () => {
      const options: TimeoutOptions<void> = { timeoutMs: 50, onLate: (outcome) => late.push(outcome) };
      await caught(timeout((ctx) => sleep(1000, ctx), options));
    });
    expect(late).toEqual([]);
  });

  test.each([
    [0, 50],
    [10, 60],
    [Number.POSITIVE_INFINITY, 500],
  ])("waits no longer than graceMs for a task that ignores its context (%d)", async (graceMs, settledAt) => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        expect(await caught(timeout(deaf(500), { timeoutMs: 50, graceMs }))).toMatchObject({
          code: "TIMEOUT",
        });
        expect(now()).toBe(settledAt);
        await sleep(1000);
      },
      { onEvent: (event) => events.push(event) },
    );
    const abandoned = events.filter((event) => event.k === "warn").map(({ code }) => code);
    expect(abandoned).toEqual(settledAt === 500 ? [] : ["abandoned"]);
  });

  test("an abandoned task that never ends is named as a leak", async () => {
    const run = simulate(() =>
      timeout(deaf(500), { timeoutMs: 50, graceMs: 10, name: "stubborn", fallback: () => "x" }),
    );
    expect(await caught(run)).toMatchObject({ code: "LEAK", tasks: [{ name: "stubborn" }] });
  });

  test("with no time at all, the task is not run", async () => {
    let ran = false;
    const task = (): void => {
      ran = true;
    };
    await simulate(async () => {
      expect(await caught(timeout(task, { timeoutMs: 0 }))).toMatchObject({ code: "TIMEOUT" });
      expect(await caught(timeout(task, { timeoutMs: -1 }))).toMatchObject({ code: "TIMEOUT" });
    });
    expect(ran).toBe(false);
  });

  test("an Infinity sets no limit, and one above 2^31-1 ms is honoured", async () => {
    const { elapsedMs } = await simulate(async () => {
      await timeout(() => sleep(2 ** 40), { timeoutMs: Number.POSITIVE_INFINITY });
      expect(await caught(timeout((ctx) => sleep(2 ** 41, ctx), { timeoutMs: 2 ** 32 }))).toMatchObject({
        code: "TIMEOUT",
      });
    });
    expect(elapsedMs).toBe(2 ** 40 + 2 ** 32);
  });
});

describe("a fallback", () => {
  test("takes the place of a TimeoutError, once the task has ended", async () => {
    const slowly = async (error: Error): Promise<string> => {
      await sleep(5);
      return error.message;
    };
    const { value, elapsedMs } = await simulate(() => timeout(deaf(80), { timeoutMs: 50, fallback: slowly }));
    expect(value).toBe("context deadline exceeded");
    expect(elapsedMs).toBe(85);
  });

  test("is not for failures, nor for a caller who gives up, also when the caller's own time is up", async () => {
    const fallback = (): string => "fallback";
    await simulate(async () => {
      const failing = timeout(
        () => {
          throw new Error("broken");
        },
        { timeoutMs: 50, fallback },
      );
      expect(await caught(failing)).toMatchObject({ message: "broken" });

      const reason = new TimeoutError("the caller's");
      const { ctx, cancel } = withCancel({});
      const call = timeout((own) => sleep(100, own), { timeoutMs: 50, fallback, signal: ctx.signal });
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(10).then(() => cancel(reason)));
        expect(await caught(call)).toBe(reason);
      });
    });
  });

  test("is not asked when the caller has given up meanwhile: that is what the caller gets", async () => {
    await simulate(async () => {
      const { ctx, cancel } = withCancel({});
      const call = timeout(deaf(100), { timeoutMs: 50, fallback: () => "fallback", signal: ctx.signal });
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(60).then(() => cancel(new Error("enough"))));
        expect(await caught(call)).toMatchObject({ message: "enough" });
      });
    });
  });
});

describe("a caller who gives up", () => {
  test("before the call: gets the reason, and the task is not run", async () => {
    const reason = { any: "thing" };
    let ran = false;
    const call = timeout(
      () => {
        ran = true;
      },
      { timeoutMs: 50, signal: AbortSignal.abort(reason) },
    );
    expect(await caught(call)).toBe(reason);
    expect(ran).toBe(false);
  });

  test("while the task runs: gets the reason untouched once the task has cleaned up, never a TimeoutError", async () => {
    const reason = new Error("enough");
    const late: unknown[] = [];
    await simulate(async () => {
      const controller = new AbortController();
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(10).then(() => controller.abort(reason)));
        const call = timeout(
          async (ctx) => {
            await caught(sleep(1000, ctx));
            await sleep(100);
            throw new Error("cleanup broke");
          },
          { timeoutMs: 50, signal: controller.signal, onLate: (outcome) => late.push(outcome) },
        );
        expect(await caught(call)).toBe(reason);
        expect(now()).toBe(110);
      });
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    });
    expect(late).toMatchObject([{ ok: false, error: { message: "cleanup broke" } }]);
  });

  test("after the task has ended: changes nothing", async () => {
    const controller = new AbortController();
    const call = timeout(() => "done", { timeoutMs: 50, signal: controller.signal });
    expect(await call).toBe("done");
    controller.abort();
    expect(await call).toBe("done");
  });

  test("gets a null as the reason", async () => {
    const controller = new AbortController();
    const call = timeout((ctx) => sleep(1000, ctx), {
      timeoutMs: 50,
      signal: controller.signal,
      fallback: () => 1,
    });
    controller.abort(null);
    expect(await caught(call)).toBe(null);
  });

  test("against the deadline at the same instant: one of both wins, and is the only one told (200 seeds)", async () => {
    const codes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      await simulate(
        async () => {
          const { ctx, cancel } = withCancel({});
          await TaskGroup.run(async (group) => {
            group.go(() => sleep(50).then(() => cancel()));
            let inside: unknown;
            const call = timeout(
              async (own) => {
                inside = await caught(sleep(1000, own));
              },
              { timeoutMs: 50, signal: ctx.signal },
            );
            const error = await caught(call);
            expect(error).toBe(inside);
            codes.add((error as TimeoutError).code);
          });
        },
        { seed },
      );
    }
    expect(codes).toEqual(new Set(["TIMEOUT", "CANCELED"]));
  });
});

describe("in the plain runtime", () => {
  /** How many host timers were made and not destroyed while `body` ran. */
  async function timersLeft(body: () => Promise<void>): Promise<number> {
    const live = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === "Timeout" && live.add(id)),
      destroy: (id) => void live.delete(id),
    }).enable();
    await body();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    hook.disable();
    return live.size;
  }

  test("neither timer nor listener is left, on success, failure, timeout and cancellation (they leak, we do not)", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const left = await timersLeft(async () => {
      for (let round = 0; round < 50; round++) {
        await timeout(() => "done", { timeoutMs: 60_000, signal });
        await caught(timeout(() => Promise.reject(new Error("broken")), { timeoutMs: 60_000, signal }));
        await caught(timeout((ctx) => sleep(60_000, ctx), { timeoutMs: 0.1, graceMs: 60_000, signal }));
        const own = withCancel({ signal });
        const call = timeout((ctx) => sleep(60_000, ctx), { timeoutMs: 60_000, signal: own.ctx.signal });
        own.cancel();
        await caught(call);
      }
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
    });
    expect(left).toBe(0);
  });

  test("the task does not start inside the call, and it and the callbacks keep the caller's async context", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    await store.run("mine", async () => {
      const call = timeout(
        async (ctx) => {
          seen.push(store.getStore());
          await caught(sleep(1000, ctx));
          return "late";
        },
        {
          timeoutMs: 1,
          onLate: () => seen.push(store.getStore()),
          fallback: () => seen.push(store.getStore()),
        },
      );
      expect(seen).toEqual([]);
      await call;
    });
    expect(seen).toEqual(["mine", "mine", "mine"]);
  });

  test("bad arguments are refused at the call, by name", () => {
    const call = (task: unknown, options: object) => () =>
      timeout(task as () => void, options as TimeoutOptions<void>);
    expect(call(() => {}, { timeoutMs: Number.NaN })).toThrow(RangeError);
    expect(call(() => {}, { timeoutMs: "5" })).toThrow(/timeoutMs must be a number of milliseconds, got "5"/);
    expect(call(() => {}, {})).toThrow(/timeoutMs/);
    expect(call("task", { timeoutMs: 5 })).toThrow(/task must be a function/);
    expect(call(() => {}, { timeoutMs: 5, graceMs: Number.NaN })).toThrow(/graceMs/);
    expect(call(() => {}, { timeoutMs: 5, fallback: "x" })).toThrow(/fallback/);
    expect(call(() => {}, { timeoutMs: 5, onLate: "x" })).toThrow(/onLate/);
  });
});
