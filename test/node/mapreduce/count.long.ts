/**
 * Counts the words of what text this machine has, and compares with Python, which counts them in another way: the whole of
 * it, eighty parts of it by chance, and inputs that are large in one way. Says how much there was.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CountBytesOptions, countBytes } from "concurrency-model-patterns/threads/mapreduce/count";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { corpus } from "../../../bench/mapreduce/corpus.ts";
import { buildIfStale } from "../../support/build.ts";
import type * as tallies from "./tallies.mjs";

type Options = CountBytesOptions<typeof tallies>;
const module = new URL("tallies.mjs", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "count-long-"));
const spillFolder = mkdtempSync(join(tmpdir(), "count-long-spill-"));
/** `COUNT_MB=500` counts more. */
const megabytes = Number(process.env["COUNT_MB"] ?? 60);
const hasPython = spawnSync("python3", ["--version"]).status === 0;

let text = "";
beforeAll(() => {
  buildIfStale();
  text = corpus(megabytes * 1e6);
  process.stdout.write(`counted: ${statSync(text).size / 1e6} MB of this machine's text\n`);
}, 600_000);
afterAll(() => {
  if (readdirSync(spillFolder).length > 0) throw new Error("runs were left on the disk");
  for (const made of [folder, spillFolder]) rmSync(made, { recursive: true });
});

/** For each line of its input, the path of a file and a stretch of it: a digest of all words with their counts, sorted. */
const python = `
import sys, hashlib, collections
for line in sys.stdin:
    path, parts = line.rstrip("\\n").split("\\t")
    counts = collections.Counter()
    with open(path, "rb") as file:
        for part in parts.split(","):
            begin, end = map(int, part.split("-"))
            file.seek(begin)
            left = end - begin
            rest = b""
            while left > 0:
                block = file.read(min(left, 1 << 24))
                left -= len(block)
                block = (rest + block).lower()
                cut = block.rfind(b"\\n") + 1 if left > 0 else len(block)
                rest = block[cut:]
                counts.update(block[:cut].split())
    digest = hashlib.sha256()
    for word in sorted(counts):
        digest.update(word + b" %d\\n" % counts[word])
    print(digest.hexdigest(), flush=True)
`;

type Stretch = readonly [from: number, to: number];

function byPython(asked: readonly (readonly [path: string, parts: readonly Stretch[]])[]): string[] {
  const input = asked
    .map(([path, parts]) => `${path}\t${parts.map((part) => part.join("-")).join(",")}\n`)
    .join("");
  return execFileSync("python3", ["-c", python], { input, encoding: "utf8" }).trim().split("\n");
}

async function byUs(
  paths: readonly string[],
  options: Options,
): Promise<{ digest: string; spilledBytes: number }> {
  await using counts = await countBytes<typeof tallies>(paths, module, { spillFolder, ...options });
  const digest = createHash("sha256");
  for await (const [word, times] of counts.bytes()) {
    digest.update(word);
    digest.update(` ${times}\n`);
  }
  return { digest: digest.digest("hex"), spilledBytes: counts.spilledBytes };
}

const whole = (path: string): readonly [string, readonly Stretch[]] => [path, [[0, statSync(path).size]]];

