import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Emit, mapReduce } from "concurrency-model-patterns/mapreduce";
import {
  mapReduceFiles,
  type MapReduceCounters,
  type RecordContext,
  resultLine,
  type SkippedRecord,
} from "concurrency-model-patterns/threads/mapreduce";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as wordCount from "../../examples/jobs/word-count.ts";
import { buildIfStale } from "../support/build.ts";
import { moduleOf, Scene } from "./mapreduce/scene.ts";

beforeAll(buildIfStale, 60_000);

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

/** A text of so many words, some of them frequent. */
function textOf(words: number): string {
  let state = 1;
  let text = "";
  for (let count = 1; count <= words; count++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const part = state / 0x8000_0000;
    text += `${Math.floor(part * part * 5000).toString(36)}${count % 7 === 0 ? "\n" : " "}`;
  }
  return text;
}

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

  test("gives what the plain pattern gives by the same functions, however it is divided", async () => {
    const texts = [textOf(60_000), textOf(3), "", textOf(20_000)];
    const files = texts.map((text) => scene.file(text));
    const plain = await mapReduce(
      texts.flatMap((text) => text.split("\n")),
      wordCount,
    );
    const expected = [...plain].toSorted(([left], [right]) => (left < right ? -1 : 1));
    for (const options of [
      { threads: 1, memoryMb: 1 },
      { threads: 2, memoryMb: 2, splitMb: 0.05, partitions: 5 },
      { threads: 1, memoryMb: 1, splitMb: 0.003, partitions: 3 },
    ])
      expect([...(await scene.run<WordCount>(files, wordCountModule, options))]).toEqual(expected);
  });

  test("gives a reduce the values of a key in the order of the files, also when they had to be spilled", async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `${index % 3} ${index} ${"x".repeat(30)}`);
    const files = [lines.slice(0, 10_000), lines.slice(10_000)].map((part) => scene.file(part.join("\n")));
    const job = `
      export const values = "iterable";
      export function map(line, emit) { const [key, value] = line.split(" "); emit(key, line) }
      export function reduce(key, lines) {
        const numbers = Array.from(lines, (line) => Number(line.split(" ")[1]));
        return { count: numbers.length, sorted: numbers.every((n, index) => index === 0 || n > numbers[index - 1]) };
      }`;
    interface Ordered {
      readonly values: "iterable";
      map(line: string, emit: Emit<string, string>): void;
      reduce(key: string, lines: Iterable<string>): { readonly count: number; readonly sorted: boolean };
    }
    const options = { threads: 2, memoryMb: 2, splitMb: 0.02, partitions: 1 };
    const results = await scene.run<Ordered>(files, job, options);
    const expected = { count: 10_000, sorted: true };
    expect([...results]).toEqual([
      ["0", expected],
      ["1", expected],
      ["2", expected],
    ]);
  });

  test("sorts keys by value and by code point, and takes any string for one", async () => {
    const job = `
      const keys = ["b", "", "\\u{1F600}", "\\uFF5E", "\\uD800", "__proto__", "constructor", 10, 9, -1.5, -0, 0, NaN, Infinity];
      export function map(line, emit) { for (const key of keys) emit(key, 1) }
      export const reduce = (key, ones) => ones.length;`;
    interface Keys {
      map(line: string, emit: Emit<string | number, number>): void;
      reduce(key: string | number, ones: readonly number[]): number;
    }
    const results = await scene.run<Keys>([scene.file("one\n")], job, { partitions: 4 });
    expect([...results.keys()]).toEqual([
      ...[-1.5, 0, 9, 10, Number.POSITIVE_INFINITY, Number.NaN],
      ...["", "__proto__", "b", "constructor", "\uD800", "\uFF5E", "\u{1F600}"],
    ]);
    expect(results.get(0)).toBe(2);
  });

  test("of no files, or of empty ones, has no results", async () => {
    expect(await scene.run<WordCount>([], wordCountModule)).toEqual(new Map());
    expect(await scene.run<WordCount>([scene.file("")], wordCountModule)).toEqual(new Map());
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

describe("records", () => {
  test("are lines without their ends, as text", async () => {
    const lines = async (content: string | Uint8Array): Promise<readonly string[] | undefined> =>
      (await scene.run<Echo>([scene.file(content)], echo)).get("all");
    expect(await lines("a\r\nb\n\n\rc\r")).toEqual(["a", "b", "", "\rc"]);
    expect(await lines("\uFEFFa\n\uFEFFb")).toEqual(["a", "\uFEFFb"]);
    expect(await lines(new Uint8Array([0x61, 0xff, 0xfe, 0x0a, 0xc3]))).toEqual(["a\uFFFD\uFFFD", "\uFFFD"]);
  });

  test("are bytes, or whole files, if the module says so; and tell their file", async () => {
    const files = [scene.file("\uFEFFa\r\nb\n", "one"), scene.file("", "two")];
    const job = (records: string): string => `
      export const records = "${records}";
      export function map(record, emit, { file }) { emit(file.slice(-3), typeof record === "string" ? record : [...record]) }
      export const reduce = (_, all) => all;`;
    interface Shown {
      map(record: string, emit: Emit<string, unknown>, ctx: RecordContext): void;
      reduce(file: string, all: readonly unknown[]): readonly unknown[];
    }
    const shown = async (records: string): Promise<unknown> =>
      Object.fromEntries(await scene.run<Shown>(files, job(records), { splitMb: 0.000_001 }));
    expect(await shown("line-bytes")).toEqual({ one: [[0xef, 0xbb, 0xbf, 0x61], [0x62]] });
    expect(await shown("files")).toEqual({ one: ["a\r\nb\n"], two: [""] });
    expect(await shown("file-bytes")).toEqual({
      one: [[0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x62, 0x0a]],
      two: [[]],
    });
  });
});

describe("a job", () => {
  test("may keep back what it emits until its split ends, and divide the keys itself", async () => {
    const job = `
      let kept = 0;
      export function map(line) { kept += Number(line) }
      export function finish(emit) { emit(kept, 1); kept = 0 }
      export const partition = (key, partitions) => key < 10 ? 0 : partitions - 1;
      export const reduce = (key, ones) => ones.length;`;
    interface Kept {
      map(line: string, emit: Emit<number, number>): void;
      reduce(key: number, ones: readonly number[]): number;
    }
    const files = [scene.file("1\n2\n"), scene.file("30\n"), scene.file("3")];
    await scene.run<Kept, void>(files, job, { partitions: 3 }, async (run) => {
      expect([...(await run.toMap())]).toEqual([
        [3, 2],
        [30, 1],
      ]);
      await run.writeTo(scene.path("out"));
    });
    expect(scene.list("out").map((part) => readFileSync(scene.path(`out/${part}`), "utf8"))).toEqual([
      "3\t2\n",
      "",
      "30\t1\n",
    ]);
  });

  test("must have few enough values of a key, unless it merges them or takes them one by one", async () => {
    const file = scene.file("x".repeat(100).concat("\n").repeat(20_000));
    expect(await failureOf(scene.run<Echo>([file], echo, { memoryMb: 1 }))).toMatchObject({
      code: "LIMIT",
      message: expect.stringContaining('the values of key "all" do not fit') as string,
    });
  });

  test("that fails, fails the run with its own error", async () => {
    const file = scene.file("a\nb\n");
    const failing = (code: string): Promise<unknown> => failureOf(scene.run<Echo>([file], code));
    const reduce = "export const reduce = (_, all) => all;";
    expect(
      await failing(`export function map(line) { throw new RangeError("no " + line) } ${reduce}`),
    ).toEqual(new RangeError("no a"));
    expect(await failing(`export async function map() { throw "late" } ${reduce}`)).toBe("late");
    expect(await failing(`${echo.replace("=> all", "=> { throw new Error('not that') }")}`)).toEqual(
      new Error("not that"),
    );
    expect(await failing(`export function map(_, emit) { emit({}, 1) } ${reduce}`)).toEqual(
      new TypeError("key must be a string or a number, got an object"),
    );
    expect(await failing(`export function map(_, emit) { emit("a", () => 1) } ${reduce}`)).toMatchObject({
      message: "() => 1 could not be cloned.",
    });
    expect(await failing(`export const partition = () => 1; ${echo}`)).toEqual(
      new RangeError("partition(key) must be a whole number from 0 to 0, got 1"),
    );
    const late = "let first; export function map(_, emit) { first ??= emit; first('a', 1) }";
    expect(await failing(`${late} ${reduce}`)).toMatchObject({ code: "MISUSE" });
  });

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
  const job = `
    export function map(line, emit) { emit("all", line); if (line === "bad") throw new Error("bad"); }
    export const reduce = (_, all) => all;`;

  test("are skipped with all that they have emitted, and told of", async () => {
    const [one, two] = [scene.file("a\nbad\nb\n"), scene.file("bad\n")];
    const skipped: SkippedRecord[] = [];
    const options = { skipRecords: 2, onSkipped: (record: SkippedRecord) => void skipped.push(record) };
    await scene.run<Echo, void>([one, two], job, options, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b"]);
      expect(run.counters).toMatchObject({ mapped: 2, skipped: 2, emitted: 2 });
    });
    expect(skipped).toEqual([
      { file: one, at: 2, error: new Error("bad") },
      { file: two, at: 0, error: new Error("bad") },
    ]);
  });

  test("fail the run if there are more of them", async () => {
    const files = [scene.file("a\nbad\n"), scene.file("bad\n")];
    for (const threads of [1, 2])
      expect(await failureOf(scene.run<Echo>(files, job, { skipRecords: 1, threads }))).toEqual(
        new Error("bad"),
      );
  });

  test("are skipped if they have ended their thread twice", async () => {
    const killing = `export function map(line, emit) { if (line === "bad") process.exit(3); emit("all", line) }
      export const reduce = (_, all) => all;`;
    const file = scene.file("a\nbad\nb\nbad\nc\n");
    await scene.run<Echo, void>([file], killing, { skipRecords: 2, retries: 1 }, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b", "c"]);
      expect(run.counters).toMatchObject({ mapped: 3, skipped: 2, retried: 4 });
    });
    const failure = await failureOf(scene.run<Echo>([file], killing, { skipRecords: 1, retries: 1 }));
    expect(failure).toMatchObject({ code: "CRASHED", exitCode: 3 });
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
    await scene.run<Echo, void>([scene.file("a")], dying, { retries: 2 }, async (run) => {
      expect(await failureOf(run.wait())).toMatchObject({ code: "CRASHED" });
      expect(run.counters.retried).toBe(2);
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

  test("that takes too long is ended, and another tries", async () => {
    const file = scene.file("a\nb\nc\n");
    await scene.run<Echo, void>([file], once("for (;;);"), { timeoutMs: 200 }, async (run) => {
      expect((await run.toMap()).get("all")).toEqual(["a", "b", "c"]);
      expect(run.counters.retried).toBeGreaterThan(0);
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
      expect((await run.toMap()).get("all")).toEqual(["a"]);
    });
    expect(scene.list()).toEqual([...before, "file"].toSorted());
  });

  test("shows results as the job does, or else the key, a tab, and the result", () => {
    expect(resultLine({ line: (key: string, result: number) => `${key}: ${result}` }, "a", 1)).toBe("a: 1");
    expect([
      resultLine({}, "a", { b: 1 }),
      resultLine({}, 7, "text"),
      resultLine({}, "a", undefined),
    ]).toEqual(['a\t{"b":1}', "7\ttext", "a\t"]);
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
