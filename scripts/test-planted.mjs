/**
 * Plants one bug after another, each in a copy of the project, and asks the tests to find it.
 *
 * A bug is `[what, file below src, text, what stands there instead]`. First the tests of the same area run, then, if they
 * find nothing, all. A bug that no test finds survives; with more than `--allowed N` survivors (default 2) this fails.
 * Arguments that are no options are words: only bugs whose text or file has one of them are planted.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { patterns } from "../test/planted/patterns.js";
import { primitives } from "../test/planted/primitives.js";

/** Where bugs in a part of `src` are looked for first. */
const NEARBY = { core: ["test/core", "test/sync"], sync: ["test/sync"], testing: ["test/testing"] };
/** A bug that makes the tests hang is found, too. */
const PATIENCE_MS = 150_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { allowed: { type: "string", default: "2" }, jobs: { type: "string", default: "2" } },
});
const chosen = [...primitives, ...patterns].filter(
  ([what, file]) =>
    positionals.length === 0 || positionals.some((word) => what.includes(word) || file.includes(word)),
);

/** The tests nearest to a file: those whose name begins with the file's, else those of its folder. */
function nearby(file) {
  const [floor, pattern] = file.split("/");
  if (floor === "patterns") return [`test/patterns/${basename(pattern, ".ts")}`];
  const own = `test/${dirname(file).split("/").slice(0, 1)}/${basename(file, ".ts")}`;
  return [own, ...NEARBY[floor]];
}

function plant(folder, [, file, text, instead]) {
  const path = join(folder, "src", file);
  const source = readFileSync(path, "utf8");
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, instead of once: ${text}`);
  writeFileSync(path, parts.join(instead));
  return () => writeFileSync(path, source);
}

/** Whether the tests fail, or hang. */
function fails(folder, filters) {
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--bail",
    "1",
    "--maxWorkers",
    "1",
    "--reporter",
    "dot",
    ...filters,
  ];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore", detached: true });
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), PATIENCE_MS);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code !== 0);
    });
  });
}

async function isFound(folder, bug) {
  const restore = plant(folder, bug);
  try {
    for (const filter of nearby(bug[1]))
      if (await fails(folder, [filter, "--passWithNoTests"])) return filter;
    return (await fails(folder, [])) ? "all tests" : undefined;
  } finally {
    restore();
  }
}

function copyOfProject() {
  const folder = mkdtempSync(join(tmpdir(), "planted-"));
  const skip = new Set(["node_modules", "dist", ".git"]);
  cpSync(".", folder, { recursive: true, filter: (path) => !skip.has(basename(path)) });
  symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  return folder;
}

const queue = [...chosen];
const survivors = [];
async function work() {
  const folder = copyOfProject();
  for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
    const by = await isFound(folder, bug);
    if (by === undefined) survivors.push(bug[0]);
    console.log(
      `${by === undefined ? "SURVIVED" : "found   "}  ${bug[1]}: ${bug[0]}${by === undefined ? "" : ` (${by})`}`,
    );
  }
  rmSync(folder, { recursive: true });
}

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`${chosen.length} bugs planted, ${chosen.length - survivors.length} found`);
if (survivors.length > Number(values.allowed)) process.exitCode = 1;
