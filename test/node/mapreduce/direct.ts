/** Jobs that are done right here, by what threads do them with. */
import { rmSync } from "node:fs";
import { background } from "concurrency-model-patterns/context";
import type { FileJob, KeyOf, ReducedOf } from "concurrency-model-patterns/threads/mapreduce";
import { readKey, readValue } from "../../../src/node/mapreduce/codec.ts";
import type { AnyJob } from "../../../src/node/mapreduce/job.ts";
import { MapTask } from "../../../src/node/mapreduce/map-task.ts";
import type { Mapped } from "../../../src/node/mapreduce/orders.ts";
import { ReduceTask } from "../../../src/node/mapreduce/reduce-task.ts";
import { type Run, RunReader } from "../../../src/node/mapreduce/runs.ts";
import { planSplits } from "../../../src/node/mapreduce/splits.ts";
import type { Scene } from "./scene.ts";

/** How it is divided. */
export interface Division {
  readonly memoryBytes?: number;
  readonly splitBytes?: number;
  readonly partitions?: number;
  readonly skipRecords?: number;
}

/** What came of the splits, and the results of each partition. */
export interface Done<M> {
  readonly mapped: readonly Mapped[];
  readonly parts: readonly (readonly (readonly [KeyOf<M>, ReducedOf<M>])[])[];
}

let count = 0;

/** Maps all splits, and then reduces all partitions. */
export async function perform<M extends FileJob<M>>(
  scene: Scene,
  files: readonly string[],
  job: M,
  { memoryBytes = 1e6, splitBytes = 1e6, partitions = 1, skipRecords = 0 }: Division = {},
): Promise<Done<M>> {
  const any = job as unknown as AnyJob;
  const base = scene.path(`work-${count++}`);
  const common = { module: "", memoryBytes };
  const mapped: Mapped[] = [];
  const runs = Array.from({ length: partitions }, (): Run[] => []);
  for (const [index, split] of (await planSplits(files, splitBytes)).entries()) {
    const folder = `${base}-${index}`;
    const order = { ...common, folder, split, partitions, skipRecords, poisoned: [], place: undefined };
    const done = await new MapTask(any, order, background).run();
    mapped.push(done);
    for (const { name, ends } of done.spills)
      for (const [partition, to] of ends.entries())
        runs[partition]?.push({ file: `${folder}/${name}`, from: ends[partition - 1] ?? 0, to });
  }
  const parts = [];
  for (const [partition, some] of runs.entries()) {
    const folder = `${base}-reduced-${partition}`;
    const { bytes } = await new ReduceTask(any, { ...common, folder, runs: some }, background).run();
    parts.push(resultsOf<M>({ file: `${folder}/results`, from: 0, to: bytes }));
    rmSync(folder, { recursive: true });
  }
  return { mapped, parts };
}

function resultsOf<M>(run: Run): (readonly [KeyOf<M>, ReducedOf<M>])[] {
  const results: (readonly [KeyOf<M>, ReducedOf<M>])[] = [];
  const reader = new RunReader(run);
  while (reader.next())
    results.push([readKey(reader.key) as KeyOf<M>, readValue(reader.value) as ReducedOf<M>]);
  return results;
}
