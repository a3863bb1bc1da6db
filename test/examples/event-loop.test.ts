import { describe, expect, test } from "vitest";
import { type Context, withTimeout } from "concurrency-model-patterns/context";
import { simulate } from "concurrency-model-patterns/testing";
import { demo } from "../../examples/event-loop.ts";
import { runDemo } from "../support/run-demo.ts";

const FORMS = [
  /^Event Loop: Processing user event: (login|logout|click|scroll|submit) \(user_[1-8]\)$/,
  /^ {2}-> User event processed: (login|logout|click|scroll|submit) \(user_[1-8]\)$/,
  /^Event Loop: Processing system event: (backup|update|maintenance|alert|sync) \(system_[1-6]\)$/,
  /^ {2}-> System event processed: (backup|update|maintenance|alert|sync) \(system_[1-6]\)$/,
  /^Event Loop: Processing timer event: heartbeat \(timer_[1-5]\)$/,
  /^ {2}-> Timer event processed: heartbeat \(timer_[1-5]\)$/,
];
const TAKES_MS: Readonly<Record<string, number>> = { user: 100, system: 150, timer: 50 };
const seeds = Array.from({ length: 20 }, (_, seed) => seed);

describe("the event loop demo", () => {
  test.each(seeds)("prints the lines of the pattern, in its phases (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    expect(lines[0]).toBe("Event loop started...");
    expect(lines.slice(-2)).toEqual([
      "Event Loop: Shutdown signal received, cleaning up...",
      "Event loop example completed!",
    ]);
    const middle = lines.slice(1, -2).filter((line) => line !== "Shutting down event loop...");
    expect(middle).toHaveLength(lines.length - 4);
    for (const line of middle)
      expect(
        FORMS.some((form) => form.test(line)),
        line,
      ).toBe(true);
    expect(middle.length).toBeGreaterThan(20);
    expect(elapsedMs).toBeGreaterThanOrEqual(5500);
    expect(elapsedMs).toBeLessThanOrEqual(5650);
  });

  test.each(seeds)("processes one event at a time, each to its end (seed %i)", async (seed) => {
    const { lines, times } = await runDemo(demo, seed);
    const ids = new Map<string, number>();
    let underWay: { readonly kind: string; readonly event: string; readonly at: number } | undefined;
    for (const [index, line] of lines.entries()) {
      const begun = /^Event Loop: Processing (\w+) event: (.*)$/.exec(line);
      const done = / {2}-> (\w+) event processed: (.*)$/.exec(line);
      const at = times[index] ?? 0;
      if (begun !== null) {
        expect(underWay).toBeUndefined();
        const [, kind = "", event = ""] = begun;
        const id = Number(/_(\d+)/.exec(event)?.[1]);
        expect(id, "each source in its order").toBe((ids.get(kind) ?? 0) + 1);
        ids.set(kind, id);
        underWay = { kind, event, at };
      } else if (done !== null) {
        expect([done[1]?.toLowerCase(), done[2]]).toEqual([underWay?.kind, underWay?.event]);
        expect(at - (underWay?.at ?? 0)).toBeCloseTo(TAKES_MS[underWay?.kind ?? ""] ?? 0, 6);
        underWay = undefined;
      }
    }
    expect(underWay, "nothing is left half done").toBeUndefined();
  });

  test("runs as long as it is told to", async () => {
    const { elapsedMs } = await runDemo(demo, 1, { timeout: 1000 });
    expect(elapsedMs).toBeGreaterThanOrEqual(1500);
    expect(elapsedMs).toBeLessThanOrEqual(1650);
  });

  test.each([0, 150, 1234, 5000, 5200])("leaves nothing when it is given up after %i ms", async (afterMs) => {
    for (let seed = 0; seed < 10; seed++) {
      const gaveUp = new Error("enough");
      const { elapsedMs } = await simulate(
        async (parent) => {
          const { ctx, cancel } = withTimeout(parent, afterMs, { cause: gaveUp });
          await expect(demo.run(given(ctx))).rejects.toBe(gaveUp);
          cancel();
        },
        { seed },
      );
      expect(elapsedMs).toBeCloseTo(afterMs, 6);
    }
  });
});

function given(ctx: Context): Parameters<typeof demo.run>[0] {
  const print = (): void => {};
  return { params: { timeout: 5000 }, ctx, print, between: (min) => min, timeOfDay: () => "" };
}
