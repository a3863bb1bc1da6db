import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

describe("WaitGroup", () => {
  inBothRuntimes(
    "does not wait when its count is zero",
    async () => {
      await new WaitGroup().wait();
    },
    5,
  );

  inBothRuntimes(
    "wakes all who wait, in the order in which they came, and can be used again",
    async () => {
      const group = new WaitGroup();
      for (let round = 0; round < 3; round++) {
        group.add(2);
        let over = 0;
        const waits = [0, 1, 2].map(() => group.wait().then(() => over++));
        await settle();
        expect([group.count, group.waiting]).toEqual([2, 3]);
        group.done();
        await settle();
        expect(over).toBe(0);
        group.done();
        expect(group.waiting).toBe(0);
        await Promise.all(waits);
      }
    },
    20,
  );

  test("wakes in the order in which they came", async () => {
    const group = new WaitGroup();
    group.add();
    const order: number[] = [];
    const waits = [0, 1, 2].map((n) => group.wait().then(() => order.push(n)));
    group.done();
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2]);
  });

  test("refuses to count below zero, and keeps its count", () => {
    const group = new WaitGroup();
    group.add(1);
    const misuse = { code: "MISUSE", message: "negative WaitGroup counter" };
    expect(thrownBy(() => group.add(-2))).toMatchObject(misuse);
    expect(group.count).toBe(1);
    group.done();
    expect(thrownBy(() => group.done())).toMatchObject(misuse);
    expect(group.count).toBe(0);
  });

  test("wakes 20,000", async () => {
    const group = new WaitGroup();
    group.add(1);
    const waits = Array.from({ length: 20_000 }, () => group.wait());
    expect(group.waiting).toBe(20_000);
    group.done();
    await Promise.all(waits);
    expect(group.waiting).toBe(0);
  });

  test("that nobody counts down is a deadlock that names it", async () => {
    const error = await failureOf(
      simulate(async () => {
        const group = new WaitGroup({ name: "the three" });
        group.add(3);
        await group.wait();
      }),
    );
    expect((error as Error).message).toContain("main (task 0): wait on the three");
  });

  test("starts no task itself: a task group does, and throws the failure to who waits", async () => {
    expect(new WaitGroup()).not.toHaveProperty("go");
    const failure = new Error("unheard otherwise");
    const group = new TaskGroup();
    group.go(() => Promise.reject(failure));
    expect(await failureOf(group.wait())).toBe(failure);
  });

  test.each([Number.NaN, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, "3", null, {}])(
    "refuses a delta of %s",
    (delta) => {
      const group = new WaitGroup();
      const error = thrownBy(() => group.add(delta as number));
      expect(error).toBeInstanceOf(typeof delta === "number" ? RangeError : TypeError);
      expect((error as Error).message).toMatch(/^delta must be a whole number .*, got /);
      expect(group.count).toBe(0);
    },
  );

  test("never counts beyond what a number holds exactly", () => {
    const group = new WaitGroup();
    group.add(Number.MAX_SAFE_INTEGER);
    expect(thrownBy(() => group.add(1))).toBeInstanceOf(Error);
    expect(group.count).toBe(Number.MAX_SAFE_INTEGER);
  });
});
