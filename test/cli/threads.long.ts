/**
 * The command on all cores beside the real `sha256sum` and `gunzip`, interrupted at any instant, and on a disk that is full.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { run, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-pattern-long-"));
beforeAll(buildIfStale, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function makeFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

const ODD = [
  "a b",
  "new\nline",
  "back\\slash",
  "re\rturn",
  "-dash",
  "--flag",
  "ünï",
  "日本",
  "$(x)",
  "'\"",
  "*",
  "\t",
];

/** Sizes around those of blocks and buffers, and any other; half of the bytes are text-like. */
function randomContent(index: number): Uint8Array {
  const edges = [0, 1, (1 << 15) - 1, 1 << 18, (1 << 18) + 1, 1 << 20, (1 << 20) + 1, 3 << 18];
  const size = index < edges.length ? (edges[index] as number) : 2 ** randomInt(1, 19) + randomInt(1000);
  const bytes = randomBytes(size);
  if (index % 2 === 0) for (let at = 0; at < size; at++) bytes[at] = 0x61 + ((bytes[at] as number) & 7);
  return bytes;
}

describe("200 files", () => {
  const place = makeFolder("files");
  const paths: string[] = [];
  for (let index = 0; index < 199; index++) {
    const path = join(place, `${ODD[index] ?? "file"}-${index}`);
    writeFileSync(path, randomContent(index));
    paths.push(path);
  }
  paths.push(join(place, "large"));
  writeFileSync(join(place, "large"), randomBytes(10_000_000));

  test.each(["1", "2", "7"])("have the checksums of sha256sum, on %s threads", async (threads) => {
    const words = [...paths, join(place, "missing"), ...paths.slice(0, 3), place];
    const ours = await run(["--fan", "--threads", threads, "--input", ...words]);
    const theirs = spawnSync("sha256sum", words, { encoding: "utf8" });
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.status).toBe(5);
    expect(ours.stderr.split("\n")).toHaveLength(theirs.stderr.split("\n").length);
  });

  test("are compressed into what gunzip reads back", async () => {
    const { status, stdout, stderr } = await run(["--pools", "--threads", "2", "--input", ...paths]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.split("\n").filter((line) => / -> \d+ bytes/.test(line));
    expect(lines).toHaveLength(paths.length);
    execFileSync("gzip", ["--test", ...paths.map((path) => `${path}.gz`)]);
    for (const path of paths) {
      const compared = spawnSync("sh", ["-c", 'gunzip -c "$1.gz" | cmp - "$1"', "sh", path]);
      expect(compared.status, path).toBe(0);
    }
    expect(readdirSync(place)).toHaveLength(2 * paths.length);
  });
});

