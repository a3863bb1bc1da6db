import { constantDelay, decorrelatedDelay, exponentialDelay } from "concurrency-model-patterns/schedule";
import { simulate } from "concurrency-model-patterns/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("a schedule", () => {
  test("that is exponential never passes its cap, nor its own jitter", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        (firstMs, factor, jitter, attempt) => {
          const delayMs = exponentialDelay({ firstMs, factor, jitter, maxMs: 1e7 })(attempt);
          const whole = Math.min(1e7, firstMs * factor ** (attempt - 1));
          expect(delayMs).toBeGreaterThanOrEqual(whole * (1 - jitter) * 0.999999);
          expect(delayMs).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });

  test("that is decorrelated stays between its bounds, and widens", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (previousMs) => {
        const delayMs = decorrelatedDelay({ firstMs: 10, maxMs: 5000 })(2, previousMs);
        expect(delayMs).toBeGreaterThanOrEqual(10);
        expect(delayMs).toBeLessThanOrEqual(Math.min(5000, Math.max(10, previousMs) * 3));
      }),
    );
  });

  test("that is decorrelated grows with the pause before it", () => {
    const schedule = decorrelatedDelay({ firstMs: 10, maxMs: 5000 });
    const drawn = Array.from({ length: 200 }, () => schedule(2, 1000));
    expect(Math.max(...drawn)).toBeGreaterThan(1000);
  });

  test("takes its chance from the runtime, also one that was made before it", async () => {
    const made = [exponentialDelay(), decorrelatedDelay()];
    const draw = async (seed: number): Promise<number[]> =>
      (await simulate(() => made.map((one) => one(3, 400)), { seed })).value;
    expect(await draw(7)).toEqual(await draw(7));
    expect(await draw(7)).not.toEqual(await draw(8));
  });

  test("refuses bad options by name", () => {
    expect(() => exponentialDelay({ firstMs: 0 })).toThrow(/firstMs/);
    expect(() => exponentialDelay({ factor: 0.5 })).toThrow(/factor/);
    expect(() => exponentialDelay({ jitter: 2 })).toThrow(/jitter/);
    expect(() => decorrelatedDelay({ maxMs: Number.NaN })).toThrow(/maxMs/);
    expect(() => constantDelay("1" as unknown as number)).toThrow(/delayMs/);
  });
});
