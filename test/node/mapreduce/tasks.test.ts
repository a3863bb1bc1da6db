import { type Emit, mapReduce } from "concurrency-model-patterns/mapreduce";
import { type RecordContext, resultLine } from "concurrency-model-patterns/threads/mapreduce";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as wordCount from "../../../examples/jobs/word-count.ts";
import { type Division, perform } from "./direct.ts";
import { Scene } from "./scene.ts";

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.remove());

/** Gives each record under one key. */
const echo = {
  map(record: string, emit: Emit<string, string>): void {
    emit("all", record);
  },
  reduce: (_key: string, all: readonly string[]): readonly string[] => all,
};

/** A text of so many words, some of them frequent. */
function textOf(words: number): string {
  let state = 1;
  let text = "";
  for (let count = 1; count <= words; count++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const part = state / 0x8000_0000;
    text += `${Math.floor(part * part * 2000).toString(36)}${count % 7 === 0 ? "\n" : " "}`;
  }
  return text;
}

test("what comes out is what the plain pattern gives by the same functions, however it is divided", async () => {
  const texts = [textOf(1000), textOf(3), "", textOf(300)];
  const files = texts.map((text) => scene.file(text));
  const lines = texts.flatMap((text) => text.split("\n"));
  const { map, reduce } = wordCount;
  const plainly = { map, reduce };
  const divisions: (readonly [job: typeof plainly, Division])[] = [
    [plainly, {}],
    [plainly, { memoryBytes: 10_000, splitBytes: 1000, partitions: 3 }],
    [wordCount, { memoryBytes: 3000, partitions: 2 }],
    [wordCount, { memoryBytes: 20_000, splitBytes: 1000, partitions: 7 }],
    [wordCount, { memoryBytes: 1, splitBytes: 2000 }],
  ];
  const plain = await mapReduce(lines, wordCount);
  const byKey = ([left]: readonly [string, number], [right]: readonly [string, number]): number =>
    left < right ? -1 : 1;
  for (const [job, division] of divisions) {
    const { parts } = await perform(scene, files, job, division);
    for (const part of parts) expect(part).toEqual(part.toSorted(byKey));
    expect(parts.flat().toSorted(byKey)).toEqual([...plain].toSorted(byKey));
  }
});

test("values come in the order of the files, also when they were spilled and merged several times", async () => {
  const lines = Array.from({ length: 3000 }, (_, index) => `${index % 3} ${index}`);
  const files = [lines.slice(0, 1000), lines.slice(1000)].map((part) => scene.file(part.join("\n")));
  const job = {
    values: "iterable" as const,
    map(line: string, emit: Emit<string, number>): void {
      const [key = "", value] = line.split(" ");
      emit(key, Number(value));
    },
    async reduce(_key: string, numbers: Iterable<number>): Promise<readonly number[]> {
      await Promise.resolve();
      return [...numbers];
    },
  };
  const { mapped, parts } = await perform(scene, files, job, { memoryBytes: 5000, splitBytes: 1000 });
  expect(mapped.flatMap(({ spills }) => spills).length).toBeGreaterThan(30);
  const of = (key: number): number[] => Array.from({ length: 1000 }, (_, index) => 3 * index + key);
  expect(parts.flat()).toEqual(["0", "1", "2"].map((key) => [key, of(Number(key))]));
});

test("what is merged keeps the order in which it was emitted", async () => {
  const job = {
    ...echo,
    combine: (left: string, right: string): string => `${left}${right}`,
    reduce: (_: string, [all]: readonly string[]) => all,
  };
  const text = "abcdefghijklmnopqrstuvwxyz".repeat(20);
  const files = [scene.file([...text].join("\n"))];
  for (const memoryBytes of [1, 2000, 1e6])
    expect((await perform(scene, files, job, { memoryBytes, splitBytes: 100 })).parts).toEqual([
      [["all", text]],
    ]);
});

test("keys are sorted by value and by code point, and any string is one", async () => {
  const texts = ["b", "", "\u{1F600}", "\uFF5E", "\uD800", "__proto__", "constructor"];
  const numbers = [10, 9, -1.5, -0, 0, Number.NaN, Number.POSITIVE_INFINITY];
  const job = {
    map(_line: string, emit: Emit<string | number, number>): void {
      for (const key of [...texts, ...numbers]) emit(key, 1);
    },
    reduce: (_key: string | number, ones: readonly number[]): number => ones.length,
  };
  const { parts } = await perform(scene, [scene.file("one\n")], job);
  const sortedNumbers = [-1.5, 0, 9, 10, Number.POSITIVE_INFINITY, Number.NaN];
  const sortedTexts = ["", "__proto__", "b", "constructor", "\uD800", "\uFF5E", "\u{1F600}"];
  expect(parts.flat().map(([key]) => key)).toEqual([...sortedNumbers, ...sortedTexts]);
  expect(new Map(parts.flat()).get(0)).toBe(2);
});

