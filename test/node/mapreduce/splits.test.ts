import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FileSplit, linesOf, planSplits } from "../../../src/node/mapreduce/splits.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "splits-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string | Uint8Array): string {
  const file = join(folder, "file");
  writeFileSync(file, text);
  return file;
}

/** What a split gives, chunk by chunk, each with its place. */
function textsOf(split: FileSplit, chunkBytes?: number): [at: number, text: string][] {
  const buffer = chunkBytes === undefined ? undefined : new Uint8Array(chunkBytes);
  return Array.from(linesOf(split, buffer), ({ at, bytes }) => [at, new TextDecoder().decode(bytes)]);
}

describe("splits of files", () => {
  test("are of about the same size, in the order of the files, and an empty file is one", async () => {
    const file = fileOf("0123456789");
    const empty = join(folder, "empty");
    writeFileSync(empty, "");
    expect(await planSplits([file, empty, file], 4)).toEqual([
      { file, from: 0, to: 3 },
      { file, from: 3, to: 6 },
      { file, from: 6, to: 10 },
      { file: empty, from: 0, to: 0 },
      { file, from: 0, to: 3 },
      { file, from: 3, to: 6 },
      { file, from: 6, to: 10 },
    ]);
    expect(await planSplits([file], Number.POSITIVE_INFINITY)).toEqual([{ file, from: 0, to: 10 }]);
  });

  test("cannot be planned for what is not there, or is no regular file", async () => {
    await expect(planSplits([join(folder, "none")], 4)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(planSplits([folder], 4)).rejects.toMatchObject({ code: "MISUSE" });
    await expect(planSplits(["/dev/null"], 4)).rejects.toThrow("/dev/null is not a regular file");
  });

  test("own the lines that begin in them", () => {
    const file = fileOf("ab\ncd\n\nef");
    expect(textsOf({ file, from: 0, to: 9 })).toEqual([
      [0, "ab\ncd\n\n"],
      [7, "ef"],
    ]);
    expect(textsOf({ file, from: 0, to: 3 })).toEqual([[0, "ab\n"]]);
    expect(textsOf({ file, from: 0, to: 4 })).toEqual([[0, "ab\ncd\n"]]);
    expect(textsOf({ file, from: 1, to: 3 })).toEqual([]);
    expect(textsOf({ file, from: 3, to: 4 })).toEqual([[3, "cd\n"]]);
    expect(textsOf({ file, from: 4, to: 7 })).toEqual([[6, "\n"]]);
    expect(textsOf({ file, from: 8, to: 9 })).toEqual([]);
    expect(textsOf({ file, from: 0, to: 0 })).toEqual([]);
  });

  test("give each line once and whole, wherever a file is cut and however small the chunks are", async () => {
    const text = fc.stringMatching(/^[ab\n\r]*$/, { maxLength: 60 });
    const sizes = fc.integer({ min: 1, max: 70 });
    await fc.assert(
      fc.asyncProperty(text, sizes, sizes, async (content, splitBytes, chunkBytes) => {
        const file = fileOf(content);
        const chunks = (await planSplits([file], splitBytes)).flatMap((split) => textsOf(split, chunkBytes));
        expect(chunks.map(([, chunk]) => chunk).join("")).toBe(content);
        for (const [at, chunk] of chunks) {
          expect(content.slice(at, at + chunk.length)).toBe(chunk);
          expect(at === 0 || content[at - 1] === "\n").toBe(true);
          expect(chunk.length <= chunkBytes || !chunk.slice(0, -1).includes("\n")).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("end where a file ends that has become shorter", () => {
    const file = fileOf("ab\ncd\n");
    truncateSync(file, 4);
    expect(textsOf({ file, from: 0, to: 6 })).toEqual([
      [0, "ab\n"],
      [3, "c"],
    ]);
    truncateSync(file, 0);
    expect(textsOf({ file, from: 3, to: 6 })).toEqual([]);
  });

  test("of a file that may not be read cannot be planned", async (context) => {
    if (process.getuid?.() === 0) context.skip("root may read every file");
    const file = join(folder, "secret");
    writeFileSync(file, "");
    chmodSync(file, 0);
    await expect(planSplits([file], 4)).rejects.toMatchObject({ code: "EACCES" });
  });
});
