import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Emit } from "concurrency-model-patterns/mapreduce";
import {
  mapReduceFiles,
  type MapReduceCounters,
  type SkippedRecord,
} from "concurrency-model-patterns/threads/mapreduce";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as wordCount from "../../examples/jobs/word-count.ts";
import { buildIfStale } from "../support/build.ts";
import { moduleOf, Scene } from "./mapreduce/scene.ts";

beforeAll(buildIfStale);

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.remove());

type WordCount = typeof wordCount;
const wordCountModule = new URL("../../dist/examples/jobs/word-count.js", import.meta.url);

/** Emits each record under one key, and gives them all. */
interface Echo {
  map(record: string, emit: Emit<string, string>): void;
  reduce(key: string, values: readonly string[]): readonly string[];
}
const echo =
  "export function map(record, emit) { emit('all', record) } export const reduce = (_, all) => all;";

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("a run over files", () => {
  test("gives each key with its result, sorted by key, and says what it did", async () => {
    const files = [scene.file("to be or\nnot to be\n"), scene.file("be good")];
    await scene.run<WordCount, void>(files, wordCountModule, { threads: 2 }, async (run) => {
      const results: (readonly [string, number])[] = [];
      for await (const result of run) results.push(result);
      expect(results).toEqual([
        ["be", 3],
        ["good", 1],
        ["not", 1],
        ["or", 1],
        ["to", 2],
      ]);
      expect(run.counters).toMatchObject({ phase: "done", splits: 2, splitsDone: 2, partitions: 2 });
      expect(run.counters).toMatchObject({ mapped: 3, emitted: 8, reduced: 5, skipped: 0, retried: 0 });
      expect([...(await run.toMap())]).toEqual(results);
    });
  });

  test("keeps results until it is disposed of, and nothing then", async () => {
    const run = mapReduceFiles<WordCount>([scene.file("a")], wordCountModule, {
      spillFolder: scene.spillFolder,
    });
    expect(scene.list("spills")).toEqual([]);
    await run.wait();
    expect(scene.list("spills")).toHaveLength(1);
    const reader = run[Symbol.asyncIterator]();
    await reader.next();
    await run[Symbol.asyncDispose]();
    await run[Symbol.asyncDispose]();
    expect(scene.list("spills")).toEqual([]);
    expect(await failureOf(reader.next())).toMatchObject({ code: "CLOSED" });
    expect(await failureOf(run.wait())).toMatchObject({ code: "CLOSED" });
  });
});

describe("a job", () => {
  test("must be a module that has what it takes", async () => {
    const file = scene.file("a");
    const failing = (code: string): Promise<unknown> => failureOf(scene.run<Echo>([file], code));
    expect(await failing("export const map = () => 1;")).toEqual(
      new TypeError("reduce must be a function, got undefined"),
    );
    expect(await failing(`export const records = "words"; ${echo}`)).toBeInstanceOf(TypeError);
    expect(await failing("throw new Error('broken')")).toEqual(new Error("broken"));
  });
});

describe("records that fail", () => {
  test("fail the run if they are too many in all splits together", async () => {
    const job = `
      export function map(line, emit) { if (line === "bad") throw new Error("bad"); emit("all", line) }
      export const reduce = (_, all) => all;`;
    const files = [scene.file("a\nbad\n"), scene.file("bad\n")];
    const failure = await failureOf(scene.run<Echo>(files, job, { skipRecords: 1, threads: 2 }));
    expect(failure).toEqual(new Error("bad"));
  });

  test("are skipped if they have ended their thread twice", async () => {
    const killing = `export function map(line, emit) { if (line === "bad") process.exit(3); emit("all", line) }
      export const reduce = (_, all) => all;`;
    const file = scene.file("a\nbad\nb\n");
    const skipped: SkippedRecord[] = [];
    const options = {
      skipRecords: 1,
      retries: 1,
      onSkipped: (record: SkippedRecord) => void skipped.push(record),
    };
    await scene.run<Echo, void>([file], killing, options, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b"]);
      expect(run.counters).toMatchObject({ mapped: 2, skipped: 1, retried: 2 });
    });
    expect(skipped).toMatchObject([{ file, at: 2, error: { code: "CRASHED", exitCode: 3 } }]);
  });
});

