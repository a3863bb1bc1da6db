/**
 * What the system refuses in the midst of the command's work on files: one line says of which file, the status is 5, and
 * nothing is printed or left.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { run } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-faults-"));
const scratch = join(folder, "tmp");
const text = join(folder, "text");
const results = join(folder, "results");
const faulty = fileURLToPath(new URL("../support/faulty-fs.cjs", import.meta.url));
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

beforeAll(() => {
  buildIfStale();
  mkdirSync(scratch);
  // More different words than there is room for.
  const words = Array.from({ length: 150_000 }, (_, n) => `word-${n}${n % 8 === 7 ? "\n" : " "}`);
  writeFileSync(text, words.join(""));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const count = ["--mapreduce", "--threads", "2", "--memory", "8MB", "--input", text];
const job = ["--mapreduce", "--threads", "2", "--job", "word-count", "--output", results, "--input", text];

let faults = 0;
function envWith(fault: object): Record<string, string> {
  const once = join(folder, `once-${faults++}`);
  return { TMPDIR: scratch, NODE_OPTIONS: `--require ${faulty}`, FAULT: JSON.stringify({ ...fault, once }) };
}

describe("the system refuses", () => {
  test.each([
    [count, "readSync", "EIO", "/text", /^cannot read .*\/text: the device has failed$/],
    [count, "openSync", "EMFILE", "/text", /^cannot use .*\/text: too many open files$/],
    [count, "openSync", "EMFILE", ".run", /^cannot use .*\.run: too many open files$/],
    [count, "writeSync", "EIO", ".run", /^cannot write .*\.run: the device has failed$/],
    [count, "writeSync", "ENOSPC", ".run", /^cannot write .*\.run: no space is left$/],
    [count, "readSync", "EIO", ".run", /^cannot read .*\.run: the device has failed$/],
    [job, "readSync", "EIO", "/text", /^cannot read .*\/text: the device has failed$/],
    [job, "writeSync", "EIO", "/map-", /^cannot write .*\/map-.*: the device has failed$/],
    [job, "rename", "EIO", "/map-", /^cannot use .*\/map-.*: the device has failed$/],
    [job, "writeSync", "EIO", "/part-", /^cannot write .*\/part-.*: the device has failed$/],
    [job, "rename", "EIO", "/part-", /^cannot use .*\/part-.*: the device has failed$/],
  ])("%s, in %s: %s of %s", async (args, call, code, part, said) => {
    const { status, stdout, stderr } = await run(args, { env: envWith({ call, code, part }) });
    expect([status, stdout, readdirSync(scratch), existsSync(results)]).toEqual([5, "", [], false]);
    expect(stderr).toMatch(/^cmp-pattern: error: [^\n]*\n$/);
    expect(stderr.slice("cmp-pattern: error: ".length, -1)).toMatch(said);
    expect(readdirSync(folder).filter((name) => name.startsWith("results"))).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("too few files may be open", () => {
  /** How many Node has open by itself. */
  const open = `console.log(require("fs").readdirSync("/proc/self/fd").length)`;
  const own = Number(spawnSync(process.execPath, ["-e", open], { encoding: "utf8" }).stdout);

  test("and the command says so, or works", () => {
    const statuses = new Set<number | null>();
    for (let most = own + 10; most < own + 40; most += 5) {
      const { status, stdout, stderr } = spawnSync(
        "bash",
        ["-c", `ulimit -n ${most}; exec "$0" "$@"`, process.execPath, main, "--top", "3", ...count],
        { encoding: "utf8", env: { ...process.env, TMPDIR: scratch, NODE_OPTIONS: "" } },
      );
      statuses.add(status);
      if (status === 0) expect([stdout.split("\n").length, stderr]).toEqual([5, ""]);
      else {
        expect([status, stdout]).toEqual([5, ""]);
        expect(stderr).toMatch(/^cmp-pattern: error: cannot use [^\n]*: too many open files\n$/);
      }
      expect(readdirSync(scratch)).toEqual([]);
    }
    expect(statuses).toContain(5);
  });
});
