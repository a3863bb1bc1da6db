/**
 * Counts, or runs a job, once for each fault that it is given, and prints what came of each as a line of JSON.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";

const { folder, faults, count, run } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { countBytes } = await import(count);
const { mapReduceFiles } = await import(run);
const file = join(folder, "text");
const spills = join(folder, "spills");
const out = join(folder, "out");
const words = new URL("tallies.mjs", import.meta.url);
const lines = new URL(
  "data:text/javascript,export const map = (line, emit) => emit(line, 1); export const reduce = (_, ones) => ones.length",
);

/** Which files of the folder this process has open. */
function handles() {
  return readdirSync("/proc/self/fd")
    .map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch {
        return "";
      }
    })
    .filter((path) => path.startsWith(folder));
}

/** `await using`, for the oldest Node. */
async function use(made, body) {
  try {
    return await body(made);
  } finally {
    await made[Symbol.asyncDispose]();
  }
}

async function goThrough(results) {
  for await (const _ of results);
  return "done";
}

const kinds = {
  async count() {
    const counts = await countBytes([file], words, {
      threads: 2,
      memoryMb: 8,
      splitMb: 0.5,
      spillFolder: spills,
    });
    await use(counts, goThrough);
    return counts.spilledBytes > 0 ? "spilled" : "in memory";
  },
  run: () => use(mapReduceFiles([file], lines, options()), goThrough),
  write: () =>
    use(mapReduceFiles([file], lines, options()), async (results) => {
      await results.writeTo(out);
      return "done";
    }),
};

let retried = 0;
function options() {
  retried = 0;
  const onProgress = (counters) => (retried += counters.retried);
  const speculateAfterMs = Number.POSITIVE_INFINITY;
  return { threads: 2, memoryMb: 2, splitMb: 0.5, speculateAfterMs, spillFolder: spills, onProgress };
}

for (const [index, { kind, ...fault }] of faults.entries()) {
  const once = join(folder, `once-${index}`);
  process.env.FAULT = fault.call === undefined ? "" : JSON.stringify({ ...fault, once });
  const outcome = await kinds[kind]().then(
    (value) => ({ value }),
    ({ code, message, path, name }) => ({ code, message, path, name }),
  );
  process.env.FAULT = "";
  const left = [...readdirSync(spills), ...readdirSync(folder).filter((name) => name.startsWith("out"))];
  process.stdout.write(`${JSON.stringify({ ...outcome, left, handles: handles(), retried })}\n`);
  rmSync(out, { recursive: true, force: true });
}