describe("a thread", () => {
  /** Does something only the first time that a line is mapped, of all threads. */
  const once = (what: string): string => `
    import { writeFileSync } from "node:fs";
    export function map(line, emit, { file }) {
      emit("all", line);
      try { writeFileSync(file + "." + line, "", { flag: "wx" }) } catch { return }
      if (line === "b") ${what};
    }
    export const reduce = (_, all) => all;`;

  test("that dies is another's to follow, and what it did does not count", async () => {
    const file = scene.file("a\nb\nc\n");
    await scene.run<Echo, void>([file], once("process.exit(1)"), {}, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b", "c"]);
      expect(run.counters).toMatchObject({ retried: 1, mapped: 3, emitted: 3 });
    });
  });

  test("that always dies fails the run after so many attempts", async () => {
    const dying = "export function map() { process.exit(1) } export const reduce = () => 1;";
    await scene.run<Echo, void>([scene.file("a")], dying, { retries: 1 }, async (run) => {
      expect(await failureOf(run.wait())).toMatchObject({ code: "CRASHED" });
      expect(run.counters.retried).toBe(1);
    });
  });

  test("that stalls gets a copy, and the first to be done counts, once", async () => {
    const file = scene.file("a\nb\nc\n");
    const options = { threads: 2, speculateAfterMs: 1 };
    await scene.run<Echo, void>([file], once("for (;;);"), options, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b", "c"]);
      expect(run.counters).toMatchObject({ mapped: 3, emitted: 3, splitsDone: 1 });
      expect(run.counters.copied).toBeGreaterThan(0);
    });
  });
});

