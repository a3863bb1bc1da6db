/** A run that writes its results, and says when: for a test that kills it. */
import { mapReduceFiles } from "../../../dist/src/node/threads/mapreduce.js";

const [file, spillFolder, out] = process.argv.slice(2);
const job = new URL("../../../dist/examples/jobs/word-count.js", import.meta.url);
const onProgress = ({ splitsDone, partitionsDone }) =>
  process.stdout.write(`${splitsDone}-${partitionsDone}\n`);
const run = mapReduceFiles([file], job, {
  threads: 2,
  memoryMb: 2,
  splitMb: 0.03,
  partitions: 4,
  spillFolder,
  onProgress,
});
process.stdout.write("begun\n");
await run.writeTo(out);
process.stdout.write("written\n");
await run[Symbol.asyncDispose]();
process.stdout.write("end\n");
