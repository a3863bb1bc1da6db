/**
 * MapReduce over files at length: the tests of the course 6.5840 of MIT for a MapReduce, memory, kills, a full disk.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Emit } from "concurrency-model-patterns/mapreduce";
import type { MapReduceFilesOptions } from "concurrency-model-patterns/threads/mapreduce";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as invertedIndex from "../../examples/jobs/inverted-index.ts";
import type * as wordCount from "../../examples/jobs/word-count.ts";
import { buildIfStale } from "../support/build.ts";
import { Scene } from "./mapreduce/scene.ts";

beforeAll(buildIfStale, 600_000);

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.remove());

const jobNamed = (name: string): URL => new URL(`../../dist/examples/jobs/${name}.js`, import.meta.url);

/** Words, of which some are frequent and many are not. */
function textOf(words: number, seed: number): string {
  let state = seed;
  let text = "";
  for (let count = 1; count <= words; count++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const part = state / 0x8000_0000;
    text += `w${Math.floor(part * part * 3000).toString(36)}${count % 9 === 0 ? "\n" : " "}`;
  }
  return text;
}

const wordsOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== "");

describe("as in the course", () => {
  let texts: string[] = [];
  let files: string[] = [];
  beforeEach(() => {
    texts = Array.from({ length: 8 }, (_, index) => textOf(20_000, index + 1));
    files = texts.map((text, index) => scene.file(text, `pg-${index}`));
  });

  interface Counted {
    map(text: string, emit: Emit<string, number>): void;
    reduce(key: string, values: readonly number[]): number;
  }

  const counts = (): [string, number][] => {
    const all = new Map<string, number>();
    for (const word of texts.flatMap(wordsOf)) all.set(word, (all.get(word) ?? 0) + 1);
    return [...all].toSorted(([left], [right]) => (left < right ? -1 : 1));
  };

  test("words are counted", async () => {
    const results = await scene.run<typeof wordCount>(files, jobNamed("word-count"), {
      threads: 2,
      partitions: 10,
    });
    expect([...results]).toEqual(counts());
  });

  test("an index is made", async () => {
    const results = await scene.run<typeof invertedIndex>(files, jobNamed("inverted-index"), {
      threads: 2,
      partitions: 10,
    });
    const sets = texts.map((text) => new Set(wordsOf(text)));
    expect([...results]).toEqual(
      counts().map(([word]) => [word, files.filter((_, index) => sets[index]?.has(word))]),
    );
  });

  /** Waits until two calls are there at once, or for a good while. */
  const meeting = `
    import { readdirSync, writeFileSync } from "node:fs";
    function meet(folder) {
      writeFileSync(folder + "/" + Math.random(), "");
      const cell = new Int32Array(new SharedArrayBuffer(4));
      for (let tries = 0; tries < 2000; tries++) {
        if (readdirSync(folder).length >= 2) return 1;
        Atomics.wait(cell, 0, 0, 10);
      }
      return 0;
    }`;

  test("two splits are mapped at once", async () => {
    mkdirSync(scene.path("meeting"));
    const job = `${meeting}
      export const records = "files";
      export function map(text, emit, { file }) { emit("met", meet(file.slice(0, file.lastIndexOf("/")) + "/meeting")) }
      export const reduce = (_, met) => Math.min(...met);`;
    expect([...(await scene.run<Counted>(files, job, { threads: 2 }))]).toEqual([["met", 1]]);
  });

  test("two partitions are reduced at once", async () => {
    mkdirSync(scene.path("meeting"));
    const job = `${meeting}
      export const records = "files";
      export function map(text, emit, { file }) { emit(file, 1) }
      export const reduce = (file) => meet(file.slice(0, file.lastIndexOf("/")) + "/meeting");`;
    const results = await scene.run<Counted>(files, job, { threads: 2, partitions: 8 });
    expect([...results.values()]).toEqual(Array(8).fill(1));
  });

  test("each split is mapped once", async () => {
    const job = `
      import { appendFileSync } from "node:fs";
      export const records = "files";
      export function map(text, emit, { file }) { appendFileSync(file + ".log", "x"); emit("maps", 1) }
      export const reduce = (_, ones) => ones.length;`;
    // A slow machine makes stragglers, and those get copies.
    const options = { threads: 2, speculateAfterMs: Number.POSITIVE_INFINITY };
    expect([...(await scene.run<Counted>(files, job, options))]).toEqual([["maps", 8]]);
    expect(files.map((file) => readFileSync(`${file}.log`, "utf8"))).toEqual(Array(8).fill("x"));
  });

  test("nobody sees a result before all are there", async () => {
    const job = `
      import { writeFileSync } from "node:fs";
      export const records = "files";
      export function map(text, emit, { file }) { emit(file, 1) }
      export function reduce(file) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        writeFileSync(file + ".reduced", "");
        return 1;
      }`;
    await scene.run<Counted, void>(files, job, { threads: 2, partitions: 4 }, async (run) => {
      for await (const result of run) {
        expect(result[1]).toBe(1);
        expect(scene.list().filter((name) => name.endsWith(".reduced"))).toHaveLength(8);
      }
    });
  });

  test("a third of the tasks dies, a third stalls, and every result is right", async () => {
    const job = `
      import { readFileSync } from "node:fs";
      export const records = "files";
      function fate() {
        const chance = Math.random();
        if (chance < 0.33) process.exit(1);
        if (chance < 0.66) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      }
      export function map(text, emit) {
        fate();
        for (const word of text.split(/\\s+/)) if (word !== "") emit(word, 1);
      }
      let reduced = 0;
      export function reduce(word, ones) {
        if (reduced++ === 0) fate();
        return ones.length;
      }`;
    const options = { threads: 2, partitions: 4, retries: 40, speculateAfterMs: 200, timeoutMs: 60_000 };
    await scene.run<Counted, void>(files, job, options, async (run) => {
      expect([...(await run.toMap())]).toEqual(counts());
      expect(run.counters).toMatchObject({ splitsDone: 8, partitionsDone: 4, mapped: 8, emitted: 160_000 });
    });
  });
});

