/**
 * Counts the keys of files on all cores, without a string for each of them: MapReduce whose keys are bytes and whose values
 * are numbers that add up.
 */
import { refuseType } from "../../../core/arguments.ts";
import { rejectIfCancelled } from "../../../core/cancellation.ts";
import { withSuppressed } from "../../../core/errors.ts";
import { pick } from "../../../core/random.ts";
import { currentRuntime } from "../../../core/runtime.ts";
import { outcomeOf, valueOf } from "../../../core/task.ts";
import type { Tally } from "../../../patterns/mapreduce/byte-counts/counter.ts";
import { afterFunc } from "../../../sync/context.ts";
import { Counts } from "../../mapreduce/count/counts.ts";
import { CountRun, type CountWork } from "../../mapreduce/count/run.ts";
import { type CountOptions, type CountSettings, countSettings } from "../../mapreduce/count/settings.ts";
import { type SharedCounts, sharedTable } from "../../mapreduce/count/shared.ts";
import { withThreads } from "../../mapreduce/count/threads.ts";
import { makeFolder, removeFolder } from "../../mapreduce/own-folder.ts";
import { planSplits } from "../../mapreduce/splits.ts";

export type { CountKey, Tally } from "../../../patterns/mapreduce/byte-counts/counter.ts";
export { Counts, type KeyCount } from "../../mapreduce/count/counts.ts";
export type { CountOptions, CountProgress } from "../../mapreduce/count/settings.ts";

/** A module with a function of the usual name. */
export interface TallyModule {
  /** Looks for keys. */
  readonly tally: Tally;
}

/** The names of the functions of a module that look for keys. */
export type TallyName<M> = { [K in keyof M & string]: M[K] extends Tally ? K : never }[keyof M & string];

/** What is counted, and how. `M` is the type of the module. */
export interface CountBytesOptions<M> extends CountOptions {
  /** The function of the module that looks for keys; default "tally". */
  readonly tally?: TallyName<M> | undefined;
}

/**
 * Counts the keys of files on threads. The module exports `tally(block, count)`: it is called in the threads with blocks of
 * whole lines, and calls `count(from, to)` for each key that lies in one. It may change the block, to fold upper case to
 * lower case for instance; a key that is no part of the block is counted by `count.key(key)`.
 *
 * **Guarantees** Each line is counted once: a split whose thread dies is counted again, and nothing of the failed attempt
 * counts. The result does not depend on how many threads there are, nor on how much had to go to disk. Files there are
 * readable for nobody else, and go when the result is disposed of.
 * **Units and ranges** Keys: any bytes, also none; as long as they like. Counts: whole numbers, exact up to 2^53.
 * **Cancellation** When `signal` aborts, rejects with its reason once the threads have ended and what they wrote is gone. A
 * `tally` that never ends is given a second.
 * **Errors** What `tally` threw; `ThreadCrashError`; the system's error for a file that cannot be read, or a disk that is
 * full: it names the file, and nothing is tried again because of it. `MisuseError` for a file that is none, such as a pipe.
 * **Cost** Some 0.1 µs a key, most of it for a look-up in memory. Memory: `memoryMb` for tables and blocks, whatever the
 * files have; and what Node takes for each thread, some tens of megabytes.
 * **Not for** less than some megabytes: threads take longer to start than to count that.
 * **Source** J. Dean and S. Ghemawat, MapReduce (OSDI 2004); P. Larson, Grouping and duplicate elimination: benefits of
 * early aggregation (1997); extendible hashing of R. Fagin and others (1979).
 *
 * @example
 * const module = new URL("data:text/javascript,export const tally = (block, count) => count.key(`${block.length} bytes`)");
 * await using counts = await countBytes<{ tally: Tally }>([], module, { threads: 1 });
 * await counts.top(10); //=> []
 */
export function countBytes<M = TallyModule>(
  files: readonly string[],
  module: URL,
  options: CountBytesOptions<M> = {},
): Promise<Counts> {
  if (!Array.isArray(files) || files.some((file) => typeof file !== "string"))
    refuseType("files", "an array of paths", files);
  if (!(module instanceof URL)) refuseType("module", "a URL", module);
  const settings = countSettings(options);
  const functions = { module: module.href, tally: options.tally ?? "tally" };
  return rejectIfCancelled(options) ?? counted([...files], functions, settings, options);
}

async function counted(
  files: readonly string[],
  functions: Pick<CountWork, "module" | "tally">,
  settings: CountSettings,
  options: CountOptions,
): Promise<Counts> {
  const splits = await planSplits(files, settings.splitBytes);
  const folder = await makeFolder(settings.spillFolder, "counts");
  const remove = (): Promise<void> => removeFolder(folder);
  const counting = await outcomeOf(() =>
    withThreads(options, settings.threads, async (pool, ctx) => {
      const seed = pick(currentRuntime().random, 2 ** 32) | 0;
      const { onProgress } = options;
      const run = new CountRun({ ...functions, splits, folder, seed, settings, pool, onProgress });
      afterFunc(ctx, () => run.stop());
      return { run, runs: await run.run(ctx) };
    }),
  );
  const spilled = counting.ok && counting.value.runs.length > 0;
  const removal = spilled ? undefined : await outcomeOf(remove);
  if (!counting.ok && removal?.ok === false) throw withSuppressed(counting.error, [removal.error]);
  const { run, runs } = valueOf(counting);
  if (removal !== undefined) valueOf(removal);
  return new Counts({
    table: sharedTable(run.shared),
    runs,
    total: run.counted,
    sort: ({ signal }) => sorted(run.shared, settings.threads, { ...options, signal }),
    remove,
  });
}

/** The entries of the shared table in lists that are in order, one a thread. */
function sorted(shared: SharedCounts, threads: number, options: CountOptions): Promise<Int32Array[]> {
  const shares = Array.from({ length: threads }, (_, part) => ({ shared, part, of: threads }));
  return withThreads(options, threads, (pool, ctx) =>
    Promise.all(shares.map((share) => pool.run("sortShare", share, ctx))),
  );
}
