import { describe, expect, test } from "vitest";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { log, random, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { demo } from "../../examples/pools.ts";
import { runDemo } from "../support/run-demo.ts";

const SENT = /^Sending job (\d+) to pool$/;
const TAKEN = /^Worker ([1-3]) processing job (\d+) \(will take [2-4]\d\dms\)$/;
const RESULT = /^Result: Job (\d+) completed by worker ([1-3]) in [2-4]\d\dms$/;

describe("the worker pools demo", () => {
  test.each([1, 2, 3, 4, 5])("does fifteen jobs with three workers (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    const workers = [1, 2, 3];
    expect(lines.slice(0, 3).toSorted()).toEqual(workers.map((worker) => `Worker ${worker} started`));
    expect(lines[3]).toBe("Sending job 1 to pool");
    expect(lines.slice(-5, -2).toSorted()).toEqual(workers.map((worker) => `Worker ${worker} finished`));
    expect(lines.slice(-2)).toEqual(["", "Worker pool completed! Processed 15 jobs."]);
    const body = lines.slice(3, -5);
    for (const form of [SENT, TAKEN, RESULT]) {
      expect(body.filter((line) => form.test(line))).toHaveLength(15);
    }
    expect(body).toHaveLength(45);
    expect(elapsedMs).toBeGreaterThan(1700);
    expect(elapsedMs).toBeLessThan(2600);
  });

  test("sends, works on and reports each job in that order, and says the same twice", async () => {
    const { lines } = await runDemo(demo, 7);
    for (let job = 1; job <= 15; job++) {
      const sent = lines.indexOf(`Sending job ${job} to pool`);
      const taken = lines.findIndex((line) => TAKEN.exec(line)?.[2] === `${job}`);
      const [, worker, , tookMs] = /^Worker (\d) processing job (\d+) \(will take (\d+ms)\)$/.exec(
        lines[taken] ?? "",
      ) as RegExpExecArray;
      const result = lines.indexOf(`Result: Job ${job} completed by worker ${worker} in ${tookMs}`);
      expect(sent).toBeLessThan(taken);
      expect(taken).toBeLessThan(result);
    }
  });

  // It takes 1600 ms at least: the last job comes after 1400.
  test.each([0, 1, 333, 1000, 1599])("leaves nothing when it is given up after %i ms", async (afterMs) => {
    const stop = new Error("stop");
    const { elapsedMs } = await simulate(async () => {
      const { ctx, cancel } = withCancel(background);
      const between = (min: number, below: number): number => min + Math.floor(random() * (below - min));
      const params = { items: 15, workers: 3 };
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(afterMs).then(() => cancel(stop)));
        const run = demo.run({ params, ctx, print: (text = "") => log(text), between, timeOfDay: () => "" });
        await expect(run).rejects.toBe(stop);
      });
    });
    expect(elapsedMs).toBe(afterMs);
  });
});
