import { background, withCancel } from "concurrency-model-patterns/context";
import { after, receive, select } from "concurrency-model-patterns/select";
import { now, sleep, Timer } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { hostTimers } from "../support/listeners.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

describe("Timer", () => {
  inBothRuntimes(
    "fires once, not early, and says when",
    async () => {
      const start = now();
      const timer = new Timer(10);
      expect(timer.tryReceive()).toBeUndefined();
      const { value } = await timer.receive();
      expect(value).toBeGreaterThanOrEqual(start + 10);
      await sleep(20);
      expect(timer.tryReceive()).toBeUndefined();
    },
    20,
  );

  inBothRuntimes(
    "is stopped once: then it says that there was nothing to stop, and does not fire",
    async () => {
      const timer = new Timer(5);
      expect([timer.stop(), timer.stop()]).toEqual([true, false]);
      await sleep(20);
      expect(timer.tryReceive()).toBeUndefined();
    },
    20,
  );

  inBothRuntimes(
    "that is reset fires at the new instant, whether it was active, stopped, or had fired",
    async () => {
      const timer = new Timer(5);
      const start = now();
      expect(timer.reset(30)).toBe(true);
      expect((await timer.receive()).value).toBeGreaterThanOrEqual(start + 30);
      expect(timer.reset(1e6)).toBe(false);
      timer.stop();
      expect(timer.reset(5)).toBe(false);
      expect((await timer.receive()).done).toBe(false);
    },
    20,
  );

  inBothRuntimes(
    "shows no firing from before once it was stopped or reset",
    async () => {
      const timer = new Timer(1);
      await sleep(5);
      expect(timer.stop()).toBe(true);
      expect(timer.tryReceive()).toBeUndefined();
      timer.reset(1);
      await sleep(5);
      expect(timer.reset(1e6)).toBe(true);
      const chosen = await select({ fired: receive(timer), late: after(3) });
      expect(chosen.key).toBe("late");
      timer.stop();
    },
    20,
  );

  inBothRuntimes(
    "is waited for in a select, and by one who may give up",
    async () => {
      const timer = new Timer(4);
      const { ctx, cancel } = withCancel(background);
      const waiting = failureOf(timer.receive(ctx));
      const enough = new Error("enough");
      cancel(enough);
      expect(await waiting).toBe(enough);
      const chosen = await select({ fired: receive(timer), late: after(1000) });
      expect(chosen.key).toBe("fired");
    },
    20,
  );

  test("never fires with an infinite delay, and leaves nothing when it is disposed of", () => {
    const before = hostTimers();
    {
      using timer = new Timer(1e6);
      timer.reset(2e6);
      expect(hostTimers()).toBe(before + 1);
    }
    const never = new Timer(Number.POSITIVE_INFINITY);
    expect([hostTimers(), never.stop()]).toEqual([before, true]);
  });

  test.each([[Number.NaN], ["5"], [undefined]])("refuses a delay of %s", (delayMs) => {
    expect(String(thrownBy(() => new Timer(delayMs as number)))).toContain("delayMs");
  });
});
