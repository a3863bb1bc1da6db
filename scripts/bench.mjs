/** Builds the library and the benchmarks, installs the peers if they are not there or others are wanted, and measures. */
import { execFileSync } from "node:child_process";
import { rmSync, statSync, symlinkSync } from "node:fs";
import { parseArgs } from "node:util";

/** Subjects that need what is published. */
const AS_PUBLISHED = new Set(["command", "size"]);

/** When a file was written; a missing one, never. */
const writtenMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });

try {
  const installedMs = writtenMs("bench/node_modules/.package-lock.json");
  if (installedMs < writtenMs("bench/package-lock.json"))
    run("npm", "ci", "--prefix", "bench", "--no-audit", "--no-fund");
  // What is measured as a whole is measured as it is published.
  const { positionals } = parseArgs({
    strict: false,
    allowPositionals: true,
    options: { json: { type: "string" } },
  });
  if (positionals.length === 0 || positionals.some((name) => AS_PUBLISHED.has(name)))
    run("npm", "run", "build");
  rmSync("build", { recursive: true, force: true });
  run("npx", "tsc", "-p", "tsconfig.bench.json");
  // The peers are found from beside the built files as they are from beside the sources.
  symlinkSync("../../bench/node_modules", "build/bench/node_modules");
  run(process.execPath, "build/bench/harness/main.js", ...process.argv.slice(2));
} catch (error) {
  process.exitCode = error.status ?? 1;
}
