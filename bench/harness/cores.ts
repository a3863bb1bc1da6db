/**
 * The core on which variants take their turns. By what others do beside them, the cores of a shared machine may differ by
 * half, for minutes, and not alike for all code: so all variants of a case have the same one, the least disturbed.
 *
 * Only where there is a `taskset`, as on most Linux; elsewhere nothing is bound.
 */
import { execFileSync } from "node:child_process";
import { medianOf } from "./statistics.ts";

/** More are not tried. */
const MOST = 16;
const PROBES = 21;

/** Of the cores on which this process may run, the one on which it makes objects the fastest; undefined without a `taskset`. */
export function quietestCore(): number | undefined {
  const before = coresOf(process.pid);
  if (before === undefined) return undefined;
  let best: { readonly core: number; readonly ms: number } | undefined;
  for (const core of numbersIn(before).slice(0, MOST)) {
    if (!bindTo(String(core), process.pid)) continue;
    const ms = medianOf(Array.from({ length: PROBES }, probe));
    if (best === undefined || ms < best.ms) best = { core, ms };
  }
  bindTo(before, process.pid);
  return best?.core;
}

/**
 * Binds the main thread of a process to a core, and what it starts from now on. The threads that it has already, such as
 * those that collect its garbage, stay free.
 */
export function bindToCore(core: number, pid: number): void {
  if (!bindTo(String(core), pid)) throw new Error(`no process can be bound to core ${core} any more`);
}

/** The cores on which a process may run, as a list that can be bound to. */
function coresOf(pid: number): string | undefined {
  return taskset(String(pid))?.split(": ")[1]?.trim();
}

/** Of a list such as `0-2,5`. */
function numbersIn(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function bindTo(list: string, pid: number): boolean {
  return taskset(list, String(pid)) !== undefined;
}

/** What it says; undefined if it could not, or is not there. */
function taskset(...args: string[]): string | undefined {
  try {
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync("taskset", ["--cpu-list", "--pid", ...args], { encoding: "utf8", stdio: [...stdio] });
  } catch {
    return undefined;
  }
}

/** Lists of objects, most of them garbage at once: what two who share a core and its cache take from each other. */
function probe(): number {
  const sinceMs = performance.now();
  let list: object | undefined;
  for (let n = 0; n < 100_000; n++) list = n % 1000 === 0 ? undefined : { n, list };
  return performance.now() - sinceMs;
}
