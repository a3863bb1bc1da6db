/**
 * The functions that the threads of a run call: each loads the module with the job, which a thread does once.
 */
import { requireFunction, requireOneOf } from "../../core/arguments.ts";
import type { ThreadJobContext } from "../../threads/options.ts";
import type { AnyJob } from "./job.ts";
import { writeLines } from "./lines.ts";
import { MapTask } from "./map-task.ts";
import type { Mapped, MapOrder, Reduced, ReduceOrder, WriteOrder } from "./orders.ts";
import { ReduceTask } from "./reduce-task.ts";

/** Maps the records of a split. */
export async function map(order: MapOrder, { ctx }: ThreadJobContext): Promise<Mapped> {
  return new MapTask(await jobOf(order.module), order, ctx).run();
}

/** Reduces the keys of a partition. */
export async function reduce(order: ReduceOrder, { ctx }: ThreadJobContext): Promise<Reduced> {
  return new ReduceTask(await jobOf(order.module), order, ctx).run();
}

/** Writes the results of a partition as text. */
export async function write(order: WriteOrder, { ctx }: ThreadJobContext): Promise<void> {
  await writeLines(await jobOf(order.module), order, ctx);
}

/** What the job says that the main thread has to know before it begins. */
export async function recordsOf(module: string): Promise<AnyJob["records"]> {
  return (await jobOf(module)).records;
}

/** The module, with what is no function where there should be one refused. */
async function jobOf(module: string): Promise<AnyJob> {
  const job = (await import(module)) as AnyJob;
  requireFunction("map", job.map);
  requireFunction("reduce", job.reduce);
  for (const name of ["combine", "finish", "partition", "line"] as const)
    if (job[name] !== undefined) requireFunction(name, job[name]);
  requireOneOf("records", job.records ?? "lines", ["lines", "line-bytes", "files", "file-bytes"]);
  requireOneOf("values", job.values ?? "array", ["array", "iterable"]);
  return job;
}
