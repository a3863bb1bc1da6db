/** The most memory that this process has had at once. */
import { readFileSync } from "node:fs";

/**
 * In bytes. What `resourceUsage` says begins, on Linux, with what the process had that started this one: so it is asked
 * where that is not so.
 */
export function peakBytes() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(kilobytes) * 1024;
}
