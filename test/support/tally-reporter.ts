/**
 * Ends the report of the tests with plain lines that any tool can read, and fails a run of every explored program in
 * which too few schedules were tried.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** So many schedules are tried by a run of all programs. */
const LEAST_SCHEDULES = 500_000;
const programs = new URL("../explore/", import.meta.url);

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    tallySchedules(modules, tests);
    tallyTests(modules, tests);
  }
}

function tallySchedules(modules: readonly TestModule[], tests: readonly TestCase[]): void {
  const explored = tests.map((test) => test.meta().schedules ?? 0).reduce((a, b) => a + b, 0);
  const commands = tests.map((test) => test.meta().commands ?? 0).reduce((a, b) => a + b, 0);
  if (commands > 0) process.stdout.write(`\nran ${commands} commands beside their models\n`);
  if (explored === 0) return;
  process.stdout.write(`\nexplored ${explored} schedules\n`);
  if (explored >= LEAST_SCHEDULES || !isWhole(modules, tests)) return;
  process.stdout.write(`that is too few: all programs together have at least ${LEAST_SCHEDULES}\n`);
  process.exitCode = 1;
}

/** Whether every file of explored programs was run, and each of its tests. */
function isWhole(modules: readonly TestModule[], tests: readonly TestCase[]): boolean {
  const run = new Set(modules.map(({ moduleId }) => moduleId));
  const files = readdirSync(programs).filter((file) => file.endsWith(".test.ts"));
  const all = files.every((file) => run.has(fileURLToPath(new URL(file, programs))));
  return all && tests.every((test) => test.result().state !== "skipped");
}

function tallyTests(modules: readonly TestModule[], tests: readonly TestCase[]): void {
  const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
  for (const test of tests) {
    const result = test.result();
    counts[result.state]++;
    if (result.state === "skipped" && result.note !== undefined)
      process.stdout.write(`\nskipped, as ${result.note}: ${test.fullName}\n`);
  }
  for (const module of modules)
    if (module.state() === "failed" && module.errors().length > 0) counts.failed++;
  const skipped = counts.skipped + counts.pending;
  const tail = skipped > 0 ? `, ${skipped} skipped` : "";
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${tail}\n`);
}