describe("an interrupt at any instant", () => {
  /** How long until the process has ended by itself, about. */
  async function durationOf(args: readonly string[]): Promise<number> {
    const fromMs = performance.now();
    await run(args);
    return performance.now() - fromMs;
  }

  test("leaves whole files and no others", async () => {
    const place = makeFolder("interrupted");
    const paths = ["one", "two", "three"].map((name, index) => {
      const path = join(place, name);
      writeFileSync(
        path,
        randomContent(2 * index + 100)
          .toString()
          .repeat(4),
      );
      return path;
    });
    paths.push(join(place, "large"));
    writeFileSync(join(place, "large"), Buffer.alloc(40_000_000, "some text "));
    const args = ["--pools", "--input", ...paths];
    const wholeMs = await durationOf(args);
    for (let round = 0; round < 30; round++) {
      for (const path of paths) rmSync(`${path}.gz`, { force: true });
      const { child, finished } = start(args);
      const timer = setTimeout(() => child.kill("SIGINT"), randomInt(Math.ceil(wholeMs * 1.1)));
      const { status, stderr } = await finished;
      clearTimeout(timer);
      // Before it listens, the signal ends it; after its end, it has done its work.
      expect([null, 0, 130]).toContain(status);
      expect(stderr).toBe("");
      const made = readdirSync(place).filter((name) => !paths.includes(join(place, name)));
      for (const name of made) expect(paths.map((path) => `${path}.gz`)).toContain(join(place, name));
      if (made.length > 0) execFileSync("gzip", ["--test", ...made.map((name) => join(place, name))]);
      if (status === 0) expect(made).toHaveLength(paths.length);
    }
  });

  test.each([
    ["words", ["--threads", "2"]],
    ["a job", ["--threads", "2", "--job", "inverted-index", "--memory", "8MB"]],
  ])("leaves nothing of MapReduce with %s", async (_, flags) => {
    const place = makeFolder(`mapreduce-${flags.length}`);
    const input = join(place, "input");
    writeFileSync(
      input,
      Array.from({ length: 100_000 }, (_, line) => `line ${line} of ${line % 977}\n`).join(""),
    );
    const scratch = join(place, "scratch");
    mkdirSync(scratch);
    const output = flags.includes("--job") ? ["--output", join(place, "results")] : [];
    const args = ["--mapreduce", ...flags, ...output, "--input", input];
    const options = { env: { TMPDIR: scratch } };
    const fromMs = performance.now();
    expect((await run(args, options)).status).toBe(0);
    const wholeMs = performance.now() - fromMs;
    for (let round = 0; round < 30; round++) {
      rmSync(join(place, "results"), { recursive: true, force: true });
      const { child, finished } = start(args, options);
      const timer = setTimeout(() => child.kill("SIGINT"), randomInt(Math.ceil(wholeMs * 1.1)));
      const { status, stderr } = await finished;
      clearTimeout(timer);
      expect([null, 0, 130]).toContain(status);
      expect(stderr).toBe("");
      expect(readdirSync(scratch)).toEqual([]);
      const left = readdirSync(place).filter((name) => name !== "input" && name !== "scratch");
      expect(left).toEqual(
        status === 0 && output.length > 0 ? ["results"] : left.filter((name) => name === "results"),
      );
    }
  });
});

/** A disk of a megabyte, if this may make one. */
function makeSmallDisk(): string | undefined {
  const place = mkdtempSync(join(folder, "disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place], { encoding: "utf8" });
  if (mounted.status === 0) return place;
  console.log(`no small disk, so not tried: ${mounted.stderr ?? mounted.error?.message}`);
  return undefined;
}

describe("a full disk", () => {
  test("ends --pools with one line, and leaves nothing half done", async () => {
    const place = makeSmallDisk();
    if (place === undefined) return;
    try {
      writeFileSync(join(place, "first"), "small");
      writeFileSync(join(place, "noise"), randomBytes(700_000));
      const paths = ["first", "noise"].map((name) => join(place, name));
      const { status, stdout, stderr } = await run(["--pools", "--input", ...paths]);
      expect(status).toBe(5);
      expect(stderr).toBe(`cmp-pattern: error: cannot write ${paths[1]}.gz: no space is left\n`);
      expect(stdout).toBe(`${paths[0]}.gz: 5 -> 25 bytes (500.0 %)\n`);
      expect(readdirSync(place).toSorted()).toEqual(["first", "first.gz", "noise"]);
    } finally {
      execFileSync("umount", [place]);
    }
  });

  test("ends --mapreduce with one line", async () => {
    const place = makeSmallDisk();
    if (place === undefined) return;
    try {
      const input = join(folder, "many-keys");
      writeFileSync(input, Array.from({ length: 600_000 }, (_, line) => `key${line} `).join("\n"));
      const args = [
        "--mapreduce",
        "--threads",
        "1",
        "--memory",
        "4MB",
        "--job",
        "inverted-index",
        "--input",
        input,
      ];
      const { status, stdout, stderr } = await run(args, { env: { TMPDIR: place } });
      expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
      expect(stderr).toMatch(/^cmp-pattern: error: [^\n]*no space is left[^\n]*\n$/);
      expect(readdirSync(place)).toEqual([]);
    } finally {
      execFileSync("umount", [place]);
    }
  });
});
