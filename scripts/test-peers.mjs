/** Installs the peers, if they are not there, and runs the comparison with them. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });

try {
  if (!existsSync(new URL("../bench/node_modules", import.meta.url))) {
    run("npm", "ci", "--prefix", "bench", "--no-audit", "--no-fund");
  }
  run("npx", "vitest", "run", "--config", "test/peers/vitest.config.ts", ...process.argv.slice(2));
} catch (error) {
  process.exitCode = error.status ?? 1;
}
