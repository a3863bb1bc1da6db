/**
 * A partition is reduced, in a thread: its runs are merged, key by key, and the results are one run more.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { giveTurn } from "../../core/fairness.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { isPending } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";
import { bytesOfValue } from "./codec.ts";
import { KeyGroups } from "./groups.ts";
import type { AnyJob, MapReduceKey } from "./job.ts";
import { type Reduced, type ReduceOrder, RESULTS } from "./orders.ts";
import { type Run, RunWriter } from "./runs.ts";

/** Of fewer bytes at a time a disk is not read well. */
const LEAST_BUFFER_BYTES = 1 << 14;
const MOST_BUFFER_BYTES = 1 << 18;
/** So many files a thread has open at most, and so many it merges in any case. */
const MOST_RUNS = 64;
const LEAST_RUNS = 4;

export class ReduceTask {
  readonly #job: AnyJob;
  readonly #order: ReduceOrder;
  readonly #ctx: Context;
  readonly #runtime = currentRuntime();
  /** Half of the memory is for the runs, and half for the values of a key. */
  readonly #memoryBytes: number;
  /** Files that hold several runs merged, and are not wanted once they are merged again. */
  readonly #merged = new Set<string>();

  constructor(job: AnyJob, order: ReduceOrder, ctx: Context) {
    mkdirSync(order.folder, { mode: 0o700 });
    this.#job = job;
    this.#order = order;
    this.#ctx = ctx;
    this.#memoryBytes = order.memoryBytes / 2;
  }

  async run(): Promise<Reduced> {
    const most = Math.max(
      LEAST_RUNS,
      Math.min(MOST_RUNS, Math.floor(this.#memoryBytes / LEAST_BUFFER_BYTES)),
    );
    let runs = this.#order.runs;
    while (runs.length > most) runs = await this.#mergeSome(runs, most);
    const writer = new RunWriter(join(this.#order.folder, RESULTS));
    try {
      const keys = await this.#reduce(runs, writer);
      writer.end();
      return { bytes: writer.at, keys };
    } finally {
      writer.close();
    }
  }

  async #reduce(runs: readonly Run[], writer: RunWriter): Promise<number> {
    let keys = 0;
    await this.#eachKey(runs, (groups, key) => {
      keys++;
      const result = this.#job.reduce(key, this.#valuesOf(groups), this.#ctx);
      if (isPending(result)) return written(result, groups, writer);
      writer.write(groups.key, bytesOfValue(result));
      return undefined;
    });
    return keys;
  }

  #valuesOf(groups: KeyGroups): Iterable<unknown> {
    const { combine, values } = this.#job;
    if (combine !== undefined) return [groups.merged(combine)];
    return values === "iterable" ? groups.values() : groups.array(this.#memoryBytes);
  }

  /** As many runs as can be merged at once become one; neighbours only, so that values keep their order. */
  async #mergeSome(runs: readonly Run[], most: number): Promise<readonly Run[]> {
    const merged: Run[] = [];
    for (let from = 0; from < runs.length; from += most) {
      const some = runs.slice(from, from + most);
      const writer = new RunWriter(join(this.#order.folder, `merged-${this.#merged.size}`));
      this.#merged.add(writer.file);
      try {
        await this.#eachKey(some, (groups) => groups.copyTo(writer, this.#job.combine));
        writer.end();
      } finally {
        writer.close();
      }
      for (const { file } of some) if (this.#merged.has(file)) rmSync(file);
      merged.push({ file: writer.file, from: 0, to: writer.at });
    }
    return merged;
  }

  async #eachKey(
    runs: readonly Run[],
    visit: (groups: KeyGroups, key: MapReduceKey) => Promise<void> | undefined | void,
  ): Promise<void> {
    const groups = new KeyGroups(
      runs,
      Math.min(MOST_BUFFER_BYTES, Math.floor(this.#memoryBytes / runs.length)),
    );
    try {
      for (let key = groups.next(); key !== undefined; key = groups.next()) {
        const visited = visit(groups, key);
        if (visited !== undefined) await visited;
        const turn = giveTurn(this.#runtime);
        if (turn === undefined) continue;
        await turn;
        if (this.#ctx.error !== undefined) throw this.#ctx.cause;
      }
    } finally {
      groups.close();
    }
  }
}

async function written(result: PromiseLike<unknown>, groups: KeyGroups, writer: RunWriter): Promise<void> {
  writer.write(groups.key, bytesOfValue(await result));
}
