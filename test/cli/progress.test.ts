import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { progressLine } from "../../cli/progress.ts";

describe("the line of progress", () => {
  test.each([
    [79, "[#############...........................]  33 %  1.5 MB of 4.5 MB  1.5 MB/s"],
    [40, "[####..........]  33 %  1.5 MB of 4.5 MB"],
    [24, "[#####...........]  33 %"],
    [10, " 33 %"],
    [3, ""],
  ])("in %i columns has what there is room for", (width, expected) => {
    expect(progressLine(1_500_000, 4_500_000, 1000, width)).toBe(expected);
  });

  test("is never wider than it may be, and its bar is full at the end", () => {
    const bytes = fc.nat(Number.MAX_SAFE_INTEGER);
    const total = fc.option(bytes, { nil: undefined });
    fc.assert(
      fc.property(bytes, total, fc.nat(1e9), fc.integer({ min: -1, max: 300 }), (read, of, ms, width) => {
        expect(progressLine(read, of, ms, width).length).toBeLessThanOrEqual(Math.max(0, width));
      }),
    );
    expect(progressLine(7, 7, 1000, 79)).toMatch(/^\[#{40}\] 100 %/);
    expect(progressLine(0, 7, 0, 79)).toMatch(/^\[\.{40}\] +0 %/);
  });

  test("of something without a length says how much there was", () => {
    expect(progressLine(2_000_000, undefined, 500, 79)).toBe("2.0 MB  4.0 MB/s");
    expect(progressLine(2_000_000, undefined, 500, 8)).toBe("2.0 MB");
  });
});