describe("records", () => {
  const shown = async (content: string | Uint8Array): Promise<unknown> =>
    (await perform(scene, [scene.file(content)], echo)).parts.flat()[0]?.[1];

  test("are lines without their ends, as text", async () => {
    expect(await shown("a\r\nb\n\n\rc\r")).toEqual(["a", "b", "", "\rc"]);
    expect(await shown("\uFEFFa\n\uFEFFb")).toEqual(["a", "\uFEFFb"]);
    expect(await shown(new Uint8Array([0x61, 0xff, 0xfe, 0x0a, 0xc3]))).toEqual(["a\uFFFD\uFFFD", "\uFFFD"]);
    expect(await shown("")).toBe(undefined);
  });

  test("are bytes, or whole files, if the job says so; and tell their file", async () => {
    const files = [scene.file("\uFEFFa\r\nb\n", "one"), scene.file("", "two")];
    const shown = async (records: "line-bytes" | "files" | "file-bytes"): Promise<unknown> => {
      const job = {
        records: records as "files",
        map(record: string, emit: Emit<string, unknown>, { file }: RecordContext): void {
          emit(file.slice(-3), typeof record === "string" ? record : [...record]);
        },
        reduce: (_file: string, all: readonly unknown[]): readonly unknown[] => all,
      };
      return Object.fromEntries((await perform(scene, files, job)).parts.flat());
    };
    expect(await shown("line-bytes")).toEqual({ one: [[0xef, 0xbb, 0xbf, 0x61], [0x62]] });
    expect(await shown("files")).toEqual({ one: ["a\r\nb\n"], two: [""] });
    expect(await shown("file-bytes")).toEqual({
      one: [[0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x62, 0x0a]],
      two: [[]],
    });
  });

  test("that fail are skipped with all that they have emitted", async () => {
    const job = {
      ...echo,
      async map(line: string, emit: Emit<string, string>): Promise<void> {
        emit("all", line);
        if (line === "late") await Promise.reject(new Error("late"));
        if (line === "bad") throw new Error("bad");
        if (line === "uncopyable") emit("all", (() => 1) as never);
      },
    };
    const file = scene.file("a\nbad\nlate\nb\nuncopyable\n");
    const { mapped, parts } = await perform(scene, [file], job, { skipRecords: 3 });
    expect(parts.flat()).toEqual([["all", ["a", "b"]]]);
    expect(mapped[0]).toMatchObject({ mapped: 2, emitted: 2 });
    expect(mapped[0]?.skipped).toEqual([
      { file, at: 2, error: new Error("bad") },
      { file, at: 6, error: new Error("late") },
      {
        file,
        at: 13,
        error: expect.objectContaining({ message: "() => 1 could not be cloned." }) as unknown,
      },
    ]);
    await expect(perform(scene, [file], job, { skipRecords: 1 })).rejects.toThrow("late");
  });
});

describe("a job", () => {
  test("may keep back what it emits until its split ends, and is put in order when that is given up", async () => {
    let kept = 0;
    const job = {
      map(line: string): void {
        kept += Number(line);
        if (line === "bad") throw new Error("bad");
      },
      finish(emit: Emit<number, number>): void {
        emit(kept, 1);
        kept = 0;
      },
      reduce: (_key: number, ones: readonly number[]): number => ones.length,
    };
    // It emits in `finish` alone, so `map` says nothing of the types.
    const typed: typeof job & { map(line: string, emit: Emit<number, number>): void } = job;
    const files = [scene.file("1\n2\n"), scene.file("30\n"), scene.file("3")];
    expect((await perform(scene, files, typed)).parts.flat()).toEqual([
      [3, 2],
      [30, 1],
    ]);
    await expect(perform(scene, [scene.file("7\nbad\n")], typed)).rejects.toThrow("bad");
    expect(kept).toBe(0);
  });

  test("may divide the keys itself", async () => {
    const job = {
      map: (line: string, emit: Emit<string, number>): void => emit(line, 1),
      reduce: (_: string, ones: readonly number[]): number => ones.length,
      partition: (key: string, partitions: number): number => (key < "m" ? 0 : partitions - 1),
    };
    const file = scene.file("z\na\nb\nz\n");
    expect((await perform(scene, [file], job, { partitions: 3 })).parts).toEqual([
      [
        ["a", 1],
        ["b", 1],
      ],
      [],
      [["z", 2]],
    ]);
    const wrong = { ...job, partition: () => 3 };
    await expect(perform(scene, [file], wrong, { partitions: 3 })).rejects.toEqual(
      new RangeError("partition(key) must be a whole number from 0 to 2, got 3"),
    );
  });

  test("must have few enough values of a key, unless it merges them or takes them one by one", async () => {
    const file = scene.file("x".repeat(100).concat("\n").repeat(2000));
    await expect(perform(scene, [file], echo, { memoryBytes: 10_000 })).rejects.toMatchObject({
      code: "LIMIT",
      message:
        'the values of key "all" do not fit in the 5000 bytes of a thread: export a `combine`, or `values = "iterable"`',
    });
  });

  test("may not take what it is given wrongly", async () => {
    const file = scene.file("a\nb\n");
    const failing = (map: (line: string, emit: Emit<string, unknown>) => void): Promise<unknown> =>
      perform(scene, [file], { map, reduce: () => 1 });
    await expect(failing((_, emit) => emit({} as string, 1))).rejects.toThrow(
      "key must be a string or a number, got an object",
    );
    await expect(failing((_, emit) => emit("a", () => 1))).rejects.toThrow("could not be cloned");
    let first: Emit<string, unknown> | undefined;
    const late = failing((_, emit) => {
      first ??= emit;
      first("a", 1);
    });
    await expect(late).rejects.toMatchObject({ code: "MISUSE", message: "emit after its map has ended" });
  });
});

test("a result is shown as the job does, or else as the key, a tab, and the result", () => {
  expect(resultLine({ line: (key: string, result: number) => `${key}: ${result}` }, "a", 1)).toBe("a: 1");
  expect([resultLine({}, "a", { b: 1 }), resultLine({}, 7, "text"), resultLine({}, "a", undefined)]).toEqual([
    'a\t{"b":1}',
    "7\ttext",
    "a\t",
  ]);
});
