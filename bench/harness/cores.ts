/**
 * The core on which variants take their turns. By what others do beside them, the cores of a shared machine may differ by
 * half, for minutes, and not alike for all code: so all variants of a case have the same one, the least disturbed.
 *
 * Only where there is a `taskset`, as on most Linux; elsewhere nothing is bound.
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { medianOf } from "./statistics.ts";

/** More are not tried. */
const MOST = 16;
const PROBES = 21;

/** The core on which this process now makes objects the fastest; undefined if it cannot choose one. */
export function quietestCore(): number | undefined {
  let best: { readonly core: number; readonly ms: number } | undefined;
  for (let core = 0; core < Math.min(cpus().length, MOST); core++) {
    if (!bindTo(String(core), process.pid)) continue;
    const ms = medianOf(Array.from({ length: PROBES }, probe));
    if (best === undefined || ms < best.ms) best = { core, ms };
  }
  bindTo(`0-${cpus().length - 1}`, process.pid);
  return best?.core;
}

/**
 * Binds the main thread of a process to a core, and what it starts from now on. The threads that it has already, such as
 * those that collect its garbage, stay free.
 */
export function bindToCore(core: number, pid: number): void {
  if (!bindTo(String(core), pid)) throw new Error(`no process can be bound to core ${core} any more`);
}

function bindTo(list: string, pid: number): boolean {
  try {
    execFileSync("taskset", ["--cpu-list", "--pid", list, String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Lists of objects, most of them garbage at once: what two who share a core and its cache take from each other. */
function probe(): number {
  const sinceMs = performance.now();
  let list: object | undefined;
  for (let n = 0; n < 100_000; n++) list = n % 1000 === 0 ? undefined : { n, list };
  return performance.now() - sinceMs;
}
