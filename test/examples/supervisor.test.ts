import { now, sleep } from "concurrency-model-patterns/timers";
import { simulate } from "concurrency-model-patterns/testing";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/supervisor.ts";
import { runDemo } from "../support/run-demo.ts";

const count = (lines: readonly string[], text: string): number =>
  lines.filter((line) => line === text).length;

const FAILED = "Supervisor: Worker failed, restarting...";
const FINISHED = "Supervisor: Worker finished, restarting...";

describe("the supervisor demo", () => {
  test("tells of every restart, and says at the end how many there were (50 seeds)", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const { lines, elapsedMs } = await runDemo(demo, seed);
      expect(lines[0]).toBe("Worker: Started");
      const restarts = count(lines, FAILED) + count(lines, FINISHED);
      const end = `Supervisor example completed! Worker was restarted ${restarts} times.`;
      expect(lines.slice(-2)).toEqual(["Supervisor: Stopping worker supervision.", end]);
      for (const [index, line] of lines.entries()) {
        if (line === FAILED) expect(lines[index - 1]).toBe("Worker: Simulated failure!");
        if (line === FINISHED) expect(lines[index - 1]).toBe("Worker: Completed work successfully.");
        if (index < lines.length - 2) seen.add(line);
      }
      expect(elapsedMs).toBe(4000);
    }
    expect(seen).toEqual(
      new Set([
        "Worker: Started",
        "Worker: Simulated failure!",
        "Worker: Completed work successfully.",
        FAILED,
        FINISHED,
      ]),
    );
  });

  test("restarts half a second after the announcement, after 400 to 1599 ms of work", async () => {
    const { lines, times } = await runDemo(demo, 3, { timeout: 60_000 });
    for (const [index, line] of lines.entries()) {
      const passed = (times[index + 1] ?? Number.NaN) - (times[index] ?? Number.NaN);
      if (line === FAILED || line === FINISHED)
        expect(passed).toBe(lines[index + 1] === "Worker: Started" ? 500 : passed);
      if (line === "Worker: Started" && lines[index + 1]?.startsWith("Worker:") === true) {
        expect(passed).toBeGreaterThanOrEqual(400);
        expect(passed).toBeLessThan(1600);
      }
    }
  });

  test.each([
    [1, "Worker: Completed work successfully."],
    [0, "Worker: Simulated failure!"],
  ])("with --fail %d it never prints %s", async (fail, never) => {
    const { lines } = await runDemo(demo, 1, { fail, timeout: 30_000 });
    expect(lines.length).toBeGreaterThan(20);
    expect(count(lines, never)).toBe(0);
  });

  test("when it is called off midway it ends at once and leaves nothing", async () => {
    for (let at = 0; at < 4000; at += 250) {
      const reason = new Error("enough");
      const controller = new AbortController();
      const lines: string[] = [];
      const params = { fail: 0.6, timeout: 4000 };
      const between = (min: number): number => min;
      const print = (text = ""): void => void lines.push(text);
      const run = simulate(
        async (ctx) => {
          void sleep(at).then(() => controller.abort(reason));
          await expect(demo.run({ params, ctx, print, between, timeOfDay: () => "" })).rejects.toBe(reason);
          expect(now()).toBe(at);
        },
        { seed: at, signal: controller.signal },
      );
      await run;
      expect(lines.at(-1)).not.toMatch(/completed/);
    }
  });
});
