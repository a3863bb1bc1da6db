import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { demo } from "../../examples/producer-consumer.ts";
import { runDemo } from "../support/run-demo.ts";

const PRODUCED = /^Producer (\d+) produced: (\d+)$/;
const CONSUMED = /^Consumer (\d+) consumed: (\d+)$/;

function numbersOf(lines: readonly string[], form: RegExp): number[] {
  return lines.flatMap((line) => (form.exec(line) === null ? [] : [Number(form.exec(line)?.[2])]));
}

describe("the producer-consumer demo", () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    "consumes what is produced, and nothing before it was produced (seed %i)",
    async (seed) => {
      const { lines, elapsedMs } = await runDemo(demo, seed);
      expect(lines.at(-1)).toBe("Producer-Consumer example completed!");
      const open: number[] = [];
      for (const line of lines.slice(0, -1)) {
        const [, producer, produced] = PRODUCED.exec(line) ?? [];
        const [, consumer, consumed] = CONSUMED.exec(line) ?? [];
        if (produced !== undefined) {
          expect(["1", "2"]).toContain(producer);
          open.push(Number(produced));
        } else {
          expect(["1", "2", "3"], line).toContain(consumer);
          expect(open).toContain(Number(consumed));
          open.splice(open.indexOf(Number(consumed)), 1);
        }
      }
      expect(open).toEqual([]);
      const produced = numbersOf(lines, PRODUCED);
      expect(produced).toHaveLength(20);
      expect(produced.every((n) => n >= 0 && n <= 99)).toBe(true);
      expect(elapsedMs).toBeGreaterThan(1500);
      expect(elapsedMs).toBeLessThan(3400);
    },
  );

  test("each producer pauses for 100 to 299 ms after a put", async () => {
    const { lines, times } = await runDemo(demo, 1);
    for (const id of ["1", "2"]) {
      const at = times.filter((_, index) => PRODUCED.exec(lines[index] as string)?.[1] === id);
      const pauses = at.slice(1).map((time, index) => time - (at[index] as number));
      expect(pauses).toHaveLength(9);
      expect(pauses.every((pause) => pause >= 100 && pause < 300)).toBe(true);
    }
  });

  test("with one slow consumer the buffer holds up the producers", async () => {
    const { lines } = await runDemo(demo, 1, { consumers: 1, buffer: 2 });
    let ahead = 0;
    for (const line of lines) {
      if (PRODUCED.test(line)) ahead++;
      if (CONSUMED.test(line)) ahead--;
      expect(ahead).toBeLessThanOrEqual(2 + 2);
    }
  });

  test("with nothing to produce, and with a buffer of 0, it still ends", async () => {
    expect((await runDemo(demo, 1, { items: 0 })).lines).toEqual(["Producer-Consumer example completed!"]);
    expect(numbersOf((await runDemo(demo, 1, { buffer: 0 })).lines, CONSUMED)).toHaveLength(20);
  });

  test("when it is called off midway it ends at once and leaves nothing", async () => {
    for (let at = 0; at < 1000; at += 70) {
      const reason = new Error("enough");
      const controller = new AbortController();
      const params = { producers: 2, consumers: 3, items: 10, buffer: 5 };
      const between = (min: number): number => min;
      const lines: string[] = [];
      const print = (text = ""): void => void lines.push(text);
      const program = async (ctx: Parameters<typeof demo.run>[0]["ctx"]): Promise<void> => {
        void sleep(at).then(() => controller.abort(reason));
        await expect(demo.run({ params, ctx, print, between, timeOfDay: () => "" })).rejects.toBe(reason);
        expect(now()).toBe(at);
      };
      await simulate(program, { seed: at, signal: controller.signal });
      expect(lines.at(-1)).not.toMatch(/completed/);
    }
  });
});
