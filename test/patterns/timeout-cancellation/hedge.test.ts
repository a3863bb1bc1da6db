import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { hedge, type HedgeOptions } from "concurrency-model-patterns/timeout-cancellation/hedge";
import { RetryBudget } from "concurrency-model-patterns/timeout-cancellation/retry";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

/** A task whose attempts take so long, and how many of them run. */
function taking(...delays: readonly number[]): {
  task: (ctx: Context, attempt: number) => Promise<number>;
  began: number[];
  running: () => number;
} {
  const began: number[] = [];
  let running = 0;
  const task = async (ctx: Context, attempt: number): Promise<number> => {
    began.push(now());
    running++;
    try {
      await sleep(delays[attempt - 1] ?? 0, ctx);
      return attempt;
    } finally {
      running--;
    }
  };
  return { task, began, running: () => running };
}

describe("a hedge", () => {
  inBothRuntimes("makes no second attempt if the first is quick", async () => {
    const { task, began } = taking(9);
    expect(await hedge(task, { afterMs: 10 })).toBe(1);
    expect([began, now()]).toEqual([[0], 9]);
  });

  inBothRuntimes("makes the next attempt after a while, and gives the first success", async () => {
    const { task, began, running } = taking(100, 15, 100);
    expect(await hedge(task, { afterMs: 10, attempts: 3 })).toBe(2);
    expect([began, now(), running()]).toEqual([[0, 10, 20], 25, 0]);
  });

  inBothRuntimes("gives the value of the first attempt if that wins after all", async () => {
    const { task, running } = taking(15, 100);
    expect(await hedge(task, { afterMs: 10 })).toBe(1);
    expect([now(), running()]).toEqual([15, 0]);
  });

  inBothRuntimes("follows a failure with the next attempt at once", async () => {
    const task = async (_ctx: Context, attempt: number): Promise<number> => {
      await sleep(3);
      if (attempt < 3) throw new Error(`failure ${attempt}`);
      return attempt;
    };
    expect(await hedge(task, { afterMs: Number.POSITIVE_INFINITY, attempts: 3 })).toBe(3);
    expect(now()).toBe(9);
  });

  inBothRuntimes("follows the failure of an attempt that was overtaken at once, too", async () => {
    const began: number[] = [];
    const task = async (ctx: Context, attempt: number): Promise<number> => {
      began.push(now());
      await sleep(attempt === 3 ? 5 : attempt === 1 ? 12 : 100, ctx);
      if (attempt === 1) throw new Error("failure");
      return attempt;
    };
    expect(await hedge(task, { afterMs: 10, attempts: 3 })).toBe(3);
    expect([began, now()]).toEqual([[0, 10, 12], 17]);
  });

  inBothRuntimes("waits for the losers, and tells a value that comes too late", async () => {
    const late: unknown[] = [];
    const task = async (_ctx: Context, attempt: number): Promise<number> => {
      await sleep(attempt === 1 ? 50 : 5);
      return attempt;
    };
    const onUnused = (outcome: unknown, index: number): void => void late.push([index, outcome]);
    expect(await hedge(task, { afterMs: 10, onUnused })).toBe(2);
    expect(now()).toBe(50);
    expect(late).toEqual([[0, { ok: true, value: 1 }]]);
  });

  inBothRuntimes("throws the failure of the last attempt, with the others attached", async () => {
    const errors = [new Error("one"), new Error("two"), new Error("three")];
    const task = async (_ctx: Context, attempt: number): Promise<never> => {
      await sleep(40 - attempt * 10);
      throw errors[attempt - 1];
    };
    const error = await failureOf(hedge(task, { afterMs: 1, attempts: 3 }));
    expect(error).toBe(errors[2]);
    expect(error).toMatchObject({ suppressed: [errors[0], errors[1]] });
  });

  inBothRuntimes("ends with the signal's reason, when every attempt has ended", async () => {
    const reason = new Error("enough");
    const { ctx, cancel } = withCancel(background);
    const { task, began, running } = taking(1000, 1000, 1000);
    const error = await TaskGroup.run(async (group) => {
      group.go(() => sleep(15).then(() => cancel(reason)));
      return failureOf(hedge(task, { afterMs: 10, attempts: 3, signal: ctx.signal }));
    });
    expect(error).toBe(reason);
    expect([began.length, now(), running()]).toEqual([2, 15, 0]);
  });

  test("makes no further attempt if the budget is spent, and waits for the one it has", async () => {
    const budget = new RetryBudget({ share: 0, capacity: 1 });
    const slow = taking(100, 100);
    await plainly(async () => {
      expect(await hedge(taking(100, 1).task, { afterMs: 10, budget })).toBe(2);
      expect(await hedge(slow.task, { afterMs: 10, budget })).toBe(1);
      const broken = new Error("broken");
      expect(await failureOf(hedge(() => Promise.reject(broken), { afterMs: 10, budget }))).toBe(broken);
    });
    expect(slow.began).toHaveLength(1);
  });

  test("takes nothing from the budget if the first attempt wins", async () => {
    const budget = new RetryBudget({ share: 0, capacity: 1 });
    await plainly(() => hedge(taking(5).task, { afterMs: 10, budget }));
    expect(budget.balance).toBe(1);
  });

  test("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    await plainly(async () => {
      for (let call = 0; call < 20; call++) await hedge(taking(20, 1).task, { afterMs: 5, signal });
    });
    expect(listenersOf(signal)).toBe(0);
  });

  test("refuses bad arguments at the call, by name", () => {
    const call = (options: object) => () => hedge(() => 1, options as HedgeOptions<number>);
    expect(call({})).toThrow(/afterMs/);
    expect(call({ afterMs: 1, attempts: 0 })).toThrow(/attempts/);
    expect(() => hedge(1 as unknown as () => number, { afterMs: 1 })).toThrow(/task/);
  });
});
