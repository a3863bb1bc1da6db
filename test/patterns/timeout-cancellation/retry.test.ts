import { background, withCancel } from "concurrency-model-patterns/context";
import { CanceledError, isCancellation, TimeoutError } from "concurrency-model-patterns/errors";
import { constantDelay } from "concurrency-model-patterns/schedule";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import {
  type FailedAttempt,
  retry,
  RetryBudget,
  type RetryOptions,
} from "concurrency-model-patterns/timeout-cancellation/retry";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

const schedule = constantDelay(100);

/** Fails so many times, each time with an error of its own, and then gives the number of the attempt. */
function failing(times: number): {
  task: (ctx: unknown, attempt: number) => Promise<number>;
  errors: Error[];
} {
  const errors: Error[] = [];
  const task = async (_ctx: unknown, attempt: number): Promise<number> => {
    if (errors.length === times) return attempt;
    const error = new Error(`failure ${attempt}`);
    errors.push(error);
    throw error;
  };
  return { task, errors };
}

const suppressed = (error: unknown): unknown => (error as { suppressed?: unknown }).suppressed;

describe("a retry", () => {
  inBothRuntimes("gives the first value, after the pauses of the schedule", async () => {
    const told: FailedAttempt[] = [];
    const { task, errors } = failing(2);
    const start = now();
    const value = await retry(task, {
      schedule: (attempt) => attempt * 10,
      onRetry: (failed) => told.push(failed),
    });
    expect([value, now() - start]).toEqual([3, 30]);
    expect(told).toEqual([
      { attempt: 1, error: errors[0], delayMs: 10 },
      { attempt: 2, error: errors[1], delayMs: 20 },
    ]);
  });

  inBothRuntimes("throws the last failure, the same object, with the earlier ones attached", async () => {
    const { task, errors } = failing(9);
    const error = await failureOf(retry(task, { attempts: 3, schedule }));
    expect(errors).toHaveLength(3);
    expect(error).toBe(errors[2]);
    expect(suppressed(error)).toEqual(errors.slice(0, 2));
    expect(now()).toBe(200);
  });

  test("does not begin inside the call", async () => {
    let began = false;
    const call = retry(() => {
      began = true;
    });
    expect(began).toBe(false);
    await call;
    expect(began).toBe(true);
  });

  test("keeps the ten latest failures, however many attempts there are", async () => {
    const { task, errors } = failing(500);
    const options = { attempts: Number.POSITIVE_INFINITY, schedule, when: () => errors.length < 100 };
    const error = await plainly(() => failureOf(retry(task, options)));
    expect(suppressed(error)).toEqual(errors.slice(89, 99));
  });

  test("is not tried again if `when` says no, or the schedule says Infinity", async () => {
    const no = failing(9);
    const never = failing(9);
    await failureOf(retry(no.task, { when: (error) => (error as Error).message === "other" }));
    await failureOf(retry(never.task, { schedule: () => Number.POSITIVE_INFINITY }));
    expect([no.errors.length, never.errors.length]).toEqual([1, 1]);
  });

  test("tells the schedule what it needs for a delay that the server asks for", async () => {
    const seen: unknown[][] = [];
    const { task, errors } = failing(2);
    await plainly(() =>
      retry(task, {
        schedule: (...args) => {
          seen.push(args);
          return args[0] * 7;
        },
      }),
    );
    expect(seen).toEqual([
      [1, 0, errors[0]],
      [2, 7, errors[1]],
    ]);
  });

  test.each(["when", "schedule", "onRetry"] as const)(
    "ends with what `%s` throws, and loses no failure for it",
    async (name) => {
      const broken = new Error("broken callback");
      const { task, errors } = failing(9);
      const callback = (): never => {
        throw broken;
      };
      const error = await failureOf(retry(task, { [name]: callback }));
      expect(error).toBe(broken);
      expect(suppressed(error)).toEqual(errors);
    },
  );

  test("refuses bad arguments at the call, by name", () => {
    const call = (options: object) => () => retry(() => {}, options as RetryOptions);
    expect(call({ attempts: 0 })).toThrow(RangeError);
    expect(call({ attempts: 1.5 })).toThrow(/attempts/);
    expect(call({ attemptMs: "1" })).toThrow(/attemptMs must be a number of milliseconds, got "1"/);
    expect(call({ deadlineMs: Number.NaN })).toThrow(/deadlineMs/);
    for (const name of ["schedule", "when", "onRetry"]) {
      expect(call({ [name]: 5 })).toThrow(`${name} must be a function, got 5`);
    }
    expect(() => retry("task" as unknown as () => void)).toThrow(/task/);
  });

  test("refuses a pause that is no number, with the failures attached", async () => {
    const { task, errors } = failing(9);
    const error = await failureOf(retry(task, { schedule: () => Number.NaN }));
    expect(error).toMatchObject({ name: "RangeError", suppressed: errors });
  });
});

