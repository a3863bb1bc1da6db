/**
 * The whole way from files to results: plans the splits, has threads map them, and then has them reduce the partitions.
 *
 * Everything that is written on the way is in one folder. An attempt writes to a folder of its own in it; when it has
 * won, that is given the name by which the others know it.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { outcomeOf } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";
import { exponentialDelay } from "../../sync/schedule.ts";
import type { ThreadPool } from "../../threads/thread-pool.ts";
import { threadPool } from "../threads.ts";
import type * as entry from "./entry.ts";
import type { MapReduceCounters, MapReduceFilesOptions, Settings } from "./options.ts";
import { usualSplitBytes } from "./options.ts";
import { type Mapped, type Reduced, RESULTS, type SkippedRecord } from "./orders.ts";
import { makeFolder, removeFolder } from "./own-folder.ts";
import { Phase, type PhaseTasks } from "./phase.ts";
import { PoisonWatch } from "./poison.ts";
import type { Run } from "./runs.ts";
import { type FileSplit, planSplits } from "./splits.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What an engine is made of. */
export interface EngineParts {
  readonly files: readonly string[];
  /** The address of the module with the job. */
  readonly module: string;
  readonly settings: Settings;
  readonly options: MapReduceFilesOptions;
}

export class Engine {
  readonly #parts: EngineParts;
  readonly #counters: Writable<MapReduceCounters>;
  #pool: ThreadPool<typeof entry> | undefined;
  #folder = "";

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#counters = { ...nothingYet, partitions: parts.settings.partitions };
  }

  get counters(): MapReduceCounters {
    return { ...this.#counters };
  }

  /** Gives the results, a run a partition. */
  async run(ctx: Context): Promise<readonly Run[]> {
    const { files, module, settings } = this.#parts;
    this.#folder = await makeFolder(settings.spillFolder, "cmp-mapreduce");
    const pool = this.#openPool();
    const records = (await pool.run("recordsOf", module, ctx)) ?? "lines";
    const usual = (inputBytes: number): number => usualSplitBytes(inputBytes, settings.threads);
    const whole = records === "files" || records === "file-bytes";
    const splits = await planSplits(files, whole ? Number.POSITIVE_INFINITY : (settings.splitBytes ?? usual));
    this.#counters.splits = splits.length;
    const mapped = await this.#map(pool, splits, ctx);
    this.#counters.phase = "reduce";
    const results = await this.#reduce(pool, mapped, ctx);
    this.#counters.phase = "done";
    return results;
  }

  /** Has threads write the results of each partition to a file in a folder that is there. */
  async write(results: readonly Run[], folder: string, ctx: Context): Promise<void> {
    const { module } = this.#parts;
    await this.#phase<void>(ctx, {
      tasks: results.length,
      attempt: async (partition, attempt, { signal }) => {
        const file = join(folder, `${partName(partition)}-${attempt}`);
        const run = results[partition] as Run;
        await this.#openPool().run("write", { module, run, file }, { signal });
      },
      commit: (partition, attempt) =>
        rename(join(folder, `${partName(partition)}-${attempt}`), join(folder, "out", partName(partition))),
      lost: () => false,
    });
  }

  /** Ends the threads, and removes everything that was written. */
  async end(): Promise<void> {
    const pool = this.#pool;
    pool?.cancel();
    // Why it could not be kept, if so, its callers have been told.
    await outcomeOf(async () => pool?.drain());
    if (this.#folder !== "") await removeFolder(this.#folder);
  }

  #openPool(): ThreadPool<typeof entry> {
    const { settings, options } = this.#parts;
    this.#pool ??= threadPool<typeof entry>(new URL("./entry.js", import.meta.url), {
      workers: settings.threads,
      graceMs: settings.graceMs,
      name: settings.name,
      thread: { ...options.thread, resourceLimits: { ...limits, ...options.thread?.resourceLimits } },
      // How often a thread may die in vain is for the tasks to say.
      restart: exponentialDelay({ firstMs: 1, maxMs: 100 }),
    });
    return this.#pool;
  }

  async #map(pool: ThreadPool<typeof entry>, splits: readonly FileSplit[], ctx: Context): Promise<Mapped[]> {
    const { module, settings } = this.#parts;
    const { memoryBytes, partitions, skipRecords, timeoutMs } = settings;
    const watch = new PoisonWatch(splits, skipRecords);
    const mapped: Mapped[] = [];
    await this.#phase<Mapped>(ctx, {
      tasks: splits.length,
      attempt: (index, attempt, { signal }) => {
        const order = {
          module,
          folder: join(this.#folder, `map-${index}-${attempt}`),
          memoryBytes,
          split: splits[index] as FileSplit,
          partitions,
          skipRecords: skipRecords - this.#counters.skipped,
          poisoned: watch.of(index).map(({ at }) => at),
          place: watch.place(index, attempt),
        };
        return pool.run("map", order, { signal, timeoutMs });
      },
      commit: async (index, attempt, done) => {
        await rename(join(this.#folder, `map-${index}-${attempt}`), join(this.#folder, `map-${index}`));
        mapped[index] = done;
        this.#skip([...watch.of(index), ...done.skipped]);
        this.#counters.mapped += done.mapped;
        this.#counters.emitted += done.emitted;
        for (const { ends } of done.spills) this.#counters.spilledBytes += ends.at(-1) ?? 0;
        this.#counters.splitsDone++;
      },
      lost: (index, attempt, error) => watch.died(index, attempt, error),
    });
    return mapped;
  }

  async #reduce(pool: ThreadPool<typeof entry>, mapped: readonly Mapped[], ctx: Context): Promise<Run[]> {
    const { module, settings } = this.#parts;
    const { memoryBytes, partitions, timeoutMs } = settings;
    const results: Run[] = [];
    await this.#phase<Reduced>(ctx, {
      tasks: partitions,
      attempt: (partition, attempt, { signal }) => {
        const folder = join(this.#folder, `reduce-${partition}-${attempt}`);
        const runs = this.#runsOf(mapped, partition);
        return pool.run("reduce", { module, folder, memoryBytes, runs }, { signal, timeoutMs });
      },
      commit: async (partition, attempt, { bytes, keys }) => {
        const folder = join(this.#folder, `reduce-${partition}`);
        await rename(`${folder}-${attempt}`, folder);
        results[partition] = { file: join(folder, RESULTS), from: 0, to: bytes };
        this.#counters.reduced += keys;
        this.#counters.partitionsDone++;
      },
      lost: () => false,
    });
    return results;
  }

  /** The runs of a partition, in the order of the splits. */
  #runsOf(mapped: readonly Mapped[], partition: number): Run[] {
    const runs: Run[] = [];
    for (const [index, { spills }] of mapped.entries()) {
      for (const { name, ends } of spills) {
        const from = partition === 0 ? 0 : (ends[partition - 1] as number);
        const to = ends[partition] as number;
        if (to > from) runs.push({ file: join(this.#folder, `map-${index}`, name), from, to });
      }
    }
    return runs;
  }

  #skip(records: readonly SkippedRecord[]): void {
    const { onSkipped } = this.#parts.options;
    for (const record of records) {
      if (this.#counters.skipped === this.#parts.settings.skipRecords) throw record.error;
      this.#counters.skipped++;
      onSkipped?.(record);
    }
  }

  async #phase<D>(ctx: Context, tasks: Omit<PhaseTasks<D>, "again" | keyof Settings>): Promise<void> {
    const { settings, options } = this.#parts;
    const { name, threads, retries, speculateAfterMs } = settings;
    const { attempt, commit, lost } = tasks;
    const phase = new Phase<D>(
      {
        threads,
        retries,
        speculateAfterMs,
        tasks: tasks.tasks,
        attempt,
        lost,
        commit: async (...done) => {
          await commit(...done);
          options.onProgress?.(this.counters);
        },
        again: (how) => this.#counters[how]++,
      },
      { name, signal: ctx.signal },
    );
    await phase.run();
  }
}

function partName(partition: number): string {
  return `part-${`${partition}`.padStart(5, "0")}`;
}

/** What a thread throws away soon takes up to three times as much memory as it holds in it; the usual is 48. */
const limits = { maxYoungGenerationSizeMb: 12 };

const nothingYet: MapReduceCounters = {
  phase: "map",
  splits: 0,
  splitsDone: 0,
  partitions: 0,
  partitionsDone: 0,
  mapped: 0,
  skipped: 0,
  emitted: 0,
  reduced: 0,
  retried: 0,
  copied: 0,
  spilledBytes: 0,
};
