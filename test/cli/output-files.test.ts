import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OutputFiles } from "../../cli/output-files.ts";
import type { OutputFile } from "../../examples/host.ts";
import type { Input } from "../../examples/input-demo.ts";

let folder: string;
let files: OutputFiles;
let source: Input;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cmp-pattern-output-"));
  files = new OutputFiles();
  const path = join(folder, "source");
  writeFileSync(path, "abc");
  chmodSync(path, 0o640);
  utimesSync(path, 1_000_000_000, 1_000_000_000.5);
  source = { name: path, given: path, path, size: 3, open: () => expect.unreachable() };
  target = join(folder, "target");
});

afterEach(() => {
  files[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const bytes = new TextEncoder().encode("some bytes");
const create = (force = false): OutputFile => files.create(target, source, { force });

describe("a file that is made", () => {
  test("is there under its name when it is whole, with mode and time of its source", async () => {
    const file = create();
    await file.write(bytes);
    const temporary = readdirSync(folder).find((name) => name.startsWith(".")) ?? "";
    expect(statSync(join(folder, temporary)).mode & 0o777).toBe(0o600);
    expect(existsSync(target)).toBe(false);
    file.commit();
    file.discard();
    expect(readFileSync(target, "utf8")).toBe("some bytes");
    expect(statSync(target)).toMatchObject({ mode: 0o100_640, mtimeMs: 1_000_000_000_500 });
    expect(readdirSync(folder).toSorted()).toEqual(["source", "target"]);
  });

  test("leaves nothing when it is discarded, or not whole at the end", async () => {
    const [one, two] = [create(), create()];
    await one.write(bytes);
    await two.write(bytes);
    expect(readdirSync(folder)).toHaveLength(3);
    one.discard();
    expect(readdirSync(folder)).toHaveLength(2);
    files[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual(["source"]);
    two.discard();
  });

  test("replaces what is there by force alone, be it that it has come meanwhile", () => {
    const late = create();
    const forced = create(true);
    writeFileSync(target, "mine");
    expect(() => create()).toThrow(`cannot write ${target}: it is there already; --force replaces it`);
    expect(() => late.commit()).toThrow("it is there already");
    late.discard();
    expect(readFileSync(target, "utf8")).toBe("mine");
    forced.commit();
    expect(readFileSync(target, "utf8")).toBe("");
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test("replaces a link, and not what it leads to", () => {
    const other = join(folder, "other");
    writeFileSync(other, "mine");
    symlinkSync(other, target);
    expect(() => create()).toThrow("it is there already");
    create(true).commit();
    expect(readFileSync(other, "utf8")).toBe("mine");
    expect(readFileSync(target, "utf8")).toBe("");
  });

  test("never replaces a folder, nor is it made where none is, nor of a source that has gone", () => {
    mkdirSync(target);
    expect(() => create(true)).toThrow(`cannot write ${target}: it is a directory`);
    expect(() => files.create(join(folder, "no", "x"), source, { force: false })).toThrow(
      "there is no such file",
    );
    rmSync(source.given);
    expect(() => create()).toThrow(`cannot read ${source.name}: there is no such file`);
  });

  test("is not finished if its source has changed", () => {
    const file = create();
    writeFileSync(source.given, "abd");
    expect(() => file.commit()).toThrow(`cannot read ${source.name}: it has changed meanwhile`);
    file.discard();
    const longer = files.create(target, { ...source, size: 2 }, { force: false });
    expect(() => longer.commit()).toThrow("it has changed meanwhile");
    longer.discard();
    expect(readdirSync(folder)).toEqual(["source"]);
  });
});
