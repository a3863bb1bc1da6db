import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CountBytesOptions,
  countBytes,
  type Counts,
} from "concurrency-model-patterns/threads/mapreduce/count";
import { simulate } from "concurrency-model-patterns/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildIfStale } from "../../support/build.ts";
import { failureOf } from "../../support/outcomes.ts";
import type * as tallies from "./tallies.mjs";

beforeAll(buildIfStale, 60_000);

type Options = CountBytesOptions<typeof tallies>;
const module = new URL("tallies.mjs", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "count-test-"));
/** Where runs go: nothing may be left there. */
const spillFolder = mkdtempSync(join(tmpdir(), "count-spill-"));
afterAll(() => {
  for (const made of [folder, spillFolder]) rmSync(made, { recursive: true });
});
let mark = "";
let files = 0;
beforeEach(() => {
  mark = join(folder, `mark-${++files}`);
});

function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, content);
  return path;
}

/** Counts, reads all, and sees that nothing is left. */
async function count(
  paths: readonly string[],
  options: Options = {},
): Promise<{ readonly map: Map<string, number>; readonly total: number; readonly spilledBytes: number }> {
  const thread = { env: { MARK: mark } };
  const counts = await countBytes<typeof tallies>(paths, module, {
    threads: 2,
    spillFolder,
    thread,
    ...options,
  });
  try {
    return { map: await mapOf(counts), total: counts.total, spilledBytes: counts.spilledBytes };
  } finally {
    await counts[Symbol.asyncDispose]();
    expect(readdirSync(spillFolder)).toEqual([]);
  }
}

/** By keys as Latin-1, so that bytes that are no UTF-8 are told apart. */
async function mapOf(counts: Counts): Promise<Map<string, number>> {
  const map = new Map<string, number>();
  for await (const [bytes, times] of counts.bytes()) map.set(Buffer.from(bytes).toString("latin1"), times);
  return map;
}

