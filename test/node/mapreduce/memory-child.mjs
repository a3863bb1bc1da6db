/** A run, and how much memory its process has had at most: for a test that compares. */
import { mapReduceFiles } from "../../../dist/src/node/threads/mapreduce.js";
import { peakBytes } from "../../support/peak.mjs";

const [file, job, memoryMb, spillFolder] = process.argv.slice(2);
const run = mapReduceFiles([file], new URL(job), {
  threads: 2,
  memoryMb: Number(memoryMb),
  spillFolder,
  // On a slow machine there would be a copy, which takes a long line once more.
  speculateAfterMs: Number.POSITIVE_INFINITY,
});
let results = 0;
for await (const result of run) results += result.length - 1;
const { mapped, emitted, spilledBytes } = run.counters;
await run[Symbol.asyncDispose]();
const peakMb = peakBytes() / 1e6;
process.stdout.write(JSON.stringify({ peakMb, results, mapped, emitted, spilledBytes }));
