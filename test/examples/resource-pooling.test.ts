import { simulate } from "concurrency-model-patterns/testing";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/resource-pooling.ts";
import { failureOf } from "../support/outcomes.ts";
import { runDemo } from "../support/run-demo.ts";

const SEEDS = [1, 2, 3, 4, 5, 6];

interface Scene {
  readonly lines: readonly string[];
  readonly got: RegExp;
  readonly works: RegExp;
  readonly released: RegExp;
}

/** Replays the lines: who holds what. Gives the most that were held at once, and how often each kind of line came. */
function replay({ lines, got, works, released }: Scene): { most: number; counts: readonly number[] } {
  const holders = new Map<string, string>();
  const counts = [0, 0, 0] as [number, number, number];
  let most = 0;
  for (const line of lines) {
    const [form, index] = [got, works, released]
      .map((candidate, place) => [candidate.exec(line), place] as const)
      .find(([match]) => match !== null) ?? [null, -1];
    if (form === null) throw new Error(`unexpected line: ${line}`);
    const [, worker = "", resource = ""] = form;
    const held = holders.get(resource);
    if (index === 0 ? held !== undefined : held !== worker) throw new Error(`not possible: ${line}`);
    if (index === 0) holders.set(resource, worker);
    if (index === 2) holders.delete(resource);
    most = Math.max(most, holders.size);
    counts[index as 0]++;
  }
  if (holders.size > 0) throw new Error("something was not released");
  return { most, counts };
}

function scenes(lines: readonly string[]): { database: Scene; http: Scene } {
  const middle = lines.indexOf("2. HTTP Client Pool Example:");
  return {
    database: {
      lines: lines.slice(2, middle - 2),
      got: /^Worker (\d+): Got DB connection (\d+)$/,
      works: /^Worker (\d+): Executing query on connection (\d+)$/,
      released: /^Worker (\d+): Released DB connection (\d+)$/,
    },
    http: {
      lines: lines.slice(middle + 1, -3),
      got: /^Worker (\d+): Got HTTP client (\d+)$/,
      works: /^Worker (\d+): Making API request with client (\d+)$/,
      released: /^Worker (\d+): Released HTTP client (\d+)$/,
    },
  };
}

describe("the resource pooling demo", () => {
  test.each(SEEDS)("lends five connections to eight workers (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    expect(lines.slice(0, 2)).toEqual(["", "1. Database Connection Pool Example:"]);
    const { database } = scenes(lines);
    expect(replay(database)).toEqual({ most: 5, counts: [8, 8, 8] });
    const order = database.lines.flatMap((line) => /Got DB connection (\d+)$/.exec(line)?.[1] ?? []);
    expect(
      order
        .slice(0, 5)
        .map(Number)
        .toSorted((one, other) => one - other),
    ).toEqual([1, 2, 3, 4, 5]);
    expect(lines).toContain("DB pool closed. Total connections created: 5");
    expect(elapsedMs).toBeGreaterThan(800);
    expect(elapsedMs).toBeLessThan(2300);
  });

  test.each(SEEDS)("lends four clients to six workers (seed %i)", async (seed) => {
    const { lines } = await runDemo(demo, seed);
    expect(replay(scenes(lines).http)).toEqual({ most: 4, counts: [6, 6, 6] });
    expect(lines.slice(-3)).toEqual([
      "HTTP client pool closed. Total clients created: 4",
      "",
      "Resource Pooling example completed!",
    ]);
  });

  test("takes its numbers from the parameters", async () => {
    const { lines } = await runDemo(demo, 1, { connections: 20, clients: 1 });
    const { database, http } = scenes(lines);
    expect(replay(database).most).toBe(8);
    expect(replay(http).most).toBe(1);
    expect(lines).toContain("DB pool closed. Total connections created: 8");
    expect(lines).toContain("HTTP client pool closed. Total clients created: 1");
  });

  test.each([0, 100, 450])("gives up at once when it is cancelled after %i ms", async (afterMs) => {
    const reason = new Error("enough");
    await simulate(
      async (ctx) => {
        const group = new TaskGroup({ signal: ctx.signal });
        const run = group.go((scope) =>
          demo.run({
            params: { connections: 5, clients: 4 },
            ctx: scope,
            print: () => {},
            between: (min) => min,
            timeOfDay: () => "",
          }),
        );
        await sleep(afterMs, ctx);
        run.cancel(reason);
        const cancelledMs = now();
        expect(await failureOf(run.join())).toBe(reason);
        expect(now()).toBe(cancelledMs);
        await group.wait();
      },
      { seed: 3 },
    );
  });
});
