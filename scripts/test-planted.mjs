/**
 * Plants one bug after another, each in a copy of the project, and asks the tests to find it.
 *
 * A bug is `[what, file below src, text, what stands there instead]`. The tests nearest to the file run first, then
 * those of its folder, then the others, until one fails. Only tests of behaviour are asked: that a bug does not compile,
 * or changes a printed page, would say nothing about them. A bug that makes the tests hang, spin or eat the memory is
 * found, too. A bug that no test finds survives; with more than `--allowed N` survivors (default 0) this fails.
 *
 * With `--check`, this only says whether every bug can be planted.
 * Arguments that are no options are words: only bugs whose text or file has one of them are planted.
 */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import ts from "typescript";
import { core } from "../test/planted/core.js";
import { extras } from "../test/planted/extras.js";
import { handlers } from "../test/planted/handlers.js";
import { limits as limiting } from "../test/planted/limits.js";
import { patterns } from "../test/planted/patterns.js";
import { primitives } from "../test/planted/primitives.js";
import { threads } from "../test/planted/threads.js";

/** What a copy needs of the project: what the tests of behaviour read, and no more. */
const COPIED = ["package.json", "tsconfig.json", "vitest.config.ts", "src", "test", "examples", "cli"];
/** The folders of those tests. */
const FLOORS = [
  "core",
  "sync",
  "patterns",
  "testing",
  "threads",
  "node",
  "models",
  "explore",
  "conformance",
  "examples",
];
/** Tests hang that take so many times as long as without a bug, and at least this long. */
const PATIENCE = { times: 4, testMs: 5_000, runMs: 30_000 };
/** So long the tests may take without a bug: the machine may have much else to do. */
const LONGEST = { testMs: () => 180_000, runMs: () => 1_200_000 };
const MEMORY_MB = 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    allowed: { type: "string", default: "0" },
    check: { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
  },
});
const chosen = [...core, ...primitives, ...patterns, ...handlers, ...limiting, ...extras, ...threads].filter(
  ([what, file]) =>
    positionals.length === 0 || positionals.some((word) => what.includes(word) || file.includes(word)),
);

const allTests = FLOORS.flatMap((floor) =>
  readdirSync(join("test", floor), { recursive: true }).map((file) => `test/${floor}/${file}`),
).filter((file) => file.endsWith(".test.ts") && !isBuilt(file));

/** Whether a test needs a build, which does not get past what does not compile. */
function isBuilt(file) {
  return readFileSync(file, "utf8").includes("support/build.ts");
}

/** Whether a file below `src` can be at work in a test: no pattern is in the explored programs or the models. */
function concerns(file, test) {
  return !file.startsWith("patterns/") || !/^test\/(?:explore|models|core|sync)\//.test(test);
}

/** The tests in groups: those named like the file, those of its pattern or floor, all others. */
function nearestFirst(file) {
  const path = `test/${file.replace(/\.ts$/, "")}`;
  const [floor, name] = file.split("/");
  const area = floor === "patterns" ? `test/patterns/${name.replace(/\.ts$/, "")}` : `test/${floor}/`;
  const groups = [[path], [area], floor === "core" ? ["test/core/", "test/sync/"] : [], ["test/"]];
  const seen = new Set();
  return groups
    .map((starts) => {
      const group = allTests.filter(
        (test) => !seen.has(test) && concerns(file, test) && starts.some((start) => test.startsWith(start)),
      );
      for (const test of group) seen.add(test);
      return group;
    })
    .filter((group) => group.length > 0);
}

/** The source with the bug in it. Throws if the text is not there exactly once, or if what results is no program. */
function planted([, file, text, instead], root = ".") {
  const source = readFileSync(join(root, "src", file), "utf8");
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`stands there ${parts.length - 1} times, instead of once: ${text}`);
  const bugged = parts.join(instead);
  const { diagnostics } = ts.transpileModule(bugged, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const [wrong] = diagnostics ?? [];
  if (wrong !== undefined) throw new Error(ts.flattenDiagnosticMessageText(wrong.messageText, " "));
  return bugged;
}

/** Says of every bug that cannot be planted why, before anything runs. */
function refuseWhatCannotBePlanted() {
  const faults = chosen.flatMap((bug) => {
    try {
      planted(bug);
      return [];
    } catch (error) {
      return [`${bug[1]}: ${bug[0]}: ${error.message}`];
    }
  });
  if (chosen.length > 0 && faults.length === 0) return;
  console.error(chosen.length === 0 ? "no bug has one of these words" : faults.join("\n"));
  process.exit(2);
}

const copies = new Set();
const running = new Set();

