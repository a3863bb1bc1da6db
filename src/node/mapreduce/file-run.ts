/**
 * A run over files, as its user sees it.
 *
 * Invariants
 *   I1  The state only moves forward: idle, started, closed. Nothing is there before it has started, and nothing is left
 *       once it is closed: no thread, no file.
 *   I2  Nobody sees a result before all are there.
 */
import { readdir, mkdir, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AsyncContext } from "../../core/async-context.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError, MisuseError, withSuppressed } from "../../core/errors.ts";
import { giveTurn } from "../../core/fairness.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { outcomeOf } from "../../core/task.ts";
import { type CancelableContext, withCancel } from "../../sync/context.ts";
import { readKey, readValue } from "./codec.ts";
import { Engine, type EngineParts } from "./engine.ts";
import { RunMerge } from "./merge.ts";
import type { MapReduceCounters } from "./options.ts";
import { makeFolder, removeFolder } from "./own-folder.ts";
import type { Run } from "./runs.ts";

/**
 * A run over files; made by `mapReduceFiles`. It begins when its results are first asked for, and keeps them until it is
 * disposed of: write `await using`.
 *
 * **Guarantees** Results come sorted by key: numbers by value, and then strings by code point. They can be gone through
 * as often as one likes, and none is seen before all are there. Disposing of it ends its threads and removes its files.
 * **Cancellation** When `signal` aborts, everything rejects with its reason, once the threads have let go.
 * **Errors** The first failure, for everybody who asks. `ClosedError` once it is disposed of.
 * **Cost** Results are read from the disk as they are asked for.
 *
 * @example
 * const job = new URL(`data:text/javascript,
 *   export const records = "files";
 *   export const map = (text, emit, { file }) => emit(file, text.length > 0);
 *   export const reduce = (file, [some]) => some;`);
 * type Job = {
 *   map(text: string, emit: (file: string, some: boolean) => void): void;
 *   reduce(file: string, some: readonly boolean[]): boolean;
 * };
 * await using run = mapReduceFiles<Job>(["package.json", "LICENSE"], job, { threads: 1 });
 * await run.toMap(); //=> new Map([["LICENSE", true], ["package.json", true]])
 */
export class MapReduceRun<K, R> implements AsyncIterable<readonly [K, R]>, AsyncDisposable {
  readonly #runtime: Runtime = currentRuntime();
  readonly #context = new AsyncContext();
  readonly #engine: Engine;
  readonly #scope: CancelableContext;
  readonly #results: Deferred<readonly Run[]>;
  readonly #ended: Deferred<void>;
  #state: "idle" | "started" | "closed" = "idle";

  /** @internal */
  constructor(parts: EngineParts) {
    this.#engine = new Engine(parts);
    this.#scope = withCancel(parts.options);
    this.#results = new Deferred(this.#runtime, "results of a mapreduce");
    this.#ended = new Deferred(this.#runtime, "end of a mapreduce");
  }

  /** How far it has come, at this instant. */
  get counters(): MapReduceCounters {
    return this.#engine.counters;
  }

  /** Waits until all results are there. A caller who is cancelled leaves; the run goes on. */
  async wait(options?: CancelOptions): Promise<void> {
    await this.#resultsOf(options);
  }

  /** Each key with its result, sorted by key. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [K, R], undefined> {
    const merge = new RunMerge(await this.#resultsOf());
    try {
      for (let record = merge.next(); record !== undefined; record = merge.next()) {
        yield [readKey(record.key) as K, readValue(record.value) as R];
        await giveTurn(this.#runtime);
        this.#requireOpen();
        await rejectIfCancelled(this.#scope.ctx);
      }
    } finally {
      merge.close();
    }
    return undefined;
  }

  /** All results in memory, sorted by key. */
  async toMap(): Promise<Map<K, R>> {
    const results = new Map<K, R>();
    for await (const [key, result] of this) results.set(key, result);
    return results;
  }

  /**
   * Writes the results to a folder, as lines of text, each partition to a file, `part-00000` and so on, sorted by key.
   *
   * **Guarantees** The folder appears with all its files, or it does not appear: whatever ends the process, or the
   * machine. It is made beside its place, so there must be room for it there.
   * **Errors** `MisuseError` if the folder is there and not empty. What the disk could not do, as the system's error.
   */
  async writeTo(folder: string, options?: CancelOptions): Promise<void> {
    await requireEmpty(folder);
    const results = await this.#resultsOf(options);
    const scope = withCancel({ signal: this.#scope.ctx.signal });
    const target = resolve(folder);
    const own = await makeFolder(dirname(target), basename(target));
    try {
      await mkdir(join(own, "out"));
      await this.#engine.write(results, own, scope.ctx);
      await rename(join(own, "out"), target);
    } finally {
      scope.cancel();
      await removeFolder(own);
    }
  }

  /** Gives up what still runs, ends the threads, and removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed") return this.#ended.wait();
    const started = this.#state === "started";
    this.#state = "closed";
    const closed = new ClosedError("the run has been disposed of");
    this.#scope.cancel(closed);
    if (started) await outcomeOf(() => this.#results.wait());
    const ended = await outcomeOf(() => this.#engine.end());
    this.#ended.settle(ended);
    return this.#ended.wait();
  }

  async #resultsOf(options?: CancelOptions): Promise<readonly Run[]> {
    this.#requireOpen();
    if (this.#state === "idle") {
      this.#state = "started";
      void this.#context.run(() => this.#work());
    }
    return this.#results.wait(options);
  }

  #requireOpen(): void {
    if (this.#state === "closed") throw new ClosedError("the run has been disposed of");
  }

  /** Settles when nothing of a failure is left. */
  async #work(): Promise<void> {
    const done = await outcomeOf(() => this.#engine.run(this.#scope.ctx));
    if (done.ok) return this.#results.settle(done);
    this.#scope.cancel(done.error);
    const ended = await outcomeOf(() => this.#engine.end());
    const error = ended.ok ? done.error : withSuppressed(done.error, [ended.error]);
    this.#results.settle({ ok: false, error });
  }
}

async function requireEmpty(folder: string): Promise<void> {
  const there = await outcomeOf(() => readdir(folder));
  if (!there.ok && (there.error as { readonly code?: unknown }).code === "ENOENT") return;
  if (!there.ok) throw there.error;
  if (there.value.length > 0) throw new MisuseError(`${folder} is there and not empty`);
}
