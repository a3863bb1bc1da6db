/** Builds the command before the tests that start it, if a source is newer than what is there. */
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(0, ...files.map((file) => statSync(`${file.parentPath}/${file.name}`).mtimeMs));
}

function builtAt(): number {
  try {
    return statSync(`${root}/dist/cli/main.js`).mtimeMs;
  } catch {
    return 0;
  }
}

export function buildIfStale(): void {
  const sources = Math.max(...["src", "examples", "cli"].map((folder) => newest(`${root}/${folder}`)));
  if (sources > builtAt()) execFileSync("npm", ["run", "build"], { cwd: root, stdio: "inherit" });
}
