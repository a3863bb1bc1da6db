/**
 * Puts the built command where `npx` looks first, so that in a clone it starts at once. npm does that for the commands
 * of dependencies, not for one's own. Where links cannot be made, `npx` finds the command by itself, only later.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));

chmodSync(command, 0o755);
if (process.platform !== "win32") {
  mkdirSync(folder, { recursive: true });
  rmSync(`${folder}/cmp-pattern`, { force: true });
  symlinkSync("../../dist/cli/main.js", `${folder}/cmp-pattern`);
}
