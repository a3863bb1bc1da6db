import { background, withCancel } from "concurrency-model-patterns/context";
import { log, random, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/mapreduce.ts";
import { runDemo } from "../support/run-demo.ts";

const COUNTS = {
  hello: 3,
  world: 3,
  go: 4,
  concurrency: 3,
  patterns: 2,
  of: 1,
  programming: 1,
  in: 1,
};

const INPUT =
  "Input data: [hello world hello go world of concurrency go programming concurrency patterns hello concurrency go world patterns in go]";

describe("the mapreduce demo", () => {
  test.each([1, 2, 3, 4, 5])("maps, then groups, then reduces each word (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    const words = Object.entries(COUNTS);
    expect(lines).toHaveLength(1 + 18 + 8 + 8 + 2 + 8 + 2);
    expect(lines[0]).toBe(INPUT);
    const emitted = words.flatMap(([word, count]) => Array<string>(count).fill(`Map: emitted (${word}, 1)`));
    expect(lines.slice(1, 19).toSorted()).toEqual(emitted.toSorted());
    const grouped = words.map(
      ([word, count]) => `Shuffle: grouped ${word} -> [${Array(count).fill("1").join(" ")}]`,
    );
    expect(lines.slice(19, 27).toSorted()).toEqual(grouped.toSorted());
    const reduced = words.map(([word, count]) => `Reduce: ${word} -> ${count}`);
    expect(lines.slice(27, 35).toSorted()).toEqual(reduced.toSorted());
    expect(lines.slice(35, 37)).toEqual(["", "Word count results:"]);
    const results = words.map(([word, count]) => `  ${word}: ${count}`);
    expect(lines.slice(37, 45).toSorted()).toEqual(results.toSorted());
    expect(lines.slice(45)).toEqual(["", "MapReduce example completed!"]);
    expect(elapsedMs).toBeGreaterThan(80);
    expect(elapsedMs).toBeLessThan(250);
  });

  test("says the same twice with one seed", async () => {
    expect(await runDemo(demo, 7)).toEqual(await runDemo(demo, 7));
  });

  test("takes longer with one worker", async () => {
    const { elapsedMs } = await runDemo(demo, 1, { workers: 1 });
    expect(elapsedMs).toBeGreaterThan(500);
  });

  test.each([0, 1, 60, 130])("leaves nothing when it is given up after %i ms", async (afterMs) => {
    const stop = new Error("stop");
    const { elapsedMs } = await simulate(
      async () => {
        const { ctx, cancel } = withCancel(background);
        const between = (min: number, below: number): number => min + Math.floor(random() * (below - min));
        await TaskGroup.run(async (group) => {
          group.go(() => sleep(afterMs).then(() => cancel(stop)));
          const params = { workers: 2 };
          const run = demo.run({
            params,
            ctx,
            print: (text = "") => log(text),
            between,
            timeOfDay: () => "",
          });
          await expect(run).rejects.toBe(stop);
        });
      },
      { seed: 1 },
    );
    expect(elapsedMs).toBe(afterMs);
  });
});
