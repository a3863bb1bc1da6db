/** Builds the command before the tests that start it, if a source is newer than what is there. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
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

/** Only one builds at a time: several test files may want it at once. Whoever comes later finds it done. */
export function buildIfStale(): void {
  lock();
  try {
    const sources = Math.max(...["src", "examples", "cli"].map((folder) => newest(`${root}/${folder}`)));
    if (sources > builtAt()) execFileSync("npm", ["run", "build"], { cwd: root, stdio: "inherit" });
  } finally {
    rmdirSync(building);
  }
}

/** A folder, because making one either succeeds or finds that it is there. */
const building = `${root}/node_modules/.building`;
/** No build takes this long: whoever made the folder was killed. */
const ABANDONED_MS = 300_000;

function lock(): void {
  while (!tryLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
}

function tryLock(): boolean {
  try {
    mkdirSync(building);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const { mtimeMs = Date.now() } = statSync(building, { throwIfNoEntry: false }) ?? {};
    return Date.now() - mtimeMs > ABANDONED_MS;
  }
}
