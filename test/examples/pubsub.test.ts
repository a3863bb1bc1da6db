import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/pubsub.ts";
import { runDemo } from "../support/run-demo.ts";

describe("the pub/sub demo", () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    "tells every subscriber each message before the next is sent (seed %i)",
    async (seed) => {
      const { lines, elapsedMs } = await runDemo(demo, seed);
      for (let n = 1; n <= 5; n++) {
        const [sending, ...received] = lines.slice((n - 1) * 4, n * 4);
        expect(sending).toBe(`Publisher sending: Message ${n}`);
        const expected = [1, 2, 3].map((s) => `Subscriber ${s} received: Message ${n}`);
        expect(received.toSorted()).toEqual(expected);
      }
      expect(lines.slice(20, 23).toSorted()).toEqual([1, 2, 3].map((s) => `Subscriber ${s} done.`));
      expect(lines.slice(23)).toEqual(["Pub/Sub example completed!"]);
      expect(elapsedMs).toBe(2000);
    },
  );

  test("subscribers get a message in an order that differs", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      orders.add((await runDemo(demo, seed, { items: 1 })).lines.slice(1, 4).join());
    }
    expect(orders.size).toBeGreaterThan(2);
  });

  test("works without subscribers, without messages and without a buffer", async () => {
    const last = "Pub/Sub example completed!";
    expect((await runDemo(demo, 1, { subscribers: 0, items: 1 })).lines).toEqual([
      "Publisher sending: Message 1",
      last,
    ]);
    expect((await runDemo(demo, 1, { subscribers: 1, items: 0 })).lines).toEqual([
      "Subscriber 1 done.",
      last,
    ]);
    expect((await runDemo(demo, 1, { buffer: 0 })).lines).toHaveLength(24);
  });

  test("when it is called off midway it ends at once and leaves nothing", async () => {
    for (let at = 0; at < 2000; at += 130) {
      const reason = new Error("enough");
      const controller = new AbortController();
      const params = { subscribers: 3, items: 5, buffer: 2 };
      const between = (min: number): number => min;
      const lines: string[] = [];
      const print = (text = ""): void => void lines.push(text);
      await simulate(
        async (ctx) => {
          void sleep(at).then(() => controller.abort(reason));
          await expect(demo.run({ params, ctx, print, between, timeOfDay: () => "" })).rejects.toBe(reason);
          expect(now()).toBe(at);
        },
        { seed: at, signal: controller.signal },
      );
      expect(lines.at(-1)).not.toMatch(/completed|done/);
    }
  });
});
