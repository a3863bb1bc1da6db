/** Builds the library and the benchmarks, installs the peers if they are not there, and measures. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, symlinkSync } from "node:fs";

const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });

try {
  if (!existsSync("bench/node_modules")) run("npm", "ci", "--prefix", "bench", "--no-audit", "--no-fund");
  // What is measured as a whole, the command and the size, is measured as it is published.
  run("npm", "run", "build");
  rmSync("build", { recursive: true, force: true });
  run("npx", "tsc", "-p", "tsconfig.bench.json");
  // The peers are found from beside the built files as they are from beside the sources.
  symlinkSync("../../bench/node_modules", "build/bench/node_modules");
  run(process.execPath, "build/bench/harness/main.js", ...process.argv.slice(2));
} catch (error) {
  process.exitCode = error.status ?? 1;
}
