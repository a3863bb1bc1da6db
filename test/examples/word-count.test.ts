import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { simulate } from "concurrency-model-patterns/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Input } from "../../examples/input-demo.ts";
import { inputDemo } from "../../examples/word-count.ts";
import { WordTable } from "../../examples/word-table.ts";
import { blocksOf, compareWords } from "../../examples/words.ts";
import { anyText } from "../support/any-text.ts";
import { hostless } from "../support/hostless.ts";
import { failureOf } from "../support/outcomes.ts";

const encoder = new TextEncoder();

function bytesOf(...parts: (string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === "string" ? [...encoder.encode(part)] : part)),
  );
}

/** An input of these chunks. */
function inputOf(chunks: readonly Uint8Array[], name = "input"): Input {
  return {
    name,
    given: name,
    async *open() {
      yield* chunks;
    },
  };
}

interface Counted {
  readonly lines: readonly string[];
  readonly progress: readonly number[];
}

async function countWords(inputs: readonly Input[], top = 0, ctx: Context = background): Promise<Counted> {
  const lines: string[] = [];
  const progress: number[] = [];
  await inputDemo.run({
    params: { top, threads: 0, memory: 1e6, job: undefined, output: undefined, force: false },
    ctx,
    inputs,
    host: hostless,
    print: (text = "") => void lines.push(text),
    report: (problem) => expect.unreachable(problem),
    skip: (_, error) => expect.unreachable(String(error)),
    progress: (doneBytes) => void progress.push(doneBytes),
  });
  return { lines, progress };
}

/** Go's `unicode.IsSpace`. */
const SPACES = new Set([
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
  0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
]);

/** The code points of a text as Go's `range` gives them: -1 for each byte that is not part of a character. */
function runesOf(bytes: Uint8Array): number[] {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const runes: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let width = 4;
    for (; width > 0; width--) {
      if (at + width > bytes.length) continue;
      try {
        const text = strict.decode(bytes.subarray(at, at + width));
        if (Array.from(text).length !== 1) continue;
        runes.push(text.codePointAt(0) as number);
        break;
      } catch {
        // Not a character of this width.
      }
    }
    if (width === 0) runes.push(-1);
    at += Math.max(width, 1);
  }
  return runes;
}

/** What `strings.Fields(strings.ToLower(text))` gives, counted and sorted: one rule after the other. */
function expectedLines(texts: readonly Uint8Array[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    let word = "";
    for (const rune of [...runesOf(text), 0x20]) {
      if (!SPACES.has(rune)) {
        word += rune === -1 ? "\u{FFFD}" : rune === 0x130 ? "i" : String.fromCodePoint(rune).toLowerCase();
      } else if (word !== "") {
        counts.set(word, (counts.get(word) ?? 0) + 1);
        word = "";
      }
    }
  }
  const byBytes = (left: string, right: string): number =>
    Buffer.compare(Buffer.from(left), Buffer.from(right));
  const sorted = [...counts].toSorted(([a, m], [b, n]) => n - m || byBytes(a, b));
  return ["Word count results:", ...sorted.map(([word, count]) => `  ${word}: ${count}`)];
}

