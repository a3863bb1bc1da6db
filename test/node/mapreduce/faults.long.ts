/**
 * What the system refuses in the midst of a count or of a run: at each call to it that either makes. It fails with one error
 * that names the file, is not tried again, and leaves neither a file nor an open one.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../../support/build.ts";

type Kind = "count" | "run" | "write";
/** A kind, what the system was asked for, what it says, a part of the path that it is about, and how many calls go well. */
type Row = readonly [kind: Kind, call: string, code: string, part: string, skip: number];

const rows: readonly Row[] = [
  ["count", "open", "EMFILE", "/text", 0],
  ["count", "openSync", "EMFILE", "/text", 0],
  ["count", "readSync", "EIO", "/text", 1],
  ["count", "mkdtemp", "EMFILE", "/spills", 0],
  ["count", "openSync", "EMFILE", ".run", 0],
  ["count", "writeSync", "EIO", ".run", 1],
  ["count", "writeSync", "ENOSPC", ".run", 0],
  ["count", "closeSync", "EIO", ".run", 0],
  ["count", "readSync", "EIO", ".run", 0],
  ["run", "open", "EMFILE", "/text", 0],
  ["run", "openSync", "EMFILE", "/text", 0],
  ["run", "readSync", "EIO", "/text", 1],
  ["run", "mkdtemp", "EMFILE", "/spills", 0],
  ["run", "mkdirSync", "ENOSPC", "/map-", 0],
  ["run", "openSync", "EMFILE", "/map-", 0],
  ["run", "writeSync", "EIO", "/map-", 1],
  ["run", "closeSync", "EIO", "/map-", 0],
  ["run", "rename", "EIO", "/map-", 0],
  ["run", "mkdirSync", "ENOSPC", "/reduce-", 0],
  ["run", "readSync", "EIO", "/map-", 0],
  ["run", "writeSync", "EIO", "/reduce-", 0],
  ["run", "rename", "EIO", "/reduce-", 0],
  ["run", "openSync", "EMFILE", "/results", 0],
  ["run", "readSync", "EIO", "/results", 0],
  ["write", "readSync", "EIO", "/results", 0],
  ["write", "mkdtemp", "EMFILE", "/out-", 0],
  ["write", "mkdir", "ENOSPC", "/out", 0],
  ["write", "openSync", "EMFILE", "/part-", 0],
  ["write", "writeSync", "EIO", "/part-", 0],
  ["write", "fsyncSync", "EIO", "/part-", 0],
  ["write", "closeSync", "EIO", "/part-", 0],
  ["write", "rename", "EIO", "/part-", 0],
  ["write", "rename", "EIO", "/out", 2],
];

interface Told {
  readonly value?: string;
  readonly code?: string;
  readonly message?: string;
  readonly path?: string;
  readonly left: readonly string[];
  readonly handles: readonly string[];
  readonly retried: number;
}

const folder = mkdtempSync(join(tmpdir(), "faults-"));
const faulty = fileURLToPath(new URL("../../support/faulty-fs.cjs", import.meta.url));
const child = fileURLToPath(new URL("faults-child.mjs", import.meta.url));
const built = (path: string): string => new URL(`../../../dist/${path}`, import.meta.url).href;
/** More different words than the memory of a count has room for. */
const text = Array.from({ length: 150_000 }, (_, n) => `word-${n}${n % 8 === 7 ? "\n" : " "}`).join("");
const told = new Map<string, Told>();

const run = promisify(execFile);

async function tell(kind: Kind): Promise<void> {
  const place = join(folder, kind);
  mkdirSync(join(place, "spills"), { recursive: true });
  writeFileSync(join(place, "text"), text);
  const own = [[kind, undefined], ...rows.filter((row) => row[0] === kind)];
  const faults = own.map(([, call, code, part, skip]) => ({ kind, call, code, part, skip }));
  const modules = {
    count: built("src/node/threads/mapreduce/count.js"),
    run: built("src/node/threads/mapreduce.js"),
  };
  writeFileSync(join(place, "orders"), JSON.stringify({ folder: place, faults, ...modules }));
  const { stdout } = await run(process.execPath, ["--require", faulty, child, join(place, "orders")]);
  for (const [index, line] of stdout.trim().split("\n").entries())
    told.set(String(own[index]), JSON.parse(line) as Told);
}

beforeAll(async () => {
  buildIfStale();
  for (const kind of ["count", "run", "write"] as const) await tell(kind);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const nothing = { left: [], handles: [], retried: 0 };

describe.runIf(existsSync("/proc/self/fd"))("what the system refuses", () => {
  test.each([
    ["count", "spilled", []],
    ["run", "done", []],
    ["write", "done", ["out"]],
  ])("nothing: a %s ends well", (kind, value, left) => {
    expect(told.get(String([kind, undefined]))).toEqual({ ...nothing, value, left });
  });

  test.each(rows)("a %s, in %s: %s of %s", (kind, call, code, part, skip) => {
    const { message, path = "", value, ...rest } = told.get(String([kind, call, code, part, skip])) as Told;
    expect([value, message]).toEqual([undefined, expect.stringContaining(`${code}: `)]);
    expect(path).toContain(join(folder, kind));
    expect(path).toContain(part);
    expect(message).toContain(path);
    expect(rest).toEqual({ ...nothing, code, name: "Error" });
  });
});
