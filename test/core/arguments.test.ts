import { describe, expect, test } from "vitest";
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireLimit,
  requireNumber,
  requireOneOf,
  requirePositive,
} from "../../src/core/arguments.ts";
import { thrownBy } from "../support/outcomes.ts";

type Check = (value: unknown) => unknown;

const checks: Record<string, readonly [Check, string, readonly unknown[]]> = {
  requireInteger: [(v) => requireInteger("x", v, 0), "a whole number of at least 0", [0, 1, 2 ** 53 - 1]],
  "requireInteger in a range": [(v) => requireInteger("x", v, 0, 9), "a whole number from 0 to 9", [0, 9]],
  requireLimit: [
    (v) => requireLimit("x", v, 0),
    "a whole number of at least 0, or Infinity",
    [0, 5, Infinity],
  ],
  requireNumber: [(v) => requireNumber("x", v, 0), "a finite number of at least 0", [0, 0.5, 2 ** 60]],
  requirePositive: [(v) => requirePositive("x", v), "a number above 0", [Number.MIN_VALUE, 3, Infinity]],
};
const values = [
  Number.NaN,
  Infinity,
  -Infinity,
  -1,
  0,
  0.5,
  1,
  1.5,
  3,
  5,
  9,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 60,
  Number.MIN_VALUE,
];
const others = [undefined, null, "3", "", true, 3n, {}, [], () => 1, Symbol.iterator, new Date(0)];

describe.each(Object.entries(checks))("%s", (_, [check, expected, good]) => {
  test.each(good)("accepts %s", (value) => {
    expect(check(value)).toBe(value);
  });
  test("refuses everything that is no number with a TypeError that names argument, expectation and value", () => {
    for (const value of others) {
      const error = thrownBy(() => check(value)) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(`x must be ${expected}, got `);
    }
  });
  test("refuses NaN and -1 with a RangeError", () => {
    for (const value of [Number.NaN, -1, -Infinity]) {
      const error = thrownBy(() => check(value)) as Error;
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe(`x must be ${expected}, got ${value}`);
    }
  });
  test("never lets a number through that is not one of its kind", () => {
    const accepted = values.filter((value) => thrownBy(() => check(value)) === undefined);
    const whole = (value: number): boolean =>
      !expected.includes("whole") || Number.isInteger(value) || value === Infinity;
    expect(accepted.filter((value) => !whole(value) || value < 0)).toEqual([]);
  });
});

test("a whole number is never -0", () => {
  expect(Object.is(requireInteger("x", -0, 0), 0)).toBe(true);
  expect(Object.is(requireLimit("x", -0, 0), 0)).toBe(true);
});

test("a duration below zero counts as zero, and NaN is refused", () => {
  expect([-5, -0, 0, 2.5, Infinity].map((value) => requireDuration("x", value))).toEqual([
    0,
    0,
    0,
    2.5,
    Infinity,
  ]);
  expect(thrownBy(() => requireDuration("x", Number.NaN))).toBeInstanceOf(RangeError);
  for (const value of others) expect(thrownBy(() => requireDuration("x", value))).toBeInstanceOf(TypeError);
});

test("a function and a word are what they must be", () => {
  requireFunction("x", () => {});
  expect(requireOneOf("x", "b", ["a", "b"])).toBe("b");
  expect(thrownBy(() => requireOneOf("x", 3, ["a", "b"]))).toMatchObject({
    message: 'x must be one of "a", "b", got 3',
  });
  expect(thrownBy(() => requireFunction("x", {}))).toMatchObject({
    message: "x must be a function, got an object",
  });
});
