import { describe, expect, test } from "vitest";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { demo } from "../../examples/rate-limiting.ts";
import { runDemo } from "../support/run-demo.ts";

const SEEDS = [1, 2, 3, 4, 5];

describe("the rate limiting demo", () => {
  test.each(SEEDS)("spaces six requests evenly, in their order (seed %i)", async (seed) => {
    const { lines, times, elapsedMs } = await runDemo(demo, seed);
    expect(lines.slice(0, 8)).toEqual([
      "",
      "1. Fixed rate limiting (2 requests per second):",
      "Request 1 processed at 15:04:05.000",
      "Request 2 processed at 15:04:05.500",
      "Request 3 processed at 15:04:06.000",
      "Request 4 processed at 15:04:06.500",
      "Request 5 processed at 15:04:07.000",
      "Request 6 processed at 15:04:07.500",
    ]);
    const requests = times.slice(2, 8);
    for (const [index, atMs] of requests.slice(1).entries()) {
      expect(atMs - (requests[index] ?? 0)).toBeGreaterThanOrEqual(500);
    }
    expect(elapsedMs).toBe(2500);
  });

  test.each(SEEDS)("grants five of ten that come at once (seed %i)", async (seed) => {
    const { lines } = await runDemo(demo, seed);
    expect(lines.slice(8, 10)).toEqual([
      "",
      "2. Token bucket rate limiting (3 tokens per second, burst of 5):",
    ]);
    const verdicts = lines
      .slice(10, 20)
      .map((line) => /^Token request (\d+) (granted|denied) at 15:04:07\.500$/.exec(line) ?? [line]);
    const ids = verdicts.map(([, id]) => Number(id));
    expect(ids.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(verdicts.map(([, , verdict]) => verdict)).toEqual([
      ...Array.from({ length: 5 }, () => "granted"),
      ...Array.from({ length: 5 }, () => "denied"),
    ]);
    expect(lines.slice(20)).toEqual(["", "Rate Limiting example completed!"]);
  });

  test("takes its numbers from the parameters", async () => {
    const { lines, elapsedMs } = await runDemo(demo, 1, { rate: 10, tokenRate: 7, burst: 2 });
    expect(lines[1]).toBe("1. Fixed rate limiting (10 requests per second):");
    expect(lines[9]).toBe("2. Token bucket rate limiting (7 tokens per second, burst of 2):");
    expect(lines.filter((line) => line.includes("granted"))).toHaveLength(2);
    expect(elapsedMs).toBeCloseTo(500, 3);
  });

  test("gives up at once when it is cancelled, and leaves nothing", async () => {
    const reason = new Error("enough");
    await simulate(async (ctx) => {
      const group = new TaskGroup({ signal: ctx.signal });
      const run = group.go((scope) =>
        demo.run({
          params: { rate: 2, tokenRate: 3, burst: 5 },
          ctx: scope,
          print: () => {},
          between: (min) => min,
          timeOfDay: () => "",
        }),
      );
      await sleep(1200, ctx);
      run.cancel(reason);
      await expect(run.join()).rejects.toBe(reason);
      expect(now()).toBe(1200);
      await group.wait();
    });
  });
});