test("a thread that takes too long is ended, and another tries", async () => {
  const job = `
    import { writeFileSync } from "node:fs";
    export function map(line, emit, { file }) {
      emit("lines", 1);
      try { writeFileSync(file + ".tried", "", { flag: "wx" }) } catch { return }
      for (;;);
    }
    export const reduce = (_, ones) => ones.length;`;
  interface Lines {
    map(line: string, emit: Emit<string, number>): void;
    reduce(key: string, ones: readonly number[]): number;
  }
  const options = { timeoutMs: 5000, retries: 10 };
  await scene.run<Lines, void>([scene.file("a\nb\n")], job, options, async (run) => {
    expect([...(await run.toMap())]).toEqual([["lines", 2]]);
    expect(run.counters.retried).toBeGreaterThan(0);
  });
});

describe("memory", () => {
  interface Peak {
    readonly peakMb: number;
    readonly results: number;
    readonly mapped: number;
    readonly emitted: number;
    readonly spilledBytes: number;
  }

  async function peakOf(file: string, job: URL, memoryMb: number): Promise<Peak> {
    const child = fileURLToPath(new URL("mapreduce/memory-child.mjs", import.meta.url));
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [child, file, job.href, `${memoryMb}`, scene.spillFolder]);
    expect(scene.list("spills")).toEqual([]);
    return JSON.parse(stdout) as Peak;
  }

  /** What a process with two threads takes, and what has been thrown away in each of the three heaps. */
  const BASE_MB = 200;

  test("stays under the cap, and what a process takes anyway, on ten times as much", async () => {
    const line = "the quick brown fox jumps over the lazy dog, again and again and again and yet again";
    const path = scene.path("big");
    for (let part = 0; part < 8; part++) {
      const lines = Array.from(
        { length: 220_000 },
        (_, index) => `${(index * 7919 + part) % 1_000_003} ${line}`,
      );
      writeFileSync(path, `${lines.join("\n")}\n`, { flag: "a" });
    }
    const job = scene.file(
      "export function map(line, emit) { emit(line, 1) } export const reduce = (_, ones) => ones.length;",
      "sort.mjs",
    );
    const big = await peakOf(path, new URL(`file://${job}`), 16);
    console.log(`a sort of ${big.mapped} lines in 16 MB: ${JSON.stringify(big)}`);
    expect(big.emitted).toBe(8 * 220_000);
    expect(big.spilledBytes).toBeGreaterThan(160e6);
    expect(big.peakMb).toBeLessThan(16 + BASE_MB);
  });

  test("does so for a million keys that are merged, for one hot key, and for a line of 64 MiB", async () => {
    const keys = scene.file(
      Array.from({ length: 1_000_000 }, (_, index) => `key-${index}`).join("\n"),
      "keys",
    );
    const many = await peakOf(keys, jobNamed("word-count"), 16);
    console.log(`a million keys in 16 MB: ${JSON.stringify(many)}`);
    expect(many.results).toBe(1_000_000);
    expect(many.peakMb).toBeLessThan(16 + BASE_MB);
    const hot = scene.file("hot\n".repeat(3_000_000), "hot");
    const job = `export const values = "iterable"; export function map(line, emit) { emit(line, line) }
      export function reduce(_, all) { let count = 0; for (const _ of all) count++; return count }`;
    const one = await peakOf(hot, new URL(`file://${scene.file(job, "hot.mjs")}`), 8);
    console.log(`one key with three million values in 8 MB: ${JSON.stringify(one)}`);
    expect(one).toMatchObject({ results: 1, emitted: 3_000_000 });
    expect(one.peakMb).toBeLessThan(8 + BASE_MB);
    const length =
      'export function map(line, emit) { emit("length", line.length) } export const reduce = (_, [one]) => one;';
    const long = scene.file(`${"x".repeat(64 << 20)}\ny\n`, "long");
    const longest = await peakOf(long, new URL(`file://${scene.file(length, "length.mjs")}`), 8);
    console.log(`a line of 64 MiB in 8 MB: ${JSON.stringify(longest)}`);
    // The line is there as bytes and as text.
    expect(longest.mapped).toBe(2);
    expect(longest.peakMb).toBeLessThan(8 + BASE_MB + 2 * 68);
  });
});