/** Texts with every rule in them. */
const TRICKY = [
  bytesOf("Hello, hello  WORLD\tworld\nworld\r\nx\u000By\u000Cz"),
  bytesOf("a\u0085b\u00A0c\u1680d\u2000e\u200Af\u2028g\u2029h\u202Fi\u205Fj\u3000k"),
  bytesOf("\u{FEFF}bom not\u{FEFF}a\u{FEFF}space zero\u200Bwidth \u180E \u0000nul\u001F"),
  bytesOf("ΟΔΟΣ οδος Σ ΑΣ. ΑΣΑ İstanbul Iiİİ \u212Aelvin \u1E9E ǅ Ꭰ"),
  bytesOf("😀 \u{10400}\u{10428} \u{10FFFF} \u{E000} \u{FFFD} \u{FFFF}"),
  bytesOf(
    [0xff],
    "a",
    [0xc3],
    " ",
    [0xe2, 0x80],
    " ",
    [0xe2, 0x80],
    "b",
    [0xf0, 0x9f, 0x98],
    " ",
    [0xc0, 0x80],
  ),
  bytesOf(
    [0xed, 0xa0, 0x80],
    " ",
    [0xf4, 0x90, 0x80, 0x80],
    " ",
    [0xe0, 0x9f, 0xbf],
    " ",
    [0xf5],
    " ",
    [0xc2],
  ),
  bytesOf([
    0xf0, 0xe3, 0x80, 0x80, 0x80, 0xe2, 0x80, 0xe2, 0x80, 0x80, 0xc2, 0xc2, 0x85, 0xe1, 0x9a, 0x80, 0xe1,
    0x9a,
  ]),
  bytesOf("É é E\u0301 ", [0xc3], "É", [0xff, 0xfe], " ", [0xfe, 0xff], "É"),
  bytesOf("constructor __proto__ toString ", "x".repeat(3000), " ", "É".repeat(700), " ", "X".repeat(3000)),
  bytesOf(""),
  bytesOf(" \n\u3000"),
];

describe("the words of a text", () => {
  test.each(TRICKY.map((text, index) => [index, text] as const))(
    "are Go's, wherever the chunks end (text %i)",
    async (_, text) => {
      const expected = expectedLines([text]);
      expect((await countWords([inputOf([text])])).lines).toEqual(expected);
      const step = Math.max(1, Math.floor(text.length / 200));
      for (let cut = 0; cut <= text.length; cut += step) {
        const chunks = [text.subarray(0, cut), text.subarray(cut)];
        expect((await countWords([inputOf(chunks)])).lines).toEqual(expected);
      }
      const single = Array.from(text, (byte) => Uint8Array.of(byte));
      expect((await countWords([inputOf(single)])).lines).toEqual(expected);
    },
  );

  test.each([1, 2, 3, 4, 5, 7, 16])("are whole in blocks of %i bytes", async (blockBytes) => {
    for (const text of TRICKY) {
      const counts = new Map<string, number>();
      const table = new WordTable();
      const joined: number[] = [];
      for await (const block of blocksOf(inputOf([text]).open(), blockBytes)) {
        joined.push(...block);
        table.add(block);
      }
      table.takeAll((word, count) => counts.set(word, (counts.get(word) ?? 0) + count));
      expect(joined).toEqual([...text]);
      const lines = expectedLines([text]).slice(1);
      expect([...counts].map(([word, count]) => `  ${word}: ${count}`).toSorted()).toEqual(lines.toSorted());
    }
  });

  test("are Go's for any bytes, chunks and blocks", async () => {
    const piece = fc.oneof(
      fc.constantFrom(...Array.from("aAzZ éÉσΣİ\u0085\u00A0\u2003\u3000\u{FEFF}😀", (char) => bytesOf(char))),
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
      fc.constantFrom(
        bytesOf([0xe2]),
        bytesOf([0xe2, 0x80]),
        bytesOf([0xe3, 0x80]),
        bytesOf([0xc2]),
        bytesOf(" "),
      ),
    );
    const check = async (pieces: readonly Uint8Array[], blockBytes: number): Promise<void> => {
      const text = bytesOf(...pieces.map((part) => [...part]));
      const expected = expectedLines([text]);
      expect((await countWords([inputOf(pieces)])).lines).toEqual(expected);
      const found = new Map<string, number>();
      const table = new WordTable();
      for await (const block of blocksOf(inputOf(pieces).open(), blockBytes)) {
        table.add(block);
      }
      table.takeAll((word, count) => found.set(word, (found.get(word) ?? 0) + count));
      expect([...found].map(([word, count]) => `  ${word}: ${count}`).toSorted()).toEqual(
        expected.slice(1).toSorted(),
      );
    };
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), check),
      { numRuns: 500 },
    );
  });

  test("are as many as there are, also when the table has to grow", async () => {
    const words = Array.from({ length: 25_000 }, (_, index) => `word-number-${index % 15_000}-of-the-text`);
    const { lines } = await countWords([inputOf([bytesOf(words.join(" "))])]);
    expect(lines).toHaveLength(15_001);
    expect(lines[1]).toBe("  word-number-0-of-the-text: 2");
    expect(new Set(lines.slice(1, 10_001).map((line) => line.slice(-3)))).toEqual(new Set([": 2"]));
  });

  // A line of 64 MiB is in the long tests.
  test("can be longer than a block: a line of 4 MiB without a space is one word", async () => {
    const mebibyte = new Uint8Array(1 << 20).fill(0x41);
    const input = inputOf([...Array<Uint8Array>(4).fill(mebibyte), bytesOf(" end")]);
    const { lines } = await countWords([input]);
    expect(lines.map((line) => line.length)).toEqual([19, (4 << 20) + 5, 8]);
    expect(lines[1]?.startsWith("  aaaa")).toBe(true);
  });
});

