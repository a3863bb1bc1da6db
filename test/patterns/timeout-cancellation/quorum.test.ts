import { AsyncLocalStorage } from "node:async_hooks";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { anyOf, quorum } from "concurrency-model-patterns/timeout-cancellation/quorum";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

const after =
  <T>(delayMs: number, end: () => T) =>
  async (ctx: Context): Promise<T> => {
    await sleep(delayMs, ctx);
    return end();
  };

const failAfter = (delayMs: number, error: unknown) =>
  after(delayMs, (): never => {
    throw error;
  });

describe("a quorum", () => {
  inBothRuntimes("gives the first so many values, in the order of the tasks", async () => {
    const tasks = [30, 10, 20, 40].map((delayMs) => after(delayMs, () => delayMs));
    expect(await quorum(2, tasks)).toEqual([10, 20]);
    expect(now()).toBe(20);
    expect(await quorum(3, tasks)).toEqual([30, 10, 20]);
    expect(await quorum(4, new Set(tasks))).toEqual([30, 10, 20, 40]);
  });

  inBothRuntimes("calls the others off, and settles when they have ended", async () => {
    const trail: string[] = [];
    const slow = async (ctx: Context): Promise<string> => {
      try {
        await sleep(1000, ctx);
        return "slow";
      } finally {
        await sleep(5);
        trail.push("cleaned up");
      }
    };
    expect(await quorum(1, [slow, after(10, () => "quick"), slow])).toEqual(["quick"]);
    expect(trail).toEqual(["cleaned up", "cleaned up"]);
    expect(now()).toBe(15);
  });

  inBothRuntimes("bears as many failures as it can, and tells them", async () => {
    const unused: unknown[] = [];
    const down = new Error("down");
    const tasks = [failAfter(1, down), after(10, () => "b"), after(20, () => "c"), after(90, () => "d")];
    const onUnused = (outcome: unknown, index: number): void => void unused.push([index, outcome]);
    expect(await quorum(2, tasks, { onUnused })).toEqual(["b", "c"]);
    expect(unused).toEqual([[0, { ok: false, error: down }]]);
  });

  inBothRuntimes("fails as soon as too many have, with all failures in the order of the tasks", async () => {
    const [one, two, three] = [new Error("one"), new Error("two"), new Error("three")];
    const unused: unknown[] = [];
    const onUnused = (outcome: unknown): void => void unused.push(outcome);
    const deaf = async (): Promise<never> => {
      await sleep(30);
      throw three;
    };
    const tasks = [
      failAfter(20, one),
      after(5, () => "value"),
      failAfter(10, two),
      deaf,
      after(999, () => "never"),
    ];
    const error = await failureOf(quorum(4, tasks, { onUnused }));
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([one, two, three]);
    expect((error as AggregateError).message).toBe("3 of 5 tasks failed; 4 had to succeed");
    expect(unused).toEqual([{ ok: true, value: "value" }]);
    expect(now()).toBe(30);
  });

  inBothRuntimes("tells a value that came too late, so that it can be released", async () => {
    const open = new Set<string>();
    const connect = (delayMs: number, name: string) => async (): Promise<string> => {
      await sleep(delayMs);
      open.add(name);
      return name;
    };
    const tasks = [connect(20, "late"), connect(10, "first"), connect(10, "second")];
    const winner = await anyOf(tasks, {
      onUnused: (outcome) => void (outcome.ok && open.delete(outcome.value)),
    });
    expect([...open]).toEqual([winner]);
    expect(winner).not.toBe("late");
  });

  inBothRuntimes(
    "gives the signal's reason when it aborts, once all have ended, and tells what came before",
    async () => {
      const reason = new Error("enough");
      const { ctx, cancel } = withCancel(background);
      const down = new Error("down");
      const unused: unknown[] = [];
      const tasks = [
        after(5, () => "value"),
        failAfter(6, down),
        async (own: Context): Promise<string> => sleep(1000, own).then(() => "never"),
        async (): Promise<string> => sleep(50).then(() => "deaf"),
      ];
      const error = await TaskGroup.run(async (group) => {
        group.go(() => sleep(10).then(() => cancel(reason)));
        const onUnused = (outcome: unknown): void => void unused.push(outcome);
        return failureOf(quorum(3, tasks, { signal: ctx.signal, onUnused }));
      });
      expect(error).toBe(reason);
      expect(now()).toBe(50);
      expect(unused).toEqual([
        { ok: true, value: "value" },
        { ok: false, error: down },
        { ok: true, value: "deaf" },
      ]);
    },
  );

  inBothRuntimes(
    "an abort in the instant of the decision: it is one or the other, never half of it",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const ends: unknown[] = [];
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(10).then(() => cancel("reason")));
        const call = anyOf([after(10, () => "value"), after(99, () => "late")], { signal: ctx.signal });
        ends.push(await call.catch((error: unknown) => error));
      });
      expect(["value", "reason"]).toContain(ends[0]);
    },
  );

  inBothRuntimes(
    "an abort after the decision changes nothing, also while the others still clean up",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const slow = async (own: Context): Promise<string> => {
        await sleep(1000, own).catch(() => {});
        await sleep(20);
        throw own.cause;
      };
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(15).then(() => cancel()));
        expect(await anyOf([slow, after(10, () => "value")], { signal: ctx.signal })).toBe("value");
      });
      expect(now()).toBe(30);
    },
  );

  inBothRuntimes("one that says in its own words that it was called off has not failed", async () => {
    const unused: unknown[] = [];
    const ownWords = async (ctx: Context): Promise<string> => {
      await sleep(1000, ctx).catch(() => {});
      throw new DOMException("stopped", "AbortError");
    };
    const onUnused = (outcome: unknown): void => void unused.push(outcome);
    expect(await anyOf([ownWords, after(10, () => "value")], { onUnused })).toBe("value");
    expect(unused).toEqual([]);
  });

  test("takes a task's own cancellation for a failure, if nobody has called it off", async () => {
    const stop = new DOMException("stop", "AbortError");
    const error = await failureOf(anyOf([() => Promise.reject(stop)]));
    expect((error as AggregateError).errors).toEqual([stop]);
  });

  test("keeps the caller's async context, starts nothing inside the call, leaves no listener", async () => {
    const store = new AsyncLocalStorage<string>();
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    await store.run("mine", async () => {
      const task = async (): Promise<number> => seen.push(store.getStore());
      const call = quorum(1, [task, task], { signal, onUnused: () => seen.push(store.getStore()) });
      expect(seen).toEqual([]);
      await call;
    });
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(["mine"]));
    expect(listenersOf(signal)).toBe(0);
  });

  test("rejects with the reason of a signal that has aborted already, and runs nothing", async () => {
    const reason = { any: "thing" };
    const call = quorum(1, [() => expect.unreachable()], { signal: AbortSignal.abort(reason) });
    expect(await failureOf(call)).toBe(reason);
  });

  test("refuses what can never be reached, by name", async () => {
    const task = (): number => 1;
    expect(() => quorum(0, [task])).toThrow(/needed must be a whole number from 1 to 1, got 0/);
    expect(() => quorum(2, [task])).toThrow(RangeError);
    expect(() => quorum(1, [])).toThrow(/tasks/);
    expect(() => quorum(1, [1 as unknown as () => number])).toThrow(/task must be a function/);
    expect(() => anyOf([])).toThrow(/tasks/);
  });

  test("names the tasks in a report", async () => {
    const deaf = (): Promise<never> => new Promise(() => {});
    const run = simulate(() => quorum(1, [deaf], { name: "replica" }), { externalTimeoutMs: 1 });
    expect(((await failureOf(run)) as Error).message).toContain("replica");
  });
});
