import { background, withCancel } from "concurrency-model-patterns/context";
import { log, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/singleflight.ts";
import { runDemo } from "../support/run-demo.ts";

const DUPLICATE = "Duplicate call for key user:123, waiting for result...";

describe("the singleflight demo", () => {
  test.each([1, 2, 3, 4, 5])("answers five requests by one execution (seed %i)", async (seed) => {
    const { lines, times, elapsedMs } = await runDemo(demo, seed);
    const second = lines.indexOf("Testing with different keys:");
    expect(lines[0]).toBe("Making 5 concurrent requests for key: user:123");
    const begun = lines.slice(1, 11);
    const executing = begun.filter((line) => line.endsWith("Executing expensive operation..."));
    const [, leader] = /^Request (\d): Executing/.exec(executing[0] ?? "") as RegExpExecArray;
    const started = [0, 1, 2, 3, 4].map((id) => `Request ${id}: Starting...`);
    const all = [...started, ...Array<string>(4).fill(DUPLICATE), ...executing];
    expect(executing).toHaveLength(1);
    expect(begun.toSorted()).toEqual(all.toSorted());
    const data = `Data for user:123 (processed by request ${leader})`;
    const completed = [0, 1, 2, 3, 4].map((id) => `Request ${id}: Completed with result: ${data}`);
    expect(lines.slice(11, 16).toSorted()).toEqual(completed);
    const listed = [0, 1, 2, 3, 4].map((id) => `  Request ${id}: ${data}`);
    expect(lines.slice(16, second)).toEqual(["", "All results should be identical:", ...listed, ""]);
    expect(times[11]).toBe(2000);
    expect(elapsedMs).toBe(3000);
  });

  test.each([1, 2, 3, 4, 5])("executes once for each of two keys (seed %i)", async (seed) => {
    const { lines } = await runDemo(demo, seed);
    const second = lines.slice(lines.indexOf("Testing with different keys:") + 1);
    const [, first] = /^Request (\d): Executing for key user:123...$/m.exec(
      second.join("\n"),
    ) as RegExpExecArray;
    expect(["0", "2"]).toContain(first);
    const begun = [
      DUPLICATE,
      `Request ${first}: Executing for key user:123...`,
      "Request 1: Executing for key user:456...",
    ];
    expect(second.slice(0, 3).toSorted()).toEqual(begun.toSorted());
    expect(second.slice(3, 6).toSorted()).toEqual([
      "Request 0: Key user:123 -> Data for user:123",
      "Request 1: Key user:456 -> Data for user:456",
      "Request 2: Key user:123 -> Data for user:123",
    ]);
    expect(second.slice(6)).toEqual(["", "Singleflight example completed!"]);
  });

  test("has no duplicate with one caller", async () => {
    const { lines } = await runDemo(demo, 1, { callers: 1 });
    expect(lines.slice(0, 3)).toEqual([
      "Making 1 concurrent requests for key: user:123",
      "Request 0: Starting...",
      "Request 0: Executing expensive operation...",
    ]);
  });

  test.each([0, 1, 2000, 2500])("leaves nothing when it is given up after %i ms", async (afterMs) => {
    const stop = new Error("stop");
    const { elapsedMs } = await simulate(
      async () => {
        const { ctx, cancel } = withCancel(background);
        await TaskGroup.run(async (group) => {
          group.go(() => sleep(afterMs).then(() => cancel(stop)));
          const print = (text = ""): void => log(text);
          const run = demo.run({
            params: { callers: 5 },
            ctx,
            print,
            between: (min) => min,
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
