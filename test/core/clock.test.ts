import { sleep } from "concurrency-model-patterns/timers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";

const LONGEST = 2 ** 31 - 1;

describe("the system's clock, on a faked host", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([LONGEST - 1, LONGEST, LONGEST + 1, 2 ** 32, 3 * LONGEST + 7, 1e12])(
    "waits for %i ms, neither less nor more",
    async (delay) => {
      let firedAt: number | undefined;
      const start = systemClock.now();
      systemClock.after(delay, () => (firedAt = systemClock.now() - start));
      await vi.advanceTimersByTimeAsync(delay - 1);
      expect(firedAt).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(firedAt).toBeCloseTo(delay, 3);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test("stops a long timer in any of its parts, and leaves none", async () => {
    let fired = false;
    const timer = systemClock.after(3 * LONGEST, () => (fired = true));
    await vi.advanceTimersByTimeAsync(LONGEST + 5);
    expect(vi.getTimerCount()).toBe(1);
    timer.cancel();
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(4 * LONGEST);
    expect(fired).toBe(false);
  });

  test("lets go of the process in every part of a long timer, and fires all the same", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    let fired = false;
    const timer = systemClock.after(2 * LONGEST, () => (fired = true));
    timer.unref?.();
    await vi.advanceTimersByTimeAsync(LONGEST + 5);
    const handles = set.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(handles.map((handle) => handle.hasRef())).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(LONGEST);
    expect(fired).toBe(true);
    set.mockRestore();
  });

  test("has nothing to let go of where the host's timers are numbers", () => {
    const set = vi.spyOn(globalThis, "setTimeout").mockReturnValue(7 as never);
    expect(() => systemClock.after(5, () => {}).unref?.()).not.toThrow();
    set.mockRestore();
  });

  test("never fires a timer of Infinity, and sets none", () => {
    const timer = systemClock.after(Number.POSITIVE_INFINITY, () => {});
    timer.unref?.();
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits on when the host's timer comes early", () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    let fired = 0;
    systemClock.after(10, () => fired++);
    now = 9.2;
    vi.advanceTimersByTime(10);
    expect(fired).toBe(0);
    now = 10.2;
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
    vi.restoreAllMocks();
  });

  test("is not moved by the wall clock", async () => {
    let over = false;
    void sleep(100).then(() => (over = true));
    vi.setSystemTime(Date.now() + 1e9);
    await vi.advanceTimersByTimeAsync(99);
    expect(over).toBe(false);
    vi.setSystemTime(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(over).toBe(true);
  });
});

describe("a turn of the host", () => {
  // Other files share the modules: a clock that was made without `setImmediate` is not for them.
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test("comes after every microtask, on hosts with setImmediate and on those without", async () => {
    for (const has of [true, false]) {
      vi.resetModules();
      if (!has) vi.stubGlobal("setImmediate", undefined);
      const { nextTurn } = await import("../../src/core/clock.ts");
      const order: string[] = [];
      await new Promise<void>((resolve) => {
        nextTurn(() => order.push("first turn"));
        nextTurn(() => {
          order.push("second turn");
          resolve();
        });
        queueMicrotask(() => queueMicrotask(() => order.push("microtask")));
      });
      await new Promise<void>((resolve) => {
        nextTurn(resolve);
      });
      expect(order).toEqual(["microtask", "first turn", "second turn"]);
    }
  });
});
