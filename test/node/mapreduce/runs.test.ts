import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RunMerge } from "../../../src/node/mapreduce/merge.ts";
import { type Run, RunReader, RunWriter } from "../../../src/node/mapreduce/runs.ts";

let folder = "";
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "runs-"));
});
beforeEach(() => {
  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), "runs-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Pair = readonly [key: string, value: string];

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function runOf(pairs: readonly Pair[], bufferBytes?: number): Run {
  const writer = new RunWriter(join(folder, `run-${files++}`), bufferBytes);
  for (const [key, value] of pairs) writer.write(bytesOf(key), bytesOf(value));
  writer.end();
  return { file: writer.file, from: 0, to: writer.at };
}

function pairsOf(run: Run, bufferBytes?: number): Pair[] {
  const reader = new RunReader(run, bufferBytes);
  try {
    const pairs: Pair[] = [];
    while (reader.next()) pairs.push([textOf(reader.key), textOf(reader.value)]);
    return pairs;
  } finally {
    reader.close();
  }
}

function mergeOf(runs: readonly Run[], bufferBytes?: number): Pair[] {
  const merge = new RunMerge(runs, bufferBytes);
  const pairs: Pair[] = [];
  for (let at = merge.next(); at !== undefined; at = merge.next())
    pairs.push([textOf(at.key), textOf(at.value)]);
  expect(merge.next()).toBe(undefined);
  return pairs;
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const sorted = (pairs: readonly Pair[]): Pair[] => pairs.toSorted(([left], [right]) => compare(left, right));

describe("a run", () => {
  test("gives what was written, whatever fits into a buffer", () => {
    const long = "x".repeat(300);
    const pairs: Pair[] = [
      ["", ""],
      ["a", long],
      [long, "a"],
      ["b", "y".repeat(20_000)],
      ["c", ""],
    ];
    for (const bytes of [1, 64, 400, undefined]) {
      const run = runOf(pairs, bytes);
      for (const buffer of [1, 64, 400, undefined]) expect(pairsOf(run, buffer)).toEqual(pairs);
    }
    expect(pairsOf(runOf([]))).toEqual([]);
  });

  test("may stand in a file behind another", () => {
    const writer = new RunWriter(join(folder, "several"));
    writer.write(bytesOf("a"), bytesOf("1"));
    const { at } = writer;
    writer.write(bytesOf("b"), bytesOf("2"));
    writer.end();
    const { file } = writer;
    expect(pairsOf({ file, from: 0, to: at })).toEqual([["a", "1"]]);
    expect(pairsOf({ file, from: at, to: writer.at })).toEqual([["b", "2"]]);
  });

  test("is a file that nobody else can read, and that was not there", () => {
    const { file } = runOf([]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => new RunWriter(file)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  });

  test("that was cut off, or is no run, is an error", () => {
    const run = runOf([["key", "value"]]);
    truncateSync(run.file, 5);
    expect(() => pairsOf(run)).toThrow("is shorter than it was written");
    writeFileSync(run.file, bytesOf("\x7f\x7fabcdefgh"));
    expect(() => pairsOf(run)).toThrow("ends in the midst of a record");
    rmSync(run.file);
    expect(() => pairsOf(run)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});

describe("a merge of runs", () => {
  test("gives all records by key, and those of one key in the order of the runs", () => {
    const key = fc.stringMatching(/^[abc]{0,3}$/);
    fc.assert(
      fc.property(fc.array(fc.array(key, { maxLength: 12 }), { maxLength: 9 }), (lists) => {
        let count = 0;
        const runs = lists.map((keys) => keys.toSorted(compare).map((each): Pair => [each, `${count++}`]));
        const merged = mergeOf(
          runs.map((pairs) => runOf(pairs)),
          16,
        );
        expect(merged).toEqual(sorted(runs.flat()));
      }),
      { numRuns: 30 },
    );
  });

  test("that is left closes its files", () => {
    const merge = new RunMerge([runOf([["a", "1"]]), runOf([["b", "2"]])]);
    expect(textOf(merge.next()?.key ?? bytesOf(""))).toBe("a");
    merge.close();
    merge.close();
  });
});
