import { now, sleep } from "concurrency-model-patterns/timers";
import { simulate } from "concurrency-model-patterns/testing";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/timeout-cancellation.ts";
import { runDemo } from "../support/run-demo.ts";

const DONE = "Task completed: Long task completed successfully";
const LATE = "Task timed out: context deadline exceeded";

describe("the timeouts and cancellation demo", () => {
  test("prints the three cases, and the long task is done or not as its time says (50 seeds)", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const { lines, elapsedMs } = await runDemo(demo, seed);
      const [, seconds] =
        /^Starting long task \(will take ([1-3](?:\.\d{0,2}[1-9])?)s\)\.\.\.$/.exec(lines[2] ?? "") ?? [];
      expect(seconds, lines[2]).toBeDefined();
      const workMs = Number(seconds) * 1000;
      const outcome = workMs < 2000 ? DONE : LATE;
      if (workMs !== 2000) expect(lines[3]).toBe(outcome);
      seen.add(outcome);
      expect(lines.toSpliced(2, 2)).toEqual([
        "",
        "1. Context-based timeout example:",
        "",
        "2. Channel-based timeout example:",
        "Channel task timed out",
        "",
        "3. Context cancellation example:",
        "Cancelling context...",
        "Context cancelled: context canceled",
        "",
        "Timeouts and Cancellation example completed!",
      ]);
      expect(elapsedMs).toBeCloseTo(Math.min(workMs, 2000) + 1500);
    }
    expect(seen).toEqual(new Set([DONE, LATE]));
  });

  test("with time enough the long task is done", async () => {
    for (let seed = 0; seed < 10; seed++) {
      expect((await runDemo(demo, seed, { timeout: 5000 })).lines[3]).toBe(DONE);
    }
  });

  test("when it is called off midway it ends at once and leaves nothing", async () => {
    for (let at = 0; at < 3500; at += 125) {
      const reason = new Error("enough");
      const controller = new AbortController();
      const lines: string[] = [];
      const params = { timeout: 2000 };
      const between = (): number => 2300;
      const print = (text = ""): void => void lines.push(text);
      await simulate(
        async (ctx) => {
          void sleep(at).then(() => controller.abort(reason));
          await expect(demo.run({ params, ctx, print, between, timeOfDay: () => "" })).rejects.toBe(reason);
          expect(now()).toBe(at);
        },
        { seed: at, signal: controller.signal },
      );
      expect(lines).not.toContain("Timeouts and Cancellation example completed!");
    }
  });
});
