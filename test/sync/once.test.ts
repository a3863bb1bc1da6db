import { AsyncLocalStorage } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { background, withCancel } from "concurrency-model-patterns/context";
import { onceValue } from "concurrency-model-patterns/once";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

describe("onceValue", () => {
  inBothRuntimes(
    "runs the work once for ten callers, and all wait for its end",
    async () => {
      let runs = 0;
      let over = false;
      const value = onceValue(async () => {
        const run = ++runs;
        await sleep(2);
        over = true;
        return run;
      });
      await TaskGroup.run((group) => {
        for (let n = 0; n < 10; n++) {
          group.go(async () => {
            if (n % 2 === 0) await sleep(n % 4);
            expect([await value(), over]).toEqual([1, true]);
          });
        }
      });
      expect([await value(), runs]).toEqual([1, 1]);
    },
    100,
  );

  inBothRuntimes(
    "does not run before the first call, nor inside it",
    async () => {
      let runs = 0;
      const value = onceValue(() => ++runs);
      await settle();
      expect(runs).toBe(0);
      const wait = value();
      expect(runs).toBe(0);
      expect(await wait).toBe(1);
    },
    10,
  );

  inBothRuntimes(
    "gives every caller the same error if the work throws, and does not run it again",
    async () => {
      let runs = 0;
      const no = new Error("no");
      for (const fail of [
        () => {
          runs++;
          throw no;
        },
        async () => {
          runs++;
          await sleep(1);
          throw no;
        },
      ]) {
        const value = onceValue(fail);
        const ends = await Promise.all([1, 2, 3].map(() => ended(value())));
        expect(ends).toEqual([{ error: no }, { error: no }, { error: no }]);
        expect(await failureOf(value())).toBe(no);
      }
      expect(runs).toBe(2);
    },
    20,
  );

  inBothRuntimes(
    "keeps a failure that nobody was left to hear for who asks later",
    async () => {
      const no = new Error("no");
      const value = onceValue(async () => {
        await sleep(2);
        throw no;
      });
      const { ctx, cancel } = withCancel(background);
      const wait = ended(value(ctx));
      await settle();
      cancel();
      await wait;
      await sleep(5);
      expect(await failureOf(value())).toBe(no);
    },
    10,
  );

  inBothRuntimes(
    "keeps undefined as well as any other value",
    async () => {
      let runs = 0;
      const value = onceValue(() => void runs++);
      expect([await value(), await value(), runs]).toEqual([undefined, undefined, 1]);
    },
    5,
  );

  test("serves 20,000 callers", async () => {
    let runs = 0;
    const value = onceValue(() => ++runs);
    const values = await Promise.all(Array.from({ length: 20_000 }, () => value()));
    expect(values.every((one) => one === 1)).toBe(true);
  });
});

describe("onceValue: cancellation", () => {
  inBothRuntimes(
    "gives up the wait of one caller, also of the first, and the work goes on",
    async () => {
      const value = onceValue(async () => {
        await sleep(2);
        return "done";
      });
      const { ctx, cancel } = withCancel(background);
      const first = ended(value(ctx));
      const second = value();
      await settle();
      cancel();
      expect(await first).toMatchObject({ error: { code: "CANCELED" } });
      expect(await second).toBe("done");
      expect(await ended(value(ctx))).toMatchObject({ error: { code: "CANCELED" } });
    },
    20,
  );

  inBothRuntimes(
    "before the first call starts nothing",
    async () => {
      let runs = 0;
      const value = onceValue(() => ++runs);
      expect(await failureOf(value({ signal: AbortSignal.abort(new Error("gone")) }))).toEqual(
        new Error("gone"),
      );
      await settle();
      expect(runs).toBe(0);
      expect(await value()).toBe(1);
    },
    5,
  );
});

describe("onceValue: what it keeps", () => {
  inBothRuntimes(
    "the async context of whoever handed the work over, not that of the first caller",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const value = storage.run("maker", () => onceValue(() => storage.getStore()));
      expect(await storage.run("caller", () => value())).toBe("maker");
    },
    5,
  );

  test.each([
    ["it has ended", false],
    ["it has failed", true],
  ])("not the work once %s: what it refers to can be collected", async (_, fails) => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    // Not made by the work: an error knows the functions that it came through.
    const no = new Error("no");
    const make = (): { value: () => Promise<number>; seen: WeakRef<object> } => {
      const large = { size: 3 };
      const work = (): number => {
        if (fails) throw no;
        return large.size;
      };
      return { value: onceValue(work), seen: new WeakRef(large) };
    };
    const { value, seen } = make();
    await settle();
    collect();
    expect(seen.deref()).toBeDefined();
    await ended(value());
    await settle();
    collect();
    expect(seen.deref()).toBeUndefined();
    expect("error" in (await ended(value()))).toBe(fails);
  });
});

describe("onceValue: mistakes", () => {
  test("work that calls its own function waits for itself, and the report says so", async () => {
    const error = await failureOf(
      simulate(async () => {
        const value: () => Promise<number> = onceValue(() => value(), { name: "config" });
        await value();
      }),
    );
    expect(error).toMatchObject({ code: "DEADLOCK" });
    expect((error as Error).message).toContain("once on config");
  });

  test("work that is no function is refused at the call", () => {
    expect(thrownBy(() => onceValue(3 as never))).toMatchObject({
      message: "work must be a function, got 3",
    });
  });
});
