/**
 * The command on all cores, on files of all kinds. Much more of it is in threads.long.ts.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { run, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-pattern-threads-"));
beforeAll(buildIfStale, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

describe("--fan --input", () => {
  test("prints checksums in the order of the files, tells what cannot be read, and goes on", async () => {
    const large = randomBytes(3_000_000);
    const largePath = file("large", large);
    const odd = file("b\\a\nc\rk", "odd");
    const missing = join(folder, "missing");
    const words = [largePath, missing, odd, "-", folder, file("empty", "")];
    const { status, stdout, stderr } = await run(["--fan", "--threads", "2", "--input", ...words], {
      input: "from a pipe",
    });
    expect(stdout.split("\n")).toEqual([
      `${sha256(large)}  ${largePath}`,
      `\\${sha256("odd")}  ${join(folder, "b\\\\a\\nc\\rk")}`,
      `${sha256("from a pipe")}  -`,
      `${sha256("")}  ${join(folder, "empty")}`,
      "",
    ]);
    expect(stderr.split("\n")).toEqual([
      `cmp-pattern: error: cannot read ${missing}: there is no such file`,
      `cmp-pattern: error: cannot read ${folder}: it is a directory`,
      "",
    ]);
    expect(status).toBe(5);
  });

  test("refuses what threads cannot do, and standard input twice", async () => {
    const [logged, twice] = await Promise.all([
      run(["--fan", "--json", "--input", "x"]),
      run(["--fan", "--input", "-", "-"]),
    ]);
    expect(logged).toEqual({
      status: 2,
      stdout: "",
      stderr:
        "cmp-pattern: error: --json has no use for fan on threads\n  What threads do is in no event log.\n",
    });
    expect(twice).toMatchObject({ status: 2, stdout: "" });
    expect(twice.stderr).toBe("cmp-pattern: error: --input takes standard input once, got - several times\n");
  });
});

describe("--pools --input", () => {
  test("compresses files so that they can be read back, and replaces none unless by force", async () => {
    const place = join(folder, "place");
    mkdirSync(place);
    const text = "all work and no play ".repeat(50_000);
    const contents = new Map<string, string | Uint8Array>([
      ["text", text],
      ["noise", randomBytes(1 << 18)],
      ["empty", ""],
    ]);
    const paths = [...contents].map(([name, content]) => file(join("place", name), content));
    const args = ["--pools", "--input", ...paths, folder];
    const first = await run(args);
    expect(first.stderr).toBe(`cmp-pattern: error: cannot read ${folder}: it is a directory\n`);
    expect(first.status).toBe(5);
    const lines = first.stdout.split("\n");
    expect(lines[0]).toMatch(/text\.gz: 1050000 -> \d{4} bytes \(0\.\d %\)$/);
    expect(lines.slice(2)).toEqual([`${join(place, "empty")}.gz: 0 -> 20 bytes`, ""]);
    for (const [name, content] of contents) {
      const back = gunzipSync(readFileSync(join(place, `${name}.gz`)));
      expect(back.equals(Buffer.from(content)), name).toBe(true);
    }
    writeFileSync(join(place, "empty.gz"), "mine");
    const again = await run(["pools", "--input", join(place, "empty")]);
    expect(again).toMatchObject({ status: 5, stdout: "" });
    expect(again.stderr).toContain("it is there already; --force replaces it");
    expect(readFileSync(join(place, "empty.gz"), "utf8")).toBe("mine");
    expect((await run(["pools", "--force", "--input", join(place, "empty")])).status).toBe(0);
    expect(gunzipSync(readFileSync(join(place, "empty.gz")))).toHaveLength(0);
    expect(readdirSync(place)).toHaveLength(6);
  });

  test("leaves only whole files when it is interrupted", async () => {
    const place = join(folder, "interrupted");
    mkdirSync(place);
    const small = file("interrupted/small", "small");
    const endless = file("interrupted/endless", "");
    truncateSync(endless, 1e12);
    const { child, seen, finished } = start(["--pools", "--input", small, endless]);
    await seen("small.gz");
    child.kill("SIGINT");
    expect(await finished).toMatchObject({ status: 130, stderr: "" });
    expect(readdirSync(place).toSorted()).toEqual(["endless", "small", "small.gz"]);
  });
});

describe("--mapreduce --input", () => {
  test("counts on threads what it counts on one event loop", async () => {
    const words = ["to", "be", "To", "É", "é", "\u2028", "\r\n", "\uFEFFx", "日本", "\n", "\0"];
    const pieces = Array.from(
      { length: 3000 },
      (_, index) => `${words[index % words.length]}${index % 7 ? " " : ""}`,
    );
    const text = file(
      "text",
      Buffer.concat([Buffer.from(pieces.join("")), Buffer.of(0xff, 0x20, 0xe3, 0x80)]),
    );
    const [here, there] = await Promise.all([
      run(["--mapreduce", "--input", text]),
      run(["--mapreduce", "--threads", "2", "--memory", "8MB", "--input", text]),
    ]);
    expect(here.status).toBe(0);
    expect(there).toEqual(here);
  });

  test("does a job of the user with what is piped in, and writes the results into a folder", async () => {
    const job = file(
      "lengths.mjs",
      "export const map = (line, emit) => emit(line.length, line);\n" +
        "export const reduce = (_, lines) => lines.join('+');\n",
    );
    const input = "aa\nb\ncc\n";
    const args = ["mapreduce", "--job", job, "--threads", "1", "--input", "-"];
    expect(await run(args, { input })).toEqual({ status: 0, stdout: "1\tb\n2\taa+cc\n", stderr: "" });
    const results = join(folder, "results");
    const written = await run([...args, "--output", results], { input });
    expect(written).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(results, "part-00000"), "utf8")).toBe("1\tb\n2\taa+cc\n");
  });
});
