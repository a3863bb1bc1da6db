import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesOfValue,
  pack,
  readKey,
  readValue,
  requireKey,
  roomForKey,
  writeKey,
} from "../../../src/node/mapreduce/codec.ts";
import type { MapReduceKey } from "../../../src/node/mapreduce/job.ts";
import { anyText } from "../../support/any-text.ts";

function bytesOf(key: MapReduceKey): Uint8Array {
  const bytes = new Uint8Array(roomForKey(key));
  return bytes.subarray(0, writeKey(key, bytes, 0));
}

const codes = (text: string): number[] => [...text].map((character) => character.codePointAt(0) as number);

/** The order that is promised, on the keys themselves. */
function compare(left: MapReduceKey, right: MapReduceKey): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "number") return -1;
  if (typeof right === "number") return 1;
  const [leftCodes, rightCodes] = [codes(left), codes(right)];
  const at = leftCodes.findIndex((code, index) => code !== rightCodes[index]);
  if (at === -1) return leftCodes.length - rightCodes.length;
  return (leftCodes[at] ?? 0) - (rightCodes[at] ?? -1);
}

const compareBytes = (left: Uint8Array, right: Uint8Array): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

const key = fc.oneof(
  anyText({ maxLength: 8 }),
  fc
    .array(fc.integer({ min: 0xd700, max: 0xe010 }), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
  fc.double({ noNaN: true }).map((n) => n + 0),
);

describe("keys as bytes", () => {
  test("come back as they were, and are in order", () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        expect(readKey(bytesOf(left))).toBe(left);
        expect(Math.sign(compareBytes(bytesOf(left), bytesOf(right)))).toBe(Math.sign(compare(left, right)));
      }),
      { numRuns: 500 },
    );
  });

  test("of awkward kinds are ordinary ones", () => {
    const keys = [
      "",
      "__proto__",
      "\u{FEFF}x",
      "\0",
      "\u{FFFD}",
      "\u{D800}",
      "\u{DC00}\u{D800}",
      "x".repeat(1 << 20),
    ];
    for (const each of keys) expect(readKey(bytesOf(each))).toBe(each);
    for (const each of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 2 ** 53])
      expect(readKey(bytesOf(each))).toBe(each);
    expect(Object.is(requireKey(-0), 0)).toBe(true);
    expect(() => requireKey({})).toThrow("key must be a string or a number, got an object");
  });
});

describe("values as bytes", () => {
  test("come back as they were", () => {
    const values = [
      0,
      -0,
      255,
      256,
      -1,
      1.5,
      Number.NaN,
      2 ** 60,
      "",
      "\u{D800}é",
      undefined,
      null,
      true,
      7n,
      [1],
      { a: [new Map([[1, 2]])] },
    ];
    for (const value of values) expect(readValue(bytesOfValue(value))).toStrictEqual(value);
  });

  test("hold no memory of whoever reads them", () => {
    const bytes = bytesOfValue(new Uint8Array([1, 2, 3, 4]));
    const value = readValue(bytes);
    bytes.fill(0);
    expect(value).toStrictEqual(new Uint8Array([1, 2, 3, 4]));
  });

  test("are refused if they cannot be copied", () => {
    expect(() => pack(() => 1)).toThrow("could not be cloned");
  });
});