function copyOfProject() {
  const folder = mkdtempSync(join(tmpdir(), "planted-"));
  copies.add(folder);
  for (const path of COPIED) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Tests start processes of their own; they are one group, and end with it. */
function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function cleanUp() {
  for (const child of running) killGroup(child);
  for (const folder of copies) rmSync(folder, { recursive: true, force: true });
}
process.on("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Runs tests until the first fails. What failed, or undefined. */
function failureOf(folder, tests, workers, limits) {
  const report = reportIn(folder);
  rmSync(report, { force: true });
  const args = ["run", "--bail=1", `--maxWorkers=${workers}`, `--testTimeout=${limits.testMs(tests)}`];
  args.push("--reporter=json", `--outputFile=${report}`, ...tests);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args], {
      cwd: folder,
      stdio: "ignore",
      detached: true,
      env: { ...process.env, NODE_OPTIONS: `--max-old-space-size=${MEMORY_MB}` },
    });
    running.add(child);
    const timer = setTimeout(() => killGroup(child), limits.runMs(tests));
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      killGroup(child);
      running.delete(child);
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? firstFailure(folder) : `they hang: ${tests[0]} …`);
    });
  });
}

const reportIn = (folder) => join(folder, "report.json");
const resultsIn = (folder) => JSON.parse(readFileSync(reportIn(folder), "utf8")).testResults;

function firstFailure(folder) {
  if (!existsSync(reportIn(folder))) return "they crash";
  const [file, ...others] = resultsIn(folder)
    .filter(({ status }) => status === "failed")
    .toSorted((one, other) => other.assertionResults.length - one.assertionResults.length);
  if (file === undefined) return "an error outside of the tests";
  for (const { name, assertionResults } of [file, ...others]) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) return `${relative(folder, name)}: ${failed.fullName}`;
  }
  return `${relative(folder, file.name)} does not load`;
}

/** The files in which a test failed; none if the tests hung or crashed, which is no matter of chance. */
function failedFiles(folder) {
  if (!existsSync(reportIn(folder))) return [];
  const failed = resultsIn(folder).filter(({ status }) => status === "failed");
  return failed.map(({ name }) => relative(folder, name));
}

/** Without a bug, all must be well, or nothing that is found means anything. Answers how long to wait with one. */
async function limitsWithoutBug(folder, tests) {
  const failure = await failureOf(folder, tests, values.jobs, LONGEST);
  if (failure !== undefined) {
    console.error(`without any bug, this fails: ${failure}`);
    process.exit(2);
  }
  const results = resultsIn(folder);
  const sums = new Map();
  const longest = new Map();
  for (const { name, startTime, endTime, assertionResults } of results) {
    const file = relative(folder, name);
    sums.set(file, endTime - startTime);
    longest.set(file, Math.max(0, ...assertionResults.map(({ duration }) => duration ?? 0)));
  }
  const each = (times, files) => files.map((file) => times.get(file) ?? 0);
  // By the tests that are run, so that a hang among short ones is not waited for as long as the longest of all takes.
  return {
    testMs: (files) =>
      Math.ceil(Math.max(PATIENCE.testMs, PATIENCE.times * Math.max(...each(longest, files)))),
    runMs: (files) => PATIENCE.runMs + PATIENCE.times * each(sums, files).reduce((a, b) => a + b, 0),
  };
}

/** What fails with the bug. Far from it, where a test may fail for another reason, it must fail twice. */
async function findingOf(folder, bug, limits) {
  const path = join(folder, "src", bug[1]);
  const source = readFileSync(path, "utf8");
  writeFileSync(path, planted(bug, folder));
  try {
    const groups = nearestFirst(bug[1]);
    for (const tests of groups) {
      const failure = await failureOf(folder, tests, 1, limits);
      if (failure === undefined) continue;
      const failed = failedFiles(folder);
      if (tests !== groups.at(-1) || failed.length === 0) return failure;
      for (const file of failed) {
        if ((await failureOf(folder, [file], 1, limits)) !== undefined) return failure;
      }
      console.log(`flaky     ${failure}`);
    }
    return undefined;
  } finally {
    writeFileSync(path, source);
  }
}

const queue = [...chosen];
const findings = new Map();
async function work(limits) {
  const folder = copyOfProject();
  for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
    const by = await findingOf(folder, bug, limits);
    findings.set(bug, by);
    console.log(
      `${by === undefined ? "SURVIVED" : "found   "}  ${bug[1]}: ${bug[0]}${by === undefined ? "" : `\n          by ${by}`}`,
    );
  }
}

function summary() {
  const survivors = chosen.filter((bug) => findings.get(bug) === undefined);
  const far = chosen.filter((bug) => {
    const by = findings.get(bug);
    const near = nearestFirst(bug[1]).slice(0, -1).flat();
    return by !== undefined && by.startsWith("test/") && !near.some((test) => by.startsWith(test));
  });
  console.log(
    `\n${chosen.length} bugs planted, ${chosen.length - survivors.length} found, ${far.length} of them far from their place`,
  );
  for (const [what, file] of far) console.log(`far       ${file}: ${what}`);
  for (const [what, file] of survivors) console.log(`SURVIVED  ${file}: ${what}`);
  if (survivors.length > Number(values.allowed)) process.exitCode = 1;
}

refuseWhatCannotBePlanted();
if (values.check) process.exit();
const startedMs = performance.now();
const needed =
  positionals.length === 0 ? allTests : [...new Set(chosen.flatMap(([, file]) => nearestFirst(file).flat()))];
const limits = await limitsWithoutBug(copyOfProject(), needed);
await Promise.all(Array.from({ length: Number(values.jobs) }, () => work(limits)));
summary();
console.log(`in ${Math.round((performance.now() - startedMs) / 1000)} s`);