describe("a process that is killed", () => {
  /** Kills after so many lines of output and a moment more; or lets it end. */
  function killed(args: readonly string[], lines: number, turns: number): Promise<"killed" | "ended"> {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("mapreduce/kill-child.mjs", import.meta.url)), ...args],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let seen = 0;
    child.stdout.on("data", (data: Buffer) => {
      seen += data.toString().split("\n").length - 1;
      if (seen < lines) return;
      let left = turns;
      const wait = (): unknown => (left-- > 0 ? setImmediate(wait) : child.kill("SIGKILL"));
      wait();
    });
    return new Promise((resolve) => {
      child.on("close", (_, signal) => resolve(signal === null ? "ended" : "killed"));
    });
  }

  test("at any point leaves all results or none, and nothing that the next one trips over", async () => {
    const text = textOf(20_000, 1);
    const file = scene.file(text, "text");
    const expected = new Map<string, number>();
    for (const word of wordsOf(text)) expected.set(word, (expected.get(word) ?? 0) + 1);
    const out = scene.path("out");
    const resultsIn = (): [string, number][] =>
      scene.list("out").flatMap((part) =>
        readFileSync(`${out}/${part}`, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line): [string, number] => [line.split("\t")[0] ?? "", Number(line.split("\t")[1])]),
      );
    const byKey = ([left]: [string, number], [right]: [string, number]): number => (left < right ? -1 : 1);
    let whole = 0;
    for (let point = 0; point < 100; point++) {
      // Some 13 lines are told on the way; between two of them, a few turns differ.
      await killed([file, scene.spillFolder, out], 1 + (point % 14), point % 5);
      if (!scene.list().includes("out")) continue;
      whole++;
      expect(scene.list("out")).toHaveLength(4);
      expect(resultsIn().toSorted(byKey)).toEqual([...expected].toSorted(byKey));
      execFileSync("rm", ["-r", out]);
    }
    console.log(`of 100 processes that were killed, ${whole} had all results, and the others none`);
    expect(await killed([file, scene.spillFolder, out], 1e9, 0)).toBe("ended");
    expect(resultsIn().toSorted(byKey)).toEqual([...expected].toSorted(byKey));
    expect(scene.list("spills")).toEqual([]);
    expect(scene.list()).toEqual(["out", "spills", "text"]);
  });
});

describe("a disk that is full", () => {
  const root = process.getuid?.() === 0 && process.platform === "linux";

  /** A small disk; undefined, with the reason printed, where none can be had. */
  function smallDisk(megabytes: number): string | undefined {
    const disk = scene.path("disk");
    mkdirSync(disk);
    try {
      if (!root) throw new Error("only root can mount one");
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", disk], { stdio: "pipe" });
      return disk;
    } catch (error) {
      console.log(`skipped, as there is no small disk: ${String(error)}`);
      return undefined;
    }
  }

  interface Sort {
    map(line: string, emit: Emit<string, number>): void;
    reduce(line: string, ones: readonly number[]): number;
  }
  const sort =
    "export function map(line, emit) { emit(line, 1) } export const reduce = (_, ones) => ones.length;";

  test("fails the run with ENOSPC wherever it becomes full, and everything is removed", async (context) => {
    const disk = smallDisk(4);
    if (disk === undefined) return context.skip("there is no small disk");
    try {
      const failures = new Set<unknown>();
      for (const lines of [5000, 20_000, 60_000, 90_000, 120_000]) {
        const content = Array.from({ length: lines }, (_, index) => `${index} ${"x".repeat(30)}`).join("\n");
        const file = scene.file(content, `lines-${lines}`);
        const options: MapReduceFilesOptions = { spillFolder: disk, threads: 2, memoryMb: 2 };
        const code = await scene.run<Sort, unknown>([file], sort, options, (run) =>
          run.writeTo(`${disk}/out`).then(
            () => "done",
            (error: unknown) => (error as { code?: unknown }).code,
          ),
        );
        failures.add(code);
        const left = execFileSync("find", [disk, "-mindepth", "1", "-maxdepth", "1"], { encoding: "utf8" });
        expect(left).toBe(code === "done" ? `${disk}/out\n` : "");
        execFileSync("rm", ["-rf", `${disk}/out`]);
      }
      expect([...failures]).toEqual(["done", "ENOSPC"]);
    } finally {
      execFileSync("umount", [disk]);
    }
    return undefined;
  });
});
