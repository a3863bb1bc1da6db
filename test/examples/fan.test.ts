import { describe, expect, test } from "vitest";
import { log, random, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { demo } from "../../examples/fan.ts";
import { runDemo } from "../support/run-demo.ts";

const FORMS = [
  /^Generated work item: (\d+)$/,
  /^Worker ([1-4]) processed item (\d+)$/,
  /^Processed: processed-data-(\d+)-by-worker-([1-4])$/,
];

describe("the fan-out/fan-in demo", () => {
  test.each([1, 2, 3, 4, 5])("shares twenty items among four workers (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    expect(lines.slice(0, 2)).toEqual(["Distributing 20 work items across 4 workers...", ""]);
    expect(lines.slice(-2)).toEqual(["", "Fan-out/Fan-in completed! Processed 20 items."]);
    const body = lines.slice(2, -2);
    for (const form of FORMS) expect(body.filter((line) => form.test(line))).toHaveLength(20);
    expect(body).toHaveLength(60);
    expect(elapsedMs).toBeGreaterThan(1100);
    expect(elapsedMs).toBeLessThan(1800);
  });

  test("makes, works on and collects each item in that order", async () => {
    const { lines } = await runDemo(demo, 7);
    for (let item = 0; item < 20; item++) {
      const made = lines.indexOf(`Generated work item: ${item}`);
      const done = lines.findIndex((line) => new RegExp(`^Worker \\d processed item ${item}$`).test(line));
      const collected = lines.findIndex((line) => line.startsWith(`Processed: processed-data-${item}-by-`));
      expect(made).toBeLessThan(done);
      expect(done).toBeLessThan(collected);
      const worker = /^Worker (\d)/.exec(lines[done] ?? "")?.[1];
      expect(lines[collected]).toBe(`Processed: processed-data-${item}-by-worker-${worker}`);
    }
  });

  test.each([0, 1, 333, 1000])("leaves nothing when it is given up after %i ms", async (afterMs) => {
    const stop = new Error("stop");
    await simulate(async () => {
      const { ctx, cancel } = withCancel(background);
      const between = (min: number, below: number): number => min + Math.floor(random() * (below - min));
      const params = { items: 20, workers: 4 };
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(afterMs).then(() => cancel(stop)));
        const run = demo.run({ params, ctx, print: (text = "") => log(text), between, timeOfDay: () => "" });
        await expect(run).rejects.toBe(stop);
      });
    });
  });
});
