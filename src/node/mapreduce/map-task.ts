/**
 * A split is mapped, in a thread: records are read and mapped, and what they emit goes on to the disk, sorted.
 */
import { mkdirSync } from "node:fs";
import { MisuseError } from "../../core/errors.ts";
import { giveTurn } from "../../core/fairness.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { isPending } from "../../core/task.ts";
import { requireInteger } from "../../core/arguments.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import type { Emit } from "../../patterns/mapreduce.ts";
import { pack, requireKey } from "./codec.ts";
import { CombineTable } from "./combine-table.ts";
import type { AnyJob, MapReduceKey, RecordContext } from "./job.ts";
import type { Mapped, MapOrder, SkippedRecord } from "./orders.ts";
import { type FileRecord, recordsOf } from "./records.ts";
import { type Partitioner, SortBuffer } from "./sort-buffer.ts";

/** Where emitted values go. */
interface Sink {
  add(key: MapReduceKey, value: unknown): void;
  end(): void;
}

type AnyEmit = Emit<MapReduceKey, unknown>;

/** What of the memory the table gets that merges values; the rest is for the bytes that they become. */
const TABLE_SHARE = 2 / 3;

export class MapTask {
  readonly #job: AnyJob;
  readonly #order: MapOrder;
  readonly #buffer: SortBuffer;
  readonly #sink: Sink;
  readonly #ctx: RecordContext;
  readonly #place: Float64Array | undefined;
  readonly #poisoned: ReadonlySet<number>;
  readonly #skipped: SkippedRecord[] = [];
  #mapped = 0;
  #emitted = 0;

  constructor(job: AnyJob, order: MapOrder, ctx: Context) {
    const { folder, memoryBytes, partitions, split, place } = order;
    mkdirSync(folder, { mode: 0o700 });
    const { combine } = job;
    const bytes = combine === undefined ? memoryBytes : memoryBytes * (1 - TABLE_SHARE);
    const buffer = new SortBuffer(folder, bytes, partitions, partitioner(job, partitions));
    this.#job = job;
    this.#order = order;
    this.#buffer = buffer;
    this.#sink =
      combine === undefined
        ? { add: (key, value) => buffer.add(key, pack(value)), end: () => undefined }
        : new CombineTable(combine, memoryBytes * TABLE_SHARE, buffer);
    this.#ctx = Object.assign(withCancel(ctx).ctx, { file: split.file });
    this.#place = place === undefined ? undefined : new Float64Array(place);
    this.#poisoned = new Set(order.poisoned);
  }

  async run(): Promise<Mapped> {
    try {
      await this.#records();
      await this.#call((emit) => this.#job.finish?.(emit, this.#ctx), this.#sink);
    } catch (error) {
      await this.#job.finish?.(() => undefined, this.#ctx);
      throw error;
    }
    this.#sink.end();
    const spills = this.#buffer.end();
    return { spills, mapped: this.#mapped, emitted: this.#emitted, skipped: this.#skipped };
  }

  async #records(): Promise<void> {
    const runtime = currentRuntime();
    for (const record of recordsOf(this.#order.split, this.#job.records ?? "lines")) {
      if (this.#poisoned.has(record.at)) continue;
      if (this.#place !== undefined) this.#place[0] = record.at;
      const mapping = this.#order.skipRecords === 0 ? this.#map(record, this.#sink) : this.#attempt(record);
      if (mapping !== undefined) await mapping;
      this.#mapped++;
      const turn = giveTurn(runtime);
      if (turn === undefined) continue;
      await turn;
      if (this.#ctx.error !== undefined) throw this.#ctx.cause;
    }
  }

  #map({ value }: FileRecord, sink: Sink): void | Promise<void> {
    return this.#call((emit) => this.#job.map(value, emit, this.#ctx), sink);
  }

  /** What a record emits counts when it has been mapped. If it cannot be, it is skipped. */
  async #attempt(record: FileRecord): Promise<void> {
    const emitted: [MapReduceKey, unknown][] = [];
    const before = this.#emitted;
    try {
      // What cannot be copied is a failure of the record too.
      const hold = (key: MapReduceKey, value: unknown): void => void emitted.push([key, checked(value)]);
      const mapping = this.#map(record, { add: hold, end: () => undefined });
      if (mapping !== undefined) await mapping;
    } catch (error) {
      if (this.#skipped.length >= this.#order.skipRecords) throw error;
      this.#skipped.push({ file: this.#order.split.file, at: record.at, error });
      this.#emitted = before;
      this.#mapped--;
      return;
    }
    for (const [key, value] of emitted) this.#sink.add(key, value);
  }

  /** Gives `call` an emit that is good until it has ended. */
  #call(call: (emit: AnyEmit) => void | PromiseLike<void>, sink: Sink): void | Promise<void> {
    let open = true;
    const emit: AnyEmit = (key, value) => {
      if (!open) throw new MisuseError("emit after its map has ended");
      sink.add(requireKey(key), value);
      this.#emitted++;
    };
    let called: void | PromiseLike<void>;
    try {
      called = call(emit);
    } catch (error) {
      open = false;
      throw error;
    }
    if (isPending(called)) return ended(called, () => (open = false));
    open = false;
  }
}

async function ended(call: PromiseLike<void>, end: () => void): Promise<void> {
  try {
    await call;
  } finally {
    end();
  }
}

/** Throws if it cannot be copied. */
function checked(value: unknown): unknown {
  pack(value);
  return value;
}

/** By the job's own function, or by a hash: the FNV-1a of the key's bytes. */
function partitioner({ partition }: AnyJob, partitions: number): Partitioner {
  if (partition !== undefined)
    return (key) => requireInteger("partition(key)", partition(key, partitions), 0, partitions - 1);
  return (_key, bytes, from, to) => {
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
    return ((hash ^ (hash >>> 15)) >>> 0) % partitions;
  };
}
