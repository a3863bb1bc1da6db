/**
 * A count on threads, from where it is led: hands splits out, and sees that each of them counts once.
 *
 * The threads pour what they have counted of a split into one table that they share. When that is full, all wait, write it
 * to disk in the order of its keys, and begin with an empty one.
 *
 * Invariants
 *   I1  A batch of splits is in `#left`, or with one call, or counted: in the shared table and in runs.
 *   I2  While the shared table is written or emptied, no call counts.
 */
import { join } from "node:path";
import { outcomeOf } from "../../../core/task.ts";
import { sharePages } from "../../../patterns/mapreduce/byte-counts/memory.ts";
import type { ByteTable } from "../../../patterns/mapreduce/byte-counts/table.ts";
import type { Context } from "../../../sync/context.ts";
import { TaskGroup } from "../../../sync/task-group.ts";
import { ThreadCrashError } from "../../../threads/errors.ts";
import type { Run } from "../runs.ts";
import type { FileSplit } from "../splits.ts";
import type { Counted } from "./counting.ts";
import { sizeOfRuns } from "./runs-of-counts.ts";
import type { CountProgress, CountSettings } from "./settings.ts";
import { makeCells, PART_BITS, type SharedCounts, sharedTable, stop, wasPouring } from "./shared.ts";
import type { CountPool } from "./threads.ts";

/** What is handed to a thread at once. */
interface Batch {
  readonly splits: readonly FileSplit[];
  readonly bytes: number;
  failures: number;
}

/** What a count is about. */
export interface CountWork {
  /** The address of the module, and the name of its function. */
  readonly module: string;
  readonly tally: string;
  readonly splits: readonly FileSplit[];
  /** The folder for runs. */
  readonly folder: string;
  readonly seed: number;
  readonly settings: CountSettings;
  readonly pool: CountPool;
  readonly onProgress?: ((progress: CountProgress) => void) | undefined;
}

/** How a round of counting has ended. Torn is what nobody can tell what is in it. */
type RoundEnd = "done" | "full" | "torn";

export class CountRun {
  readonly #work: CountWork;
  readonly #batches: readonly Batch[];
  readonly #shared: SharedCounts;
  readonly #table: ByteTable;
  readonly #totalBytes: number;
  #left: Batch[] = [];
  #runs: Run[] = [];
  #counted = 0;
  #countedBytes = 0;
  #files = 0;
  #roundEnd: RoundEnd = "done";

  constructor(work: CountWork) {
    const { splits, settings } = work;
    this.#work = work;
    this.#batches = batchesOf(splits, settings.splitBytes);
    this.#totalBytes = this.#batches.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#shared = { pages: sharePages(settings.sharedPages), cells: makeCells(settings.threads) };
    this.#table = sharedTable(this.#shared);
  }

  /** Where the counts are that are not in runs. */
  get shared(): SharedCounts {
    return this.#shared;
  }

  /** What all counts come to. */
  get counted(): number {
    return this.#counted;
  }

