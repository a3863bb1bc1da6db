import { describe, expect, test } from "vitest";
import { demo } from "../../examples/pipeline.ts";
import { runDemo } from "../support/run-demo.ts";

describe("the pipeline demo", () => {
  test.each([1, 2, 3])("sends ten numbers through three stages (seed %i)", async (seed) => {
    const { lines, elapsedMs } = await runDemo(demo, seed);
    const of = (form: RegExp): string[] => lines.flatMap((line) => form.exec(line)?.[1] ?? []);
    const generated = of(/^Generated: (\d+)$/);
    expect(generated).toHaveLength(10);
    expect(of(/^Result: (\d+)$/)).toEqual(generated.map((n) => `${Number(n) ** 2 + 10}`));
    expect(elapsedMs).toBeGreaterThan(1400);
    expect(elapsedMs).toBeLessThan(1800);
  });

  test("prints nothing but the lines of the pattern", async () => {
    const { lines } = await runDemo(demo, 1);
    expect(lines.slice(0, 5)).toEqual([
      "Pipeline stages:",
      "1. Generate numbers",
      "2. Square numbers",
      "3. Add 10",
      "",
    ]);
    expect(lines.at(-1)).toBe("Pipeline completed!");
    const forms = [/^Generated: \d+$/, /^Squared \d+ -> \d+$/, /^Added 10 to \d+ -> \d+$/, /^Result: \d+$/];
    for (const line of lines.slice(5, -1))
      expect(
        forms.some((form) => form.test(line)),
        line,
      ).toBe(true);
  });
});
