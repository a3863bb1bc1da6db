import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Failure } from "../../cli/failure.ts";
import { hostOf } from "../../cli/host.ts";
import { OutputFiles } from "../../cli/output-files.ts";
import type { Host } from "../../examples/host.ts";
import type { Input } from "../../examples/input-demo.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-pattern-host-"));
afterAll(() => rmSync(folder, { recursive: true }));

let outputs: OutputFiles;
let host: Host;
beforeEach(() => {
  outputs = new OutputFiles();
  host = hostOf(outputs, false, new AbortController().signal);
});
afterEach(() => outputs[Symbol.dispose]());

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const load = (word: string): Promise<unknown> => host.load(word, ["map", "reduce"]);

describe("a module of the user", () => {
  test("is found from the working folder; one that comes with the command, by its name", async () => {
    const path = file("mine.mjs", "export const map = () => {}, reduce = () => {};");
    expect(await host.load(relative(process.cwd(), path), ["map"])).toMatchObject({
      url: { pathname: path },
    });
  });

  test.each([
    ["missing.mjs", undefined, 5, "cannot read $: there is no such file"],
    ["broken.mjs", "no program (", 5, "cannot load $: "],
    ["throws.mjs", "throw new Error('no\\nlines')", 5, "cannot load $: Error: no"],
    ["no-reduce.mjs", "export const map = () => {}", 2, "$ exports no function reduce"],
    ["neither.mjs", "export const map = 1", 2, "$ exports no function map and no function reduce"],
  ])("%s is told in one line", async (name, content, status, message) => {
    const path = content === undefined ? join(folder, name) : file(name, content);
    const failure = (await load(path).catch((error: unknown) => error)) as Failure;
    expect(failure.message.startsWith(message.replace("$", path)), failure.message).toBe(true);
    expect(failure.message).not.toContain("\n");
    expect(failure.status).toBe(status);
  });

  test("is no folder", async () => {
    await expect(load(folder)).rejects.toThrow(`cannot read ${folder}: it is a directory`);
  });
});

describe("an input that is no file", () => {
  test("is put into one, which goes at the end", async () => {
    const input: Input = {
      name: "standard input",
      given: "-",
      async *open() {
        yield new TextEncoder().encode("some ");
        yield new TextEncoder().encode("bytes");
      },
    };
    const path = await host.pathOf(input);
    expect(readFileSync(path, "utf8")).toBe("some bytes");
    outputs[Symbol.dispose]();
    expect(() => readFileSync(path)).toThrow("ENOENT");
    expect(await host.pathOf({ ...input, path: "/a/file" })).toBe("/a/file");
  });
});

describe("a folder of results", () => {
  const fill = (text: string) => async (path: string) => {
    mkdirSync(path);
    writeFileSync(join(path, "part-00000"), text);
  };

  test("is there when it is whole, and replaces only another one, and only by force", async () => {
    const path = join(folder, "results");
    const part = join(path, "part-00000");
    await host.prepareFolder(path, { force: false }).write(fill("one"));
    expect(readFileSync(part, "utf8")).toBe("one");
    expect(() => host.prepareFolder(path, { force: false })).toThrow("it is not empty; --force replaces");
    const forced = host.prepareFolder(path, { force: true });
    const failure = new Error("half");
    await expect(forced.write(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(readFileSync(part, "utf8")).toBe("one");
    await forced.write(fill("two"));
    expect(readFileSync(part, "utf8")).toBe("two");
    writeFileSync(join(path, "mine"), "");
    expect(() => host.prepareFolder(path, { force: true })).toThrow("it holds something else than results");
    expect(() => host.prepareFolder(part, { force: true })).toThrow("a file is where a directory is wanted");
  });
});