describe.runIf(hasPython)("the words of real text are Python's", () => {
  let all: string | undefined;
  beforeAll(() => {
    [all] = byPython([whole(text)]);
  }, 600_000);

  test.each([
    [1, 256, false],
    [2, 256, false],
    [4, 16, true],
  ])("with %i threads and %i MB", async (threads, memoryMb, spills) => {
    const { digest, spilledBytes } = await byUs([text], { threads, memoryMb });
    process.stdout.write(`${threads} threads, ${memoryMb} MB: ${spilledBytes / 1e6} MB went to disk\n`);
    expect(digest).toBe(all);
    if (spills) expect(spilledBytes).toBeGreaterThan(0);
  });

  test("in eighty parts by chance, of several files each", async () => {
    const bytes = readFileSync(text);
    let state = 1;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return Math.floor((state / 0x8000_0000) * below);
    };
    const asked = Array.from({ length: 80 }, (_, n) => {
      const parts = Array.from({ length: 1 + draw(4) }, (): Stretch => {
        const from = draw(bytes.length - 400_000);
        return [from, from + draw(n % 10 === 0 ? 400_000 : 60_000)];
      });
      return [text, parts] as const;
    });
    const expected = byPython(asked);
    const found: string[] = [];
    for (const [n, [, parts]] of asked.entries()) {
      const paths = parts.map(([from, to], index) => {
        const path = join(folder, `part-${index}`);
        writeFileSync(path, bytes.subarray(from, to));
        return path;
      });
      const options = {
        threads: [1, 2, 4][n % 3],
        memoryMb: n % 2 === 0 ? 16 : 64,
        splitMb: n % 4 === 0 ? 0.01 : 0.1,
      };
      found.push((await byUs(paths, options)).digest);
    }
    expect(found).toEqual(expected);
  });

  test.each([
    [
      "a line of 64 MiB, and one word of as many",
      (path: string): void => {
        writeFileSync(path, "one two ".repeat(1 << 23));
        appendFileSync(path, "\nshort\n");
        appendFileSync(path, "X".repeat(1 << 26));
      },
    ],
    [
      "a million different words, twice",
      (path: string): void => {
        for (let turn = 0; turn < 2; turn++)
          for (let n = 0; n < 1_000_000; n += 10_000)
            appendFileSync(path, Array.from({ length: 10_000 }, (_, i) => `word-${n + i}\r\n`).join(""));
      },
    ],
    ["one hot word", (path: string): void => writeFileSync(path, "hot\n".repeat(5_000_000))],
  ])("with %s", async (_, write) => {
    const path = join(folder, "large");
    write(path);
    const [expected] = byPython([whole(path)]);
    for (const options of [
      { threads: 2, memoryMb: 16 },
      { threads: 1, memoryMb: 256 },
    ]) {
      expect((await byUs([path], options)).digest).toBe(expected);
    }
    rmSync(path);
  });
});

/** A program that counts, and tells the most memory that it had, in bytes, and how much went to disk. */
const program = `
import { peakBytes } from ${JSON.stringify(new URL("../../support/peak.mjs", import.meta.url).href)};
import { countBytes } from ${JSON.stringify(new URL("../../../dist/src/node/threads/mapreduce/count.js", import.meta.url).href)};
const [path, memoryMb, spillFolder] = process.argv.slice(2);
const options = { threads: 2, memoryMb: Number(memoryMb), spillFolder };
const counts = await countBytes([path], new URL(${JSON.stringify(module.href)}), options);
let keys = 0;
for await (const _ of counts.bytes()) keys++;
await counts[Symbol.asyncDispose]();
console.log(peakBytes(), counts.spilledBytes, keys);
`;

function memoryOf(path: string, memoryMb: number): readonly number[] {
  // A file, as threads of a program that is given by `-e` cannot start.
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  const output = execFileSync(process.execPath, [file, path, String(memoryMb), spillFolder], {
    encoding: "utf8",
  });
  return output.trim().split(" ").map(Number);
}

/** What Node itself, its three heaps and the code take, at most. */
const HOST_MB = 200;

test("the memory for ten times as much input, all of it different words, stays below the cap and what Node takes", () => {
  const memoryMb = 24;
  const path = join(folder, "different");
  for (let n = 0; !existsSync(path) || statSync(path).size < 10 * memoryMb * 1e6; n += 50_000)
    appendFileSync(
      path,
      Array.from({ length: 50_000 }, (_, i) => `a-word-with-the-number-${n + i}\n`).join(""),
    );
  const [most = 0, spilledBytes, keys] = memoryOf(path, memoryMb);
  process.stdout.write(`memory: ${most / 1e6} MB for ${keys} words, cap ${memoryMb} MB and ${HOST_MB} MB\n`);
  expect(spilledBytes).toBeGreaterThan(100e6);
  expect(most).toBeLessThan((memoryMb + HOST_MB) * 1e6);
  rmSync(path);
});
