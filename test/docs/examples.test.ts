import { beforeAll, describe, expect, test } from "vitest";
import {
  blocksOf,
  docExamples,
  type Example,
  pageExamples,
  publicScope,
  runExample,
} from "../support/doc-examples.ts";
import { buildIfStale } from "../support/build.ts";

const examples = [...docExamples(), ...pageExamples()];
const scope = await publicScope();

// Threads begin with what was built.
beforeAll(buildIfStale);

describe("every example runs, and what it claims holds", () => {
  for (const example of examples.filter(({ runs }) => runs)) {
    test(`${example.file}: ${example.symbol}`, async () => {
      await expect(runExample(example, scope)).resolves.toBeUndefined();
    });
  }

  test("there are examples, each with a name of its own", () => {
    const names = examples.map(({ file, symbol }) => `${file}: ${symbol}`);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

test("the public modules can all be imported", () => {
  const reasons = [...scope.failed].map(([specifier, reason]) => `${specifier}: ${String(reason)}`);
  expect(reasons).toEqual([]);
});

describe("the check of the examples", () => {
  const doc = (...lines: readonly string[]): Example => ({
    file: "src/sync/channel.ts",
    line: 10,
    symbol: "Channel",
    code: lines.join("\n"),
    kind: "doc",
    runs: true,
  });
  const page = (...lines: readonly string[]): Example => ({
    ...doc(...lines),
    kind: "page",
    file: "README.md",
  });

  test("accepts claims that hold: values, awaits, several lines, nested ones, names declared anew", async () => {
    const lines = [
      "const receive: number = 1;",
      "receive; //=> 1",
      "await Promise.resolve([undefined, { a: -1n }]); //=> [undefined, { a: -1n }]",
      "[1, 2]",
      "  .map((n) => n * 2); //=> [2, 4]",
      "for (const n of [1]) {",
      "  n; //=> 1",
      "}",
    ];
    await expect(runExample(doc(...lines), scope)).resolves.toBeUndefined();
  });

  test.each([
    [
      "a claim that does not hold",
      doc("1;", "1 + 1; //=> 3"),
      /^src\/sync\/channel\.ts:11: 1 \+ 1; \/\/=> 3\n/,
    ],
    ["a claim that is caught", doc("try {", "  1; //=> 2", "} catch {}"), /channel\.ts:11: 1; \/\/=> 2/],
    [
      "an example without a claim",
      doc("1;"),
      /channel\.ts:10: the example of Channel has no line with \/\/=>/,
    ],
    [
      "a claim that is never reached",
      doc("if (1 > 2) {", "  1; //=> 1", "}"),
      /channel\.ts:11: .* never reached/,
    ],
    [
      "a claim after a declaration",
      doc("const one = 1; //=> 1"),
      /channel\.ts:10: \/\/=> must follow an expression/,
    ],
    ["an error", doc("throw new TypeError('no');", "1; //=> 1"), /channel\.ts:10: TypeError: no/],
    ["a mistake of syntax", doc("1; //=> 1", "const = 2;"), /channel\.ts:10: SyntaxError: .*\(line 11\)/],
    ["a name that nobody exports", doc("nobody; //=> 1"), /channel\.ts:10: ReferenceError: nobody/],
    ["a page's block that imports nothing", page("new Channel();"), /README\.md:10: ReferenceError: Channel/],
  ])("refuses %s", async (_, example, message) => {
    await expect(runExample(example, scope)).rejects.toThrow(message);
  });

  test("a block of a page imports what it uses, and needs no claim", async () => {
    const lines = [
      'import { Channel, type ReceivePort } from "concurrency-model-patterns/channel";',
      "const jobs = new Channel<number>(1);",
      "const port: ReceivePort<number> = jobs;",
      "await jobs.send(7);",
      "(await port.receive()).value; //=> 7",
    ];
    await expect(runExample(page(...lines), scope)).resolves.toBeUndefined();
    await expect(runExample(page(...lines.slice(0, 3)), scope)).resolves.toBeUndefined();
  });

  test("finds the blocks of a page, with their lines", () => {
    const text = [
      "# Title",
      "```ts",
      "one;",
      "```",
      "- a list",
      "  ```ts no-run",
      "  two;",
      "  ```",
      "```sh",
      "ls",
      "```",
    ];
    expect(blocksOf("page.md", text.join("\n"))).toEqual([
      { file: "page.md", line: 3, symbol: "line 2", code: "one;", kind: "page", runs: true },
      { file: "page.md", line: 7, symbol: "line 6", code: "two;", kind: "page", runs: false },
    ]);
    expect(() => blocksOf("page.md", "```ts norun\n```")).toThrow(
      'page.md:1: unknown word "norun" after ```ts',
    );
    expect(() => blocksOf("page.md", "\n```ts\none;")).toThrow("page.md:2: the block does not end");
  });
});