describe("a retry with a deadline", () => {
  inBothRuntimes(
    "begins no pause that would outlast it: the failure comes at once, and is no timeout",
    async () => {
      const { task, errors } = failing(9);
      const deadlineMs = now() + 250;
      const error = await failureOf(retry(task, { attempts: 9, schedule, deadlineMs }));
      expect(error).toBe(errors[2]);
      expect(now()).toBe(200);
    },
  );

  inBothRuntimes("begins no pause that ends in the very instant of it", async () => {
    const { task, errors } = failing(9);
    await failureOf(retry(task, { attempts: 9, schedule, deadlineMs: now() + 200 }));
    expect(errors).toHaveLength(2);
  });

  inBothRuntimes("begins no attempt for which too little time would be left", async () => {
    const { task, errors } = failing(9);
    const options = { attempts: 9, schedule, deadlineMs: now() + 250, attemptMs: 60 };
    await failureOf(retry(task, options));
    expect(errors).toHaveLength(2);
    expect(now()).toBe(100);
  });

  inBothRuntimes("takes that of a timeout around it, whose own error it never becomes", async () => {
    const { task, errors } = failing(9);
    const call = timeout(
      ({ signal }) => retry(task, { attempts: 9, schedule, signal, deadlineMs: now() + 9999 }),
      { timeoutMs: 150, fallback: () => "too late" },
    );
    expect(await failureOf(call)).toBe(errors[1]);
    expect(now()).toBe(100);
  });

  test("makes the first attempt in any case", async () => {
    const first = await plainly(() => retry(() => "made", { deadlineMs: now() - 1, attemptMs: 1e9 }));
    expect(first).toBe("made");
  });
});

describe("a retry that is given up", () => {
  const forever = { attempts: Number.POSITIVE_INFINITY, schedule };

  test("before: makes no attempt, and takes nothing from the budget", async () => {
    const budget = new RetryBudget({ capacity: 2 });
    budget.tryWithdraw();
    const reason = { any: "thing" };
    const call = retry(() => expect.unreachable(), { budget, signal: AbortSignal.abort(reason) });
    expect(await failureOf(call)).toBe(reason);
    expect(budget.balance).toBe(1);
  });

  inBothRuntimes("in a pause: ends at once with the reason, which is not touched", async () => {
    const reason = new Error("enough");
    const { ctx, cancel } = withCancel(background);
    const { task, errors } = failing(99);
    const failure = await TaskGroup.run(async (group) => {
      group.go(() => sleep(250).then(() => cancel(reason)));
      return failureOf(retry(task, { ...forever, signal: ctx.signal }));
    });
    expect(failure).toBe(reason);
    expect(suppressed(reason)).toBe(undefined);
    expect([errors.length, now()]).toEqual([3, 250]);
  });

  inBothRuntimes("in an attempt: waits for it, and never tries a cancellation again", async () => {
    const reason = new Error("enough");
    const { ctx, cancel } = withCancel(background);
    let attempts = 0;
    const failure = await TaskGroup.run(async (group) => {
      group.go(() => sleep(10).then(() => cancel(reason)));
      const task = async (own: { readonly signal: AbortSignal }): Promise<void> => {
        attempts++;
        try {
          await sleep(1000, own);
        } finally {
          await sleep(5);
        }
      };
      return failureOf(retry(task, { ...forever, signal: ctx.signal }));
    });
    expect(failure).toBe(reason);
    expect([attempts, now()]).toEqual([1, 15]);
  });

  inBothRuntimes(
    "with a failure on the way out: that failure is thrown, for it is not known otherwise",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const broken = new Error("cleanup broke");
      const task = async (): Promise<void> => {
        cancel();
        await sleep(1);
        throw broken;
      };
      expect(await failureOf(retry(task, { ...forever, signal: ctx.signal }))).toBe(broken);
    },
  );

  test("by a task that gave up by itself loses no failure before it", async () => {
    const { task, errors } = failing(1);
    const error = await plainly(() =>
      failureOf(
        retry((ctx, attempt) => (attempt === 1 ? task(ctx, 1) : Promise.reject(new CanceledError()))),
      ),
    );
    expect(error).toMatchObject({ code: "CANCELED", suppressed: errors });
  });

  test("inside another one loses no failure of either", async () => {
    const { task, errors } = failing(4);
    const twice = (): Promise<number> => retry(task, { attempts: 2, schedule });
    const error = await plainly(() => failureOf(retry(twice, { attempts: 2, schedule })));
    expect(error).toBe(errors[3]);
    expect(suppressed(error)).toEqual([errors[2], errors[1]]);
    expect(suppressed(errors[1])).toEqual([errors[0]]);
  });

  test("by a task that gave up by itself: what it threw, once", async () => {
    for (const error of [new CanceledError(), new DOMException("stop", "AbortError")]) {
      let attempts = 0;
      const task = (): never => {
        attempts++;
        throw error;
      };
      const failure = await failureOf(retry(task, forever));
      expect([failure, isCancellation(failure), attempts]).toEqual([error, true, 1]);
    }
  });

  test("tries a timeout of the task again, as that is a failure of the attempt", async () => {
    let attempts = 0;
    await simulate(async () => {
      const slow = (ctx: { readonly signal: AbortSignal }): Promise<void> => {
        attempts++;
        return timeout((own) => sleep(1000, own), { timeoutMs: 10, signal: ctx.signal });
      };
      expect(await failureOf(retry(slow, { attempts: 3, schedule }))).toBeInstanceOf(TimeoutError);
    });
    expect(attempts).toBe(3);
  });

  test("leaves no listener on a signal, after however many attempts (a peer left one for each)", async () => {
    const controller = new AbortController();
    const most: number[] = [];
    await plainly(async () => {
      const { task } = failing(50);
      const counting = (ctx: { readonly signal: AbortSignal }, attempt: number): Promise<number> => {
        ctx.signal.addEventListener("abort", () => {});
        most.push(listenersOf(controller.signal));
        return task(ctx, attempt);
      };
      expect(await retry(counting, { ...forever, signal: controller.signal })).toBe(51);
    });
    expect(Math.max(...most)).toBe(1);
    expect(listenersOf(controller.signal)).toBe(0);
  });
});

