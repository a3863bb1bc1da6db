import { describe, expect, test } from "vitest";
import { preview } from "../../src/core/preview.ts";

const cyclic: unknown[] = [1];
cyclic.push(cyclic);
const throwing = {
  get value(): never {
    throw new Error("not to be looked at");
  },
};

describe("preview", () => {
  test.for([
    ["text", "text"],
    [7, "7"],
    [undefined, "undefined"],
    [null, "null"],
    [9n, "9"],
    [Symbol("s"), "Symbol(s)"],
    [[1, "a", [2, [3]]], '[1,"a",[2,[…]]]'],
    [[1, 2, 3, 4, 5, 6], "[1,2,3,4,5,…]"],
    [
      { id: 1, name: "x", deep: { deeper: { deepest: 1 } } },
      '{"id":1,"name":"x","deep":{"deeper":{…}}}'.slice(0, 39) + "…",
    ],
    [new Uint8Array(1 << 20), "Uint8Array(1048576)"],
    [new Map([[1, 2]]), "Map(1)"],
    [new TypeError("wrong"), "TypeError: wrong"],
    [cyclic, "[1,[1,[…]]]"],
    [throwing, "object"],
    ["x".repeat(100), `${"x".repeat(39)}…`],
    [Object.create(null), "{}"],
  ] as readonly (readonly [unknown, string])[])("shows what $1 shows", ([value, text]) => {
    expect(preview(value)).toBe(text);
  });

  test("looks at no more of a value than it shows", () => {
    let looks = 0;
    const watched = new Proxy(
      Array.from({ length: 1_000_000 }, () => 0),
      {
        get: (target, key, receiver) => {
          looks++;
          return Reflect.get(target, key, receiver) as unknown;
        },
      },
    );
    expect(preview(watched)).toBe("[0,0,0,0,0,…]");
    expect(looks).toBeLessThan(30);
  });
});
