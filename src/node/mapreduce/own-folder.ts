/**
 * Folders for a while, and what is left of processes that were killed.
 *
 * Its name begins with where and by which process it was made. So whoever makes one can tell the folders of those who are
 * gone, and removes them: processes of this machine, in the same namespace of processes, as numbers mean nothing in another.
 */
import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { kill, pid } from "node:process";
import { outcomeOf } from "../../core/task.ts";

/** Makes a folder that nobody else can read, in one that is there, and removes those of the same name that are left there. */
export async function makeFolder(parent: string, name: string): Promise<string> {
  const begin = `${name}-${placeOfProcesses()}-`;
  await removeLeftovers(parent, begin);
  return mkdtemp(join(parent, `${begin}${pid}-`));
}

/** Removes what is there, whatever becomes of it meanwhile. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** What cannot be removed is another's, and stays. */
async function removeLeftovers(parent: string, begin: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(begin)) continue;
    const owner = Number.parseInt(name.slice(begin.length), 10);
    if (!isAlive(owner)) await outcomeOf(() => removeFolder(join(parent, name)));
  }
}

function isAlive(owner: number): boolean {
  try {
    kill(owner, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: unknown }).code !== "ESRCH";
  }
}

/** The same for all processes that see the same numbers of processes. */
function placeOfProcesses(): string {
  return createHash("sha256").update(`${hostname()} ${namespaceOfProcesses()}`).digest("hex").slice(0, 12);
}

/** Linux says which one it is; elsewhere there is one. */
function namespaceOfProcesses(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
