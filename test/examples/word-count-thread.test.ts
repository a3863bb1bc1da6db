import type { CountKey } from "concurrency-model-patterns/mapreduce/byte-counts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tally } from "../../examples/word-count-thread.ts";
import { WordTable } from "../../examples/word-table.ts";

/** What a thread would count, by key as text. */
function counted(block: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const key = (bytes: string | Uint8Array): void => {
    const word = typeof bytes === "string" ? bytes : decoder.decode(bytes);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  const count = (from: number, to: number): void => key(block.subarray(from, to));
  tally(block, Object.assign(count, { key }) as CountKey);
  return counts;
}

function byTable(text: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  const table = new WordTable();
  table.add(text);
  table.takeAll((word, count) => counts.set(word, (counts.get(word) ?? 0) + count));
  return counts;
}

const PIECES = [
  "a",
  "B",
  " ",
  "\n",
  "\r\n",
  "É",
  "é",
  "Σ",
  "İ",
  "\u0085",
  "\u2028",
  "\uFEFF",
  "日本",
  "𐐀",
  "ẞ",
];
const piece = fc.oneof(
  fc.constantFrom(...PIECES).map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 3 }),
);

describe("the words that threads count", () => {
  test("are those of the table, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = Uint8Array.from(pieces.flatMap((bytes) => [...bytes]));
        expect(counted(text.slice())).toEqual(byTable(text.slice()));
      }),
      { numRuns: 500 },
    );
  });

  test("are remembered in lower case, one a hash, and long ones not at all", () => {
    const words = Array.from({ length: 20_000 }, (_, index) => `É${index % 9000}`);
    const text = new TextEncoder().encode(`${words.join(" ")} ${"Ä".repeat(100)} ${"Ä".repeat(100)}`);
    const counts = counted(text);
    expect(counts.size).toBe(9001);
    expect([counts.get("é0"), counts.get("é8999"), counts.get("ä".repeat(100))]).toEqual([3, 2, 2]);
  });
});