  /** Counts everything. Gives the runs, if there had to be any: then nothing is left in the shared table. */
  async run(ctx: Context): Promise<readonly Run[]> {
    this.#begin();
    for (let end = await this.#round(ctx); end !== "done"; end = await this.#round(ctx)) {
      if (end === "torn") this.#begin();
      else await this.#spill(ctx);
    }
    if (this.#runs.length > 0) await this.#spill(ctx);
    while (this.#runs.length > MOST_RUNS) await this.#mergeSome(ctx);
    return this.#runs;
  }

  /** Tells the threads to give up. */
  stop(): void {
    stop(this.#shared.cells);
  }

  #begin(): void {
    this.#shared.cells.fill(0);
    this.#table.begin(PART_BITS);
    this.#left = this.#batches.toReversed();
    this.#runs = [];
    this.#counted = 0;
    this.#countedBytes = 0;
  }

  /** Counts until all is counted, or the shared table is full. */
  async #round(ctx: Context): Promise<RoundEnd> {
    const { threads } = this.#work.settings;
    this.#roundEnd = "done";
    const group = new TaskGroup({ name: "count", signal: ctx.signal });
    for (let lane = 0; lane < threads; lane++) group.go((task) => this.#countBatches(lane, task));
    await group.wait();
    const end = this.#roundEnd as RoundEnd;
    return end === "full" && this.#left.length === 0 ? "done" : end;
  }

  async #countBatches(lane: number, ctx: Context): Promise<void> {
    while (this.#roundEnd === "done") {
      const batch = this.#left.pop();
      if (batch === undefined) return;
      const outcome = await outcomeOf(() => this.#count(batch, lane, ctx));
      if (outcome.ok) this.#add(batch, outcome.value);
      else this.#failed(batch, lane, outcome.error);
    }
  }

  #count({ splits }: Batch, lane: number, ctx: Context): Promise<Counted> {
    const { pool, module, tally, seed, settings } = this.#work;
    const { ownBytes, blockBytes } = settings;
    const what = { module, tally, splits, shared: this.#shared, lane, file: this.#file(), seed };
    return pool.run("count", { ...what, ownBytes, blockBytes }, ctx);
  }

  #add(batch: Batch, { counted, runs, full }: Counted): void {
    this.#runs.push(...runs);
    this.#counted += counted;
    this.#countedBytes += batch.bytes;
    if (full && this.#roundEnd === "done") this.#roundEnd = "full";
    const spilledBytes = sizeOfRuns(this.#runs);
    this.#work.onProgress?.({ bytes: this.#countedBytes, totalBytes: this.#totalBytes, spilledBytes });
  }

  /** Its thread has died. Nothing of it is counted, unless it was about to be: then all begins anew. */
  #failed(batch: Batch, lane: number, error: unknown): void {
    const { cells } = this.#shared;
    if (this.#roundEnd === "torn") return;
    if (!isCrash(error) || ++batch.failures > this.#work.settings.retries) throw error;
    this.#left.push(batch);
    if (!wasPouring(cells, lane)) return;
    this.#roundEnd = "torn";
    stop(cells);
  }

  /** Writes the shared table to disk, a share a thread, and empties it. */
  async #spill(ctx: Context): Promise<void> {
    const { pool, settings } = this.#work;
    const of = settings.threads;
    const write = (part: number): Promise<readonly Run[]> =>
      this.#again(() => pool.run("writeShare", { shared: this.#shared, part, of, file: this.#file() }, ctx));
    const runs = await Promise.all(Array.from({ length: of }, (_, part) => write(part)));
    this.#runs.push(...runs.flat());
    this.#table.begin(PART_BITS);
  }

  /** Makes one run of those that were written first. */
  async #mergeSome(ctx: Context): Promise<void> {
    const runs = this.#runs.slice(0, MOST_RUNS);
    const merged = await this.#again(() =>
      this.#work.pool.run("mergeRuns", { runs, file: this.#file() }, ctx),
    );
    this.#runs = [...this.#runs.slice(MOST_RUNS), ...merged];
  }

  /** What only reads may be done again if its thread dies. */
  async #again<T>(call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      const outcome = await outcomeOf(call);
      if (outcome.ok) return outcome.value;
      if (!isCrash(outcome.error) || failures > this.#work.settings.retries) throw outcome.error;
    }
  }

  #file(): string {
    return join(this.#work.folder, `${++this.#files}.run`);
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof ThreadCrashError;
}

/** So many runs are read at once. */
const MOST_RUNS = 64;

/** Small splits are counted together, and large ones by themselves. */
function batchesOf(splits: readonly FileSplit[], batchBytes: number): Batch[] {
  const batches: Batch[] = [];
  let together: FileSplit[] = [];
  let bytes = 0;
  for (const split of splits) {
    const size = split.to - split.from;
    if (bytes + size > batchBytes && together.length > 0) {
      batches.push({ splits: together, bytes, failures: 0 });
      together = [];
      bytes = 0;
    }
    together.push(split);
    bytes += size;
  }
  if (together.length > 0) batches.push({ splits: together, bytes, failures: 0 });
  return batches;
}