describe("a retry budget", () => {
  test("allows at most capacity + share * n retries among any n calls", () => {
    const calls = fc.array(fc.nat(4), { maxLength: 300 });
    const share = fc.constantFrom(0, 0.1, 0.3, 0.5, 1, 2);
    fc.assert(
      fc.property(calls, share, fc.integer({ min: 1, max: 5 }), (wanted, share, capacity) => {
        const budget = new RetryBudget({ share, capacity });
        let retries = 0;
        for (const [index, wants] of wanted.entries()) {
          budget.deposit();
          for (let retry = 0; retry < wants; retry++) if (budget.tryWithdraw()) retries++;
          expect(retries).toBeLessThanOrEqual(capacity + share * (index + 1) + 1e-6);
          expect(budget.balance).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test("saves up no more than its capacity, however long all was well", () => {
    const budget = new RetryBudget({ share: 1, capacity: 3 });
    for (let call = 0; call < 1000; call++) budget.deposit();
    expect(budget.balance).toBe(3);
  });

  test("makes a whole token of ten tenths", () => {
    const budget = new RetryBudget({ share: 0.1, capacity: 1 });
    expect(budget.tryWithdraw()).toBe(true);
    for (let call = 0; call < 10; call++) {
      expect(budget.tryWithdraw()).toBe(false);
      budget.deposit();
    }
    expect(budget.tryWithdraw()).toBe(true);
  });

  test("keeps an outage from multiplying the calls: three attempts are 1.1 times the load", async () => {
    let attempts = 0;
    const budget = new RetryBudget({ share: 0.1, capacity: 10 });
    const task = async (): Promise<never> => {
      attempts++;
      throw new Error("down");
    };
    await simulate(async () => {
      for (let call = 0; call < 1000; call++) await failureOf(retry(task, { attempts: 3, schedule, budget }));
    });
    expect(attempts).toBeGreaterThan(1090);
    expect(attempts).toBeLessThanOrEqual(1110);
  });

  test("refuses bad options by name", () => {
    expect(() => new RetryBudget({ share: -1 })).toThrow(/share/);
    expect(() => new RetryBudget({ capacity: 0 })).toThrow(/capacity/);
  });
});