describe("the word count", () => {
  test("never joins words of two files, and counts all files together", async () => {
    const { lines } = await countWords([
      inputOf([bytesOf("one two")]),
      inputOf([]),
      inputOf([bytesOf("two one one")]),
    ]);
    expect(lines).toEqual(["Word count results:", "  one: 3", "  two: 2"]);
  });

  test("shows the most frequent words first, then by code points, and no more than asked for", async () => {
    const text = bytesOf("b b a a \u{FFFD} \u{1F600} \u{E000} z é Z a");
    const all = ["  a: 3", "  b: 2", "  z: 2", "  é: 1", "  \u{E000}: 1", "  \u{FFFD}: 1", "  \u{1F600}: 1"];
    expect((await countWords([inputOf([text])])).lines.slice(1)).toEqual(all);
    for (const top of [1, 3, 7, 100]) {
      expect((await countWords([inputOf([text])], top)).lines.slice(1)).toEqual(all.slice(0, top));
    }
  });

  test("tells how many bytes it has read", async () => {
    const chunk = bytesOf("some words ".repeat(30_000));
    const { progress } = await countWords([inputOf([chunk, chunk]), inputOf([chunk])]);
    expect(progress.length).toBeGreaterThan(3);
    expect(progress).toEqual(progress.toSorted((left, right) => left - right));
    expect(progress.at(-1)).toBe(3 * chunk.length);
  });

  test("fails with the error of an input that cannot be read, and says nothing", async () => {
    const failure = new Error("unreadable");
    const broken: Input = {
      name: "broken",
      given: "broken",
      async *open() {
        yield bytesOf("a b ");
        throw failure;
      },
    };
    expect(await failureOf(countWords([broken]))).toBe(failure);
  });

  test("stops reading when it is given up, and closes the input", async () => {
    const { ctx, cancel } = withCancel(background);
    const chunk = bytesOf("word ".repeat(10_000));
    let closed = false;
    let chunks = 0;
    const endless: Input = {
      name: "endless",
      given: "endless",
      async *open() {
        try {
          for (;;) {
            if (++chunks === 100) cancel(new Error("stop"));
            yield chunk;
          }
        } finally {
          closed = true;
        }
      },
    };
    expect(await failureOf(countWords([endless], 0, ctx))).toMatchObject({ message: "stop" });
    expect([closed, chunks < 1000]).toEqual([true, true]);
  });

  test("gives the same in a simulation", async () => {
    const { value } = await simulate((ctx) => countWords([inputOf([bytesOf("b a b")])], 0, ctx));
    expect(value.lines).toEqual(["Word count results:", "  b: 2", "  a: 1"]);
  });
});

describe("compareWords", () => {
  test("orders as the bytes do", () => {
    const compare = (left: string, right: string): void => {
      const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareWords(left, right))).toBe(bytes);
    };
    fc.assert(fc.property(anyText(), anyText(), compare));
    const prefixed = fc.tuple(fc.string(), anyText(), anyText());
    fc.assert(fc.property(prefixed, ([start, left, right]) => compare(start + left, start + right)));
  });
});
