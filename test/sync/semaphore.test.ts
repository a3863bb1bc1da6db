import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { type Permit, Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn, hostTimers, listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const held = (permit: Permit | undefined): Permit => {
  expect(permit).toBeDefined();
  return permit as Permit;
};

describe("Semaphore: order", () => {
  test("a small request waits behind a large one, although permits are free", async () => {
    const semaphore = new Semaphore(3);
    const release = held(semaphore.tryAcquire(2));
    const order: string[] = [];
    const large = semaphore.acquire(3).then((permit) => (order.push("large"), permit));
    const small = semaphore.acquire(1).then((permit) => (order.push("small"), permit));
    expect([semaphore.available, semaphore.waiting]).toEqual([1, 2]);
    expect(semaphore.tryAcquire(1)).toBeUndefined();
    release();
    (await large)();
    (await small)();
    expect([order, semaphore.available]).toEqual([["large", "small"], 3]);
  });

  inBothRuntimes(
    "a large request is not starved by a stream of small ones",
    async () => {
      const semaphore = new Semaphore(3);
      const seen = { large: false };
      let rounds = 0;
      await TaskGroup.run(async (group) => {
        for (let n = 0; n < 3; n++) {
          group.go(async () => {
            for (; !seen.large && rounds < 1000; rounds++) {
              await semaphore.withPermit(() => sleep(1, group.ctx), group.ctx);
            }
          });
        }
        await sleep(2);
        const permit = await semaphore.acquire(3);
        seen.large = true;
        permit();
      });
      expect(rounds).toBeLessThan(1000);
      expect(semaphore.available).toBe(3);
    },
    50,
  );

  inBothRuntimes(
    "permits are never more than there are, and all come back",
    async () => {
      const semaphore = new Semaphore(5);
      let held_ = 0;
      await TaskGroup.run((group) => {
        for (let n = 0; n < 8; n++) {
          group.go(async () => {
            for (let round = 0; round < 3; round++) {
              const weight = ((n + round) % 5) + 1;
              const permit = await semaphore.acquire(weight, group.ctx);
              held_ += weight;
              expect(held_).toBeLessThanOrEqual(5);
              await settle();
              held_ -= weight;
              permit();
            }
          });
        }
      });
      expect([semaphore.available, semaphore.waiting]).toEqual([5, 0]);
    },
    50,
  );
});

describe("Semaphore: cancellation", () => {
  test("of the front waiter lets those behind it in at once, if they fit", async () => {
    const semaphore = new Semaphore(2);
    const release = held(semaphore.tryAcquire(1));
    const { ctx, cancel } = withCancel(background);
    const large = ended(semaphore.acquire(2, ctx));
    const small = semaphore.acquire(1);
    cancel();
    expect([semaphore.available, semaphore.waiting]).toEqual([0, 0]);
    (await small)();
    release();
    expect(await large).toMatchObject({ error: { code: "CANCELED" } });
    expect(semaphore.available).toBe(2);
  });

  test("before the call fails it, although permits are free", async () => {
    const semaphore = new Semaphore(1);
    const reason = new Error("gone");
    expect(await failureOf(semaphore.acquire(1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(semaphore.available).toBe(1);
  });

  test.each([
    ["cancel, then release", true],
    ["release, then cancel", false],
  ])("in one step with the release has one outcome: %s", async (_, cancelFirst) => {
    const semaphore = new Semaphore(1);
    const release = held(semaphore.tryAcquire());
    const { ctx, cancel } = withCancel(background);
    const waiting = ended(semaphore.acquire(1, ctx));
    if (cancelFirst) cancel();
    release();
    cancel();
    const end = await waiting;
    expect("error" in end).toBe(cancelFirst);
    expect(semaphore.available).toBe(cancelFirst ? 1 : 0);
    if ("value" in end) (end.value as Permit)();
    expect(semaphore.available).toBe(1);
  });

  test.each(["signal", "context"])(
    "never lets one in that has been cancelled itself, by the same %s",
    async (kind) => {
      const semaphore = new Semaphore(2);
      const release = held(semaphore.tryAcquire(1));
      const controller = new AbortController();
      const parent = withCancel(background);
      const child = withCancel(parent.ctx);
      const [first, second] = kind === "signal" ? [controller, controller] : [parent.ctx, child.ctx];
      const large = ended(semaphore.acquire(2, first));
      const small = ended(semaphore.acquire(1, second));
      if (kind === "signal") controller.abort(new Error("both"));
      else parent.cancel(new Error("both"));
      for (const end of [await large, await small]) expect(end).toEqual({ error: new Error("both") });
      release();
      expect([semaphore.available, semaphore.waiting]).toEqual([2, 0]);
    },
  );

  test("by a deadline leaves no timer and no listener", async () => {
    const semaphore = new Semaphore(1);
    const release = held(semaphore.tryAcquire());
    const before = hostTimers();
    const controller = new AbortController();
    const { ctx, cancel } = withTimeout(controller, 1e6);
    const waiting = semaphore.acquire(1, ctx);
    release();
    const permit = await waiting;
    cancel();
    permit();
    expect([hostTimers(), listenersOf(controller.signal), semaphore.available]).toEqual([before, 0, 1]);
  });

  test("keeps the counts right, for any plan", async () => {
    const step = fc.record({
      weight: fc.integer({ min: 1, max: 4 }),
      cancelAt: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
      releaseAt: fc.nat({ max: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (plan) => {
        const semaphore = new Semaphore(4);
        const due: (() => void)[][] = Array.from({ length: 11 }, () => []);
        let held_ = 0;
        const over = plan.map(async ({ weight, cancelAt, releaseAt }) => {
          const { ctx, cancel } = withCancel(background);
          if (cancelAt !== undefined) due[cancelAt]?.push(cancel);
          const end = await ended(semaphore.acquire(weight, ctx));
          if ("error" in end) return;
          held_ += weight;
          expect(held_).toBeLessThanOrEqual(4);
          for (let turn = 0; turn < releaseAt; turn++) await Promise.resolve();
          held_ -= weight;
          (end.value as Permit)();
        });
        for (const cancels of due) {
          for (const cancel of cancels) cancel();
          await Promise.resolve();
        }
        await Promise.all(over);
        expect([semaphore.available, semaphore.waiting]).toEqual([4, 0]);
      }),
      { numRuns: 200 },
    );
  });

  test("of one in 20,000 waiters takes that one out", async () => {
    const semaphore = new Semaphore(1);
    const release = held(semaphore.tryAcquire());
    const { ctx, cancel } = withCancel(background);
    let served = 0;
    const waits = Array.from({ length: 20_000 }, async (_, n) => {
      const end = await ended(semaphore.acquire(1, n === 10_000 ? ctx : undefined));
      if ("error" in end) return;
      served++;
      (end.value as Permit)();
    });
    cancel();
    expect(semaphore.waiting).toBe(19_999);
    release();
    await Promise.all(waits);
    expect([served, semaphore.available]).toEqual([19_999, 1]);
  });

  test("of 20,000 at the front lets the one behind them in, without a deep stack", async () => {
    const semaphore = new Semaphore(2);
    const release = held(semaphore.tryAcquire(1));
    const { ctx, cancel } = withCancel(background);
    const waits = Array.from({ length: 20_000 }, () => ended(semaphore.acquire(2, ctx)));
    const last = semaphore.acquire(1);
    cancel();
    (await last)();
    release();
    await Promise.all(waits);
    expect(semaphore.available).toBe(2);
  });
});

describe("Semaphore: permits", () => {
  test("given back twice count once", () => {
    const semaphore = new Semaphore(2);
    const permit = held(semaphore.tryAcquire(2));
    permit();
    permit();
    permit[Symbol.dispose]();
    expect(semaphore.available).toBe(2);
  });

  test("are given back by `using`", () => {
    const semaphore = new Semaphore(1);
    {
      using permit = held(semaphore.tryAcquire());
      expect([semaphore.available, typeof permit]).toEqual([0, "function"]);
    }
    expect(semaphore.available).toBe(1);
  });

  inBothRuntimes(
    "are given back however a task ends, and its value or error comes through",
    async () => {
      const semaphore = new Semaphore(1);
      expect(await semaphore.withPermit(() => 3)).toBe(3);
      const error = new Error("no");
      const thrower = (): never => {
        throw error;
      };
      expect(await failureOf(semaphore.withPermit(thrower))).toBe(error);
      expect(await failureOf(semaphore.withPermit(() => Promise.reject(error)))).toBe(error);
      expect(await ended(semaphore.withPermit(() => Promise.reject(undefined)))).toEqual({
        error: undefined,
      });
      expect(semaphore.available).toBe(1);
    },
    10,
  );

  inBothRuntimes(
    "let a task run in the async context of its caller",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const semaphore = new Semaphore(1);
      const permit = await semaphore.acquire();
      const seen = ["a", "b"].map((name) =>
        storage.run(name, () => semaphore.withPermit(() => storage.getStore())),
      );
      await settle();
      storage.run("releaser", permit);
      expect(await Promise.all(seen)).toEqual(["a", "b"]);
    },
    10,
  );

  test("go round without starving the host", async () => {
    const semaphore = new Semaphore(1);
    const turn = await hostGetsItsTurn(async (over) => {
      const loop = async (): Promise<void> => {
        while (!over()) (await semaphore.acquire())();
      };
      await Promise.all([loop(), loop()]);
    });
    expect(turn).toBe(true);
  });
});

describe("Semaphore.resize", () => {
  test("to more lets in as many as now fit, in order", async () => {
    const semaphore = new Semaphore(2);
    const release = held(semaphore.tryAcquire(2));
    const waits = [2, 1, 2].map((weight) => semaphore.acquire(weight));
    semaphore.resize(5);
    expect([semaphore.permits, semaphore.available, semaphore.waiting]).toEqual([5, 0, 1]);
    release();
    for (const permit of await Promise.all(waits)) permit();
    expect(semaphore.available).toBe(5);
  });

  test("to fewer takes nothing away, and lets nobody in until enough have come back", async () => {
    const semaphore = new Semaphore(4);
    const [one, two, three] = [1, 1, 2].map((weight) => held(semaphore.tryAcquire(weight)));
    const wait = semaphore.acquire(1);
    semaphore.resize(2);
    expect([semaphore.permits, semaphore.available, semaphore.waiting]).toEqual([2, 0, 1]);
    one?.();
    two?.();
    expect([semaphore.available, semaphore.waiting]).toEqual([0, 1]);
    three?.();
    (await wait)();
    expect(semaphore.available).toBe(2);
  });

  test("to fewer fails at once those who wait for more than there are, and those behind them move up", async () => {
    const semaphore = new Semaphore(3);
    const release = held(semaphore.tryAcquire(1));
    const controller = new AbortController();
    const heavy = [3, 3].map((weight) => ended(semaphore.acquire(weight, controller)));
    const light = semaphore.acquire(1);
    semaphore.resize(2);
    expect([semaphore.available, semaphore.waiting, listenersOf(controller.signal)]).toEqual([0, 0, 0]);
    const error = { code: "LIMIT", message: "a weight of 3 is more than the 2 permits there are now" };
    for (const end of await Promise.all(heavy)) expect(end).toMatchObject({ error });
    (await light)();
    release();
    expect(semaphore.available).toBe(2);
    expect(thrownBy(() => semaphore.acquire(3))).toBeInstanceOf(RangeError);
  });

  test("keeps the order of those who stay", async () => {
    const semaphore = new Semaphore(3);
    const release = held(semaphore.tryAcquire(3));
    const order: number[] = [];
    const waits = [1, 3, 2, 3, 1].map(async (weight, n) => {
      const end = await ended(semaphore.acquire(weight));
      if ("error" in end) return;
      order.push(n);
      (end.value as Permit)();
    });
    semaphore.resize(2);
    expect(semaphore.waiting).toBe(3);
    release();
    await Promise.all(waits);
    expect(order).toEqual([0, 2, 4]);
  });

  test("does not blame one that is being cancelled: it gets its own reason", async () => {
    const semaphore = new Semaphore(2);
    const release = held(semaphore.tryAcquire(1));
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => semaphore.resize(1));
    const heavy = ended(semaphore.acquire(2, controller));
    controller.abort(new Error("gone"));
    expect(await heavy).toEqual({ error: new Error("gone") });
    release();
    expect([semaphore.available, semaphore.waiting]).toEqual([1, 0]);
  });

  inBothRuntimes(
    "at any moment: never more in than there are permits, except those who were in before; and nobody hangs",
    async () => {
      const semaphore = new Semaphore(4);
      let inside = 0;
      await TaskGroup.run((group) => {
        for (let n = 0; n < 6; n++) {
          group.go(async () => {
            for (let round = 0; round < 3; round++) {
              const weight = ((n + round) % 4) + 1;
              const end = await ended(semaphore.acquire(Math.min(weight, semaphore.permits), group.ctx));
              if ("error" in end) {
                expect(end.error).toMatchObject({ code: "LIMIT" });
                continue;
              }
              expect(++inside).toBeLessThanOrEqual(4);
              await settle();
              inside--;
              (end.value as Permit)();
            }
          });
        }
        group.go(async () => {
          for (const permits of [1, 3, 2, 4]) {
            await settle();
            semaphore.resize(permits);
          }
        });
      });
      expect([semaphore.available, semaphore.waiting]).toEqual([4, 0]);
    },
    100,
  );

  test("of 20,000 that no longer fit fails them all, and lets the last in", async () => {
    const semaphore = new Semaphore(3);
    const release = held(semaphore.tryAcquire(1));
    const heavy = Array.from({ length: 20_000 }, () => ended(semaphore.acquire(3)));
    const light = semaphore.acquire(1);
    semaphore.resize(2);
    expect(semaphore.waiting).toBe(0);
    (await light)();
    await Promise.all(heavy);
    release();
    expect(semaphore.available).toBe(2);
  });
});

describe("Semaphore: arguments", () => {
  const bad: [unknown, string][] = [
    [Number.NaN, "NaN"],
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [2 ** 53, "9007199254740992"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["3", '"3"'],
    [null, "null"],
    [{}, "an object"],
  ];
  test.each(bad)("%s is refused at the call, as permits and as a weight", (value, shown) => {
    const type = typeof value === "number" ? RangeError : TypeError;
    const semaphore = new Semaphore(2);
    for (const [call, message] of [
      [() => new Semaphore(value as number), `permits must be a whole number of at least 1, got ${shown}`],
      [() => semaphore.resize(value as number), `permits must be a whole number of at least 1, got ${shown}`],
      [() => semaphore.acquire(value as number), `weight must be a whole number from 1 to 2, got ${shown}`],
      [
        () => semaphore.tryAcquire(value as number),
        `weight must be a whole number from 1 to 2, got ${shown}`,
      ],
    ] as const) {
      const error = thrownBy(call) as Error;
      expect(error).toBeInstanceOf(type);
      expect(error.message).toBe(message);
    }
    expect(semaphore.available).toBe(2);
  });

  test("a weight above the permits is refused at the call, as it could never be had", async () => {
    const semaphore = new Semaphore(2);
    expect(thrownBy(() => semaphore.acquire(3))).toBeInstanceOf(RangeError);
    (await semaphore.acquire(2))();
  });

  test("a task that is no function is refused at the call", () => {
    const semaphore = new Semaphore(1);
    expect(thrownBy(() => semaphore.withPermit(null as never))).toMatchObject({
      message: "task must be a function, got null",
    });
  });
});