describe("giving up", () => {
  test("rejects with the reason, and leaves nothing", async () => {
    const file = scene.file("a\n".repeat(1000));
    const aborted = AbortSignal.abort("early");
    expect(await failureOf(scene.run<Echo>([file], echo, { signal: aborted }))).toBe("early");
    const controller = new AbortController();
    const waiting = "export const map = () => new Promise(() => {}); export const reduce = () => 1;";
    await scene.run<Echo, void>([file], waiting, { signal: controller.signal }, async (run) => {
      const impatient = new AbortController();
      const left = failureOf(run.wait(impatient));
      impatient.abort("left");
      expect(await left).toBe("left");
      const given = failureOf(run.wait());
      controller.abort("late");
      expect(await given).toBe("late");
    });
  });

  test("by disposing of a run that goes on ends it", async () => {
    const run = mapReduceFiles<Echo>(
      [scene.file("a")],
      moduleOf("export const map = () => new Promise(() => {}); export const reduce = () => 1;"),
      {
        spillFolder: scene.spillFolder,
        threads: 1,
        graceMs: 20,
      },
    );
    const waiting = failureOf(run.wait());
    await run[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    expect(scene.list("spills")).toEqual([]);
  });

  test("by a callback that throws", async () => {
    const file = scene.file("a\n");
    const onProgress = (): never => {
      throw new Error("no more");
    };
    expect(await failureOf(scene.run<Echo>([file], echo, { onProgress }))).toEqual(new Error("no more"));
  });
});

describe("progress", () => {
  test("is told after each split and each partition", async () => {
    const seen: MapReduceCounters[] = [];
    const files = [scene.file("a"), scene.file("b\nc")];
    await scene.run<Echo>(files, echo, { partitions: 2, onProgress: (counters) => void seen.push(counters) });
    expect(
      seen.map(({ phase, splitsDone, partitionsDone, mapped }) => [
        phase,
        splitsDone,
        partitionsDone,
        mapped,
      ]),
    ).toEqual([
      ["map", 1, 0, 1],
      ["map", 2, 0, 3],
      ["reduce", 2, 1, 3],
      ["reduce", 2, 2, 3],
    ]);
  });
});

describe("what cannot be read or written", () => {
  test("fails the run with the system's error", async () => {
    const there = scene.file("a\n");
    const failing = (files: readonly string[], options = {}): Promise<unknown> =>
      failureOf(scene.run<Echo>(files, echo, options));
    expect(await failing([there, scene.path("none")])).toMatchObject({ code: "ENOENT" });
    expect(await failing([scene.folder])).toMatchObject({ code: "MISUSE" });
    expect(await failing([there], { spillFolder: scene.path("none") })).toMatchObject({ code: "ENOENT" });
    expect(await failing([there], { spillFolder: there })).toMatchObject({ code: "ENOTDIR" });
  });

  test("also when the folder for spills is removed meanwhile", async () => {
    const removing = `
      import { readdirSync, rmSync } from "node:fs";
      export function map(line, emit) { emit("a", 1); for (const name of readdirSync(line)) rmSync(line + "/" + name, { recursive: true }) }
      export const reduce = () => 1;`;
    const file = scene.file(scene.spillFolder);
    expect(await failureOf(scene.run<Echo>([file], removing))).toMatchObject({ code: "ENOENT" });
  });

  test("is not what a killed process has left: that is removed", async () => {
    const [name = ""] = await scene.run<Echo, string[]>([scene.file("a")], echo, {}, async (run) => {
      await run.wait();
      return scene.list("spills");
    });
    const left = name.replace(/-\d+-[^-]+$/, "-999999999-abcdef");
    for (const folder of [left, "another"]) mkdirSync(`${scene.spillFolder}/${folder}`);
    writeFileSync(`${scene.spillFolder}/${left}/map-0`, "");
    const files = [scene.file("a")];
    const run = mapReduceFiles<Echo>(files, moduleOf(echo), { spillFolder: scene.spillFolder, threads: 1 });
    await run.wait();
    await run[Symbol.asyncDispose]();
    expect(scene.list("spills")).toEqual(["another"]);
    rmSync(`${scene.spillFolder}/another`, { recursive: true });
  });
});

describe("writing results", () => {
  test("makes a folder with a file for each partition, all at once", async () => {
    const files = [scene.file("to be or not to be")];
    await scene.run<WordCount, void>(files, wordCountModule, { partitions: 2 }, async (run) => {
      await run.writeTo(scene.path("out"));
      expect(await failureOf(run.writeTo(scene.path("out")))).toMatchObject({
        code: "MISUSE",
        message: `${scene.path("out")} is there and not empty`,
      });
    });
    expect(scene.list("out")).toEqual(["part-00000", "part-00001"]);
    const lines = scene
      .list("out")
      .flatMap((part) => readFileSync(scene.path(`out/${part}`), "utf8").split("\n"));
    expect(lines.filter((line) => line !== "").toSorted()).toEqual(["be\t2", "not\t1", "or\t1", "to\t2"]);
  });

  test("leaves nothing if it fails", async () => {
    const job = `${echo} export function line() { throw new Error("no line") }`;
    const before = scene.list();
    await scene.run<Echo, void>([scene.file("a", "file")], job, {}, async (run) => {
      expect(await failureOf(run.writeTo(scene.path("out")))).toEqual(new Error("no line"));
      expect(await failureOf(run.writeTo(scene.path("none/out")))).toMatchObject({ code: "ENOENT" });
      const controller = new AbortController();
      const given = failureOf(run.writeTo(scene.path("out"), controller));
      controller.abort("given up");
      expect(await given).toBe("given up");
      expect((await run.toMap()).get("all")).toEqual(["a"]);
    });
    expect(scene.list()).toEqual([...before, "file"].toSorted());
  });
});

test("wrong arguments are refused at the call", () => {
  const start =
    (files: unknown, module: unknown, options = {}): (() => unknown) =>
    () =>
      mapReduceFiles(files as string[], module as URL, options);
  const module = moduleOf(echo);
  expect(start("file", module)).toThrow("files must be a list of paths");
  expect(start([1], module)).toThrow("files must be a list of paths, got an array");
  expect(start([], "job.js")).toThrow("module must be a URL");
  expect(start([], module, { threads: 0 })).toThrow("threads must be a whole number of at least 1, got 0");
  expect(start([], module, { threads: 2, memoryMb: 1 })).toThrow(
    "memoryMb must be a whole number of at least 2",
  );
  expect(start([], module, { partitions: 1001 })).toThrow("partitions must be a whole number from 1 to 1000");
  expect(start([], module, { splitMb: 0 })).toThrow("splitMb must be a number above 0");
  expect(start([], module, { timeoutMs: Number.NaN })).toThrow("timeoutMs must be a number above 0");
  expect(start([], module, { skipRecords: -1 })).toThrow("skipRecords must be a whole number of at least 0");
  expect(start([], module, { onProgress: 1 })).toThrow("onProgress must be a function");
  expect(start([], module, { signal: 1 })).toThrow("signal must be an AbortSignal");
});
