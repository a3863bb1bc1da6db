/** MapReduce with a job of the user: what a module exports is done with the records of files, on threads. */
import type { Emit } from "concurrency-model-patterns/mapreduce";
import { mapReduceFiles, resultLine } from "concurrency-model-patterns/threads/mapreduce";
import type { InputRun } from "./input-demo.ts";
import { size, text, threads, toggle } from "./parameters.ts";

export const jobParameters = {
  threads,
  memory: size("memory of all threads; 0B is up to 512MB", 0, 0, 16e9),
  job: text("MODULE", "do what a module exports as map and reduce"),
  output: text("FOLDER", "write the results of the job there"),
  force: toggle("replace the results that are there"),
};

/** What is known of a job of the user. */
interface Job {
  map(record: string, emit: Emit<string | number, unknown>): void;
  reduce(key: string | number, values: readonly unknown[]): unknown;
  line?(key: string | number, result: unknown): string;
}

/** Prints each key with its result, or has them written into a folder. */
export async function runJob(word: string, run: InputRun<typeof jobParameters>): Promise<void> {
  const { params, ctx, inputs, host, print, progress } = run;
  const { url, exports } = await host.load(word, ["map", "reduce"]);
  const job = exports as unknown as Job;
  const folder =
    params.output === undefined ? undefined : host.prepareFolder(params.output, { force: params.force });
  const files: string[] = [];
  for (const input of inputs) files.push(await host.pathOf(input));
  const totalBytes = inputs.reduce((sum, { size = 0 }) => sum + size, 0);
  const threads = params.threads || host.cores;
  await using results = mapReduceFiles<Job>(files, url, {
    threads,
    memoryMb: memoryMbFor(params.memory, threads),
    spillFolder: host.scratchFolder(),
    signal: ctx.signal,
    onProgress: ({ splits, splitsDone }) => progress((totalBytes * splitsDone) / Math.max(1, splits)),
  });
  if (folder !== undefined) {
    await folder.write((path) => results.writeTo(path));
    return;
  }
  for await (const [key, result] of results) print(resultLine(job, key, result));
}

/** Less than four for each thread is not enough to work with. By default, what is best for the work. */
export function memoryMbFor(bytes: number, threads: number): number | undefined {
  return bytes === 0 ? undefined : Math.max(Math.floor(bytes / 1e6), 4 * threads);
}