/** The same by other means. */
function expected(contents: readonly (string | Uint8Array)[]): Map<string, number> {
  const map = new Map<string, number>();
  for (const content of contents) {
    const text = Buffer.from(content as string).toString("latin1");
    const folded = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
    for (const word of folded.split(/[\t-\r ]+/)) if (word !== "") map.set(word, (map.get(word) ?? 0) + 1);
  }
  return map;
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** As one string: long lists are compared so, as the comparison of arrays takes long. */
function listOf(entries: Iterable<readonly [string, number]>): string {
  return Array.from(entries, ([key, times]) => `${key} ${times}`).join("\n");
}

/** Repeatable chance. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

/** Lines of words, frequent ones and rare ones, of all lengths. */
function text(bytes: number, seed: number, different = 20_000): Buffer {
  const draw = chance(seed);
  const parts: string[] = [];
  for (let size = 0; size < bytes; ) {
    const n = Math.floor(draw(different) ** 2 / different);
    const word = n % 7 === 0 ? `A-Rather-Long-Word-Number-${n}-${"x".repeat(n % 90)}` : `w${n}é`;
    const part = word + (draw(12) === 0 ? "\r\n" : draw(30) === 0 ? "\t " : " ");
    parts.push(part);
    size += part.length;
  }
  return Buffer.from(parts.join(""));
}

const words = text(1_000_000, 1);
const wanted = expected([words]);

describe("keys of files", () => {
  test.each([
    [1, 256, 4],
    [2, 256, 0.3],
    [4, 16, 0.1],
  ])(
    "are counted as they are, in order, by %i threads in %i MB with splits of %d MB",
    async (threads, memoryMb, splitMb) => {
      const cut = words.indexOf("\n", 500_000) + 1;
      const paths = [words.subarray(0, cut), "", words.subarray(cut)].map(fileOf);
      const { map, total } = await count(paths, { threads, memoryMb, splitMb });
      expect(listOf(map)).toBe(listOf(sorted(wanted)));
      expect(total).toBe([...wanted.values()].reduce((sum, times) => sum + times, 0));
    },
  );

  test.each([
    ["nothing", ""],
    ["no word", " \r\n\n \t"],
    ["a last line without an end", "one Two\ntwo"],
    [
      "bytes that are no UTF-8",
      Uint8Array.of(0xff, 0x20, 0xc3, 0x0a, 0xff, 0x20, 0xc3, 0xa9, 0xe2, 0x80, 0x20, 0x00, 0x20),
    ],
    ["a byte order mark, and carriage returns", "\u{FEFF}a\r\nA b\r\r\nb"],
    ["the names of what every object has", "__proto__ constructor toString __proto__ hasOwnProperty"],
    ["one hot key", "hot ".repeat(100_000)],
    [
      "keys that differ in their zeros",
      Uint8Array.of(97, 32, 97, 0, 32, 97, 0, 0, 32, 97, 0, 10, 0, 32, 0, 0),
    ],
    ["keys of every length", Array.from({ length: 70 }, (_, n) => "k".repeat(n)).join(" ")],
  ])("may be in a file with %s", async (_, content) => {
    expect([...(await count([fileOf(content)], { threads: 1 })).map]).toEqual(sorted(expected([content])));
  });

  test("may be more than fit in memory: the result is the same, and the disk is as it was", async () => {
    const draw = chance(5);
    const keys = Array.from({ length: 200_000 }, (_, n) => `key ${n < 100_000 ? n : draw(100_000)}`);
    const content = `${keys.join("\n")}\n`;
    const progress: number[] = [];
    const onProgress = ({ spilledBytes }: { spilledBytes: number }): void => void progress.push(spilledBytes);
    const { map, spilledBytes } = await count([fileOf(content)], {
      tally: "lines",
      memoryMb: 8,
      splitMb: 1,
      onProgress,
    });
    const wanted = new Map<string, number>();
    for (const key of keys) wanted.set(key, (wanted.get(key) ?? 0) + 1);
    expect(listOf(map)).toBe(listOf(sorted(wanted)));
    expect(spilledBytes).toBeGreaterThan(1_000_000);
    expect(Math.max(...progress)).toBeGreaterThan(0);
  });

  test("may be longer than the memory for them", async () => {
    const long = "x".repeat(9_000_000);
    const content = `${long}\nshort\n${long}\n${long}y\nshort\n`;
    const { map, spilledBytes } = await count([fileOf(content)], { tally: "lines", threads: 1, memoryMb: 4 });
    expect([...map].map(([key, times]) => [key.length, times])).toEqual([
      [5, 2],
      [9_000_000, 2],
      [9_000_001, 1],
    ]);
    expect(spilledBytes).toBeGreaterThan(18_000_000);
  });

  test("need not lie in the block, and may count several times", async () => {
    const content =
      "weigh a 3\nweigh é 2\nweigh a 9007199254740000\nbytes 255,0 1\nnothing  4\nweigh a 1\nweigh a-key-of-more-than-16-bytes 2";
    const { map, total } = await count([fileOf(content)], { tally: "weighed", threads: 1 });
    expect([...map]).toEqual([
      ["", 4],
      ["a", 9_007_199_254_740_004],
      ["a-key-of-more-than-16-bytes", 2],
      ["\u00C3\u00A9", 2],
      ["\u00FF\u0000", 1],
    ]);
    expect(total).toBe(9_007_199_254_740_013);
  });
});

describe("the counts", () => {
  const open = (content: string | Uint8Array, options: Options = {}): Promise<Counts> =>
    countBytes<typeof tallies>([fileOf(content)], module, { threads: 2, spillFolder, ...options });

  test("read as text, in the order of code points", async () => {
    await using counts = await open("\u{1F600} \u{E000} z é a é");
    const read: unknown[] = [];
    for await (const entry of counts) read.push(entry);
    expect(read).toEqual([
      ["a", 1],
      ["z", 1],
      ["é", 2],
      ["\u{E000}", 1],
      ["\u{1F600}", 1],
    ]);
  });

  test.each([256, 8])("tell the most frequent keys, with %i MB", async (memoryMb) => {
    const rare = Array.from({ length: 60_000 }, (_, n) => `rare-${n}-of-many\n`).join("");
    await using counts = await open(`${rare}b a b c a b d ${rare}`, { memoryMb, splitMb: 1 });
    const tied = [
      ["a", 2],
      ["rare-0-of-many", 2],
      ["rare-1-of-many", 2],
    ];
    expect(await counts.top(4)).toEqual([["b", 3], ...tied]);
    expect(await counts.top(0)).toEqual([]);
    expect(await counts.top(1_000_000)).toHaveLength(60_004);
    expect(counts.spilledBytes > 0).toBe(memoryMb === 8);
  });

  test("can be read several times, at once too, until they are disposed of", async () => {
    const counts = await open("b a b");
    const [first, second] = [counts.entries(), counts.bytes()];
    expect((await first.next()).value).toEqual(["a", 1]);
    expect((await second.next()).value).toEqual([Uint8Array.of(97), 1]);
    expect((await first.next()).value).toEqual(["b", 2]);
    await counts[Symbol.asyncDispose]();
    await counts[Symbol.asyncDispose]();
    expect(await failureOf(counts.top(1))).toMatchObject({ code: "CLOSED" });
    expect(await failureOf(counts.entries().next())).toMatchObject({ code: "CLOSED" });
  });

  test("are read no further when their reader gives up", async () => {
    await using counts = await open("b a b");
    const signal = AbortSignal.abort("enough");
    expect(await failureOf(counts.top(1, { signal }))).toBe("enough");
    expect(await failureOf(counts.entries({ signal }).next())).toBe("enough");
  });
});

describe("a thread that dies", () => {
  test("takes nothing with it: its split is counted again, once", async () => {
    const { map } = await count([fileOf(words)], { tally: "exits", splitMb: 0.6 });
    expect(listOf(map)).toBe(listOf(sorted(wanted)));
    expect(existsSync(mark)).toBe(true);
  });

  test("while it pours its counts in has all counted again, once", async () => {
    const { map, total } = await count([fileOf(words)], { tally: "exitsPouring", splitMb: 0.3 });
    expect(listOf(map)).toBe(listOf(sorted(wanted)));
    expect(total).toBe([...wanted.values()].reduce((sum, times) => sum + times, 0));
    expect(existsSync(mark)).toBe(true);
  });

  test("again and again at the same split fails the count", async () => {
    const failure = await failureOf(count([fileOf("a")], { tally: "alwaysExits", retries: 2, threads: 1 }));
    expect(failure).toMatchObject({ code: "CRASHED", exitCode: 5 });
    expect(readdirSync(spillFolder)).toEqual([]);
  });
});

describe("a count that fails", () => {
  test.each([
    ["throws", { name: "RangeError", message: "not this", code: "OWN" }],
    ["waits", { name: "TypeError", message: "tally must not wait, got a promise" }],
    ["outside", { name: "RangeError", message: "a key must lie in its block of 4 bytes, got 0 to 5" }],
    ["backwards", { name: "RangeError", message: "a key must lie in its block of 4 bytes, got 3 to 1" }],
    ["noTimes", { name: "RangeError", message: "times must be a whole number of at least 1, got 0.5" }],
    ["noFunction" as "throws", { name: "TypeError", message: 'the module exports no function "noFunction"' }],
    ["toString" as "throws", { name: "TypeError", message: 'the module exports no function "toString"' }],
  ] as const)("because of %s says why, and leaves nothing", async (tally, failure) => {
    expect(await failureOf(count([fileOf("a b\n")], { tally }))).toMatchObject(failure);
    expect(readdirSync(spillFolder)).toEqual([]);
  });

  test("because a key is counted too late says so", async () => {
    const paths = [fileOf("a b\n"), fileOf("c\n")];
    const failure = await failureOf(count(paths, { tally: "later", threads: 1, splitMb: 0.000_001 }));
    expect(failure).toMatchObject({ code: "MISUSE" });
  });

  test("because of a file that is not there, or is none, does so before anything is counted", async () => {
    expect(await failureOf(count([join(folder, "missing")]))).toMatchObject({ code: "ENOENT" });
    expect(await failureOf(count([folder]))).toMatchObject({ code: "MISUSE" });
    expect(await failureOf(count([fileOf("a")], { spillFolder: join(folder, "missing") }))).toMatchObject({
      code: "ENOENT",
    });
  });

  test("because it is given up rejects with the reason, also if its function never ends", async () => {
    const controller = new AbortController();
    const call = failureOf(count([fileOf("a")], { tally: "spins", graceMs: 1, signal: controller.signal }));
    while (!existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort("enough");
    expect(await call).toBe("enough");
    expect(readdirSync(spillFolder)).toEqual([]);
    expect(await failureOf(count([], { signal: AbortSignal.abort("before") }))).toBe("before");
  });

  test.each([
    ["files", [1, module], "files must be an array of paths"],
    ["module", [[], "words.js"], "module must be a URL"],
    ["threads", [[], module, { threads: 0 }], "threads must be a whole number from 1 to 1024, got 0"],
    ["memoryMb", [[], module, { threads: 2, memoryMb: 7 }], "memoryMb must be a whole number from 8 to"],
    ["splitMb", [[], module, { splitMb: 0 }], "splitMb must be a number above 0, got 0"],
    ["retries", [[], module, { retries: -1 }], "retries must be a whole number of at least 0, got -1"],
    ["graceMs", [[], module, { graceMs: "1" }], "graceMs must be a number of milliseconds"],
    ["onProgress", [[], module, { onProgress: 1 }], "onProgress must be a function, got 1"],
    ["spillFolder", [[], module, { spillFolder: 1 }], "spillFolder must be a path, got 1"],
  ])("because of a wrong %s does so at the call", (_, args, message) => {
    expect(() => countBytes(...(args as unknown as Parameters<typeof countBytes>))).toThrow(message);
  });

  test("because it is simulated says so", async () => {
    const failure = await failureOf(simulate(() => countBytes([], module), { externalTimeoutMs: 5000 }));
    expect(failure).toMatchObject({ message: "threads cannot be simulated" });
  });
});

test("what goes to disk is for nobody else to read", async () => {
  const content = Array.from({ length: 80_000 }, (_, n) => `key-${n}\n`).join("");
  const seen: number[] = [];
  const look = (): void => {
    for (const name of readdirSync(spillFolder)) {
      const made = join(spillFolder, name);
      seen.push(statSync(made).mode & 0o777);
      for (const run of readdirSync(made)) seen.push(statSync(join(made, run)).mode & 0o777);
    }
  };
  await count([fileOf(content)], { memoryMb: 8, splitMb: 0.5, onProgress: look });
  expect(new Set(seen)).toEqual(new Set([0o700, 0o600]));
});
