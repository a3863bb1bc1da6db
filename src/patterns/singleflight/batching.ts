/**
 * Gathers what many ask for one by one, and gets it all at once: what is known as a data loader.
 *
 * Invariants
 *   I1  A key is asked for in one batch at a time; who asks for it meanwhile waits for the same answer.
 *   I2  The open batch has its timer set, fewer than `maxKeys` keys, and somebody who waits for each.
 */
import { requireDuration, requireFunction, requireInteger } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Timer } from "../../core/clock.ts";
import { Deferred } from "../../core/deferred.ts";
import { MisuseError } from "../../core/errors.ts";
import { observe, type Resource } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { type Outcome, spawnTask } from "../../core/task.ts";
import { background, type CancelableContext, type Context, withCancel } from "../../sync/context.ts";
import { SingleFlight } from "./flights.ts";

/**
 * Gets the values of several keys, each once, in the order of the keys. An `Error` in the place of a value fails the calls
 * for that key alone. The context ends when nobody waits for any of them.
 */
export type BatchWork<K, V> = (
  keys: readonly K[],
  ctx: Context,
) => readonly (V | Error)[] | PromiseLike<readonly (V | Error)[]>;

/** How a {@link BatchLoader} gathers. */
export interface BatchLoaderOptions {
  /** A batch of so many keys begins at once: at least 1; default 100. */
  readonly maxKeys?: number | undefined;
  /**
   * So many milliseconds after its first key a batch begins, however few they are; default 1. With 0, whoever has not
   * asked by the next timer of the host is too late.
   */
  readonly waitMs?: number | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** Keys that are asked for together, each with what those who ask for it wait for. */
interface Batch<K, V> {
  readonly answers: Map<K, Deferred<V>>;
  readonly scope: CancelableContext;
  readonly timer: Timer;
}

/**
 * Turns calls for one key each into calls for many.
 *
 * **Guarantees** Keys are gathered in the order in which they were first asked for. A key is in one batch at a time, and
 * all who ask for it until it is answered share the answer. Nothing is kept after that. The work runs in the async
 * context of whoever made the loader, and never inside the call of `load`.
 * **Units and ranges** `key`: any value, compared as a `Map` does.
 * **Cancellation** A caller who is cancelled leaves at once. A key for which nobody waits leaves a batch that has not
 * begun; when nobody waits for any key of one that has, its context ends.
 * **Errors** What the work throws reaches every caller of the batch; an `Error` among the values, the callers of that key.
 * `MisuseError` if the work gives more or fewer values than there are keys.
 * **Cost** A flight a key, a task and a timer a batch. Batches do not wait for each other: for a bound, let the work acquire
 * a `Semaphore`.
 * **Not for** keeping answers: call it in the load of a `LoadingCache`. For writes, see `inBatches` of producer-consumer.
 * **Source** DataLoader of graphql.
 *
 * @example
 * const batches: string[] = [];
 * const lengths = new BatchLoader((words: readonly string[]) => {
 *   batches.push(words.join());
 *   return words.map(({ length }) => length);
 * });
 * await Promise.all(["one", "three", "one"].map((word) => lengths.load(word))); //=> [3, 5, 3]
 * batches; //=> ["one,three"]
 */
export class BatchLoader<K, V> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #resource: Resource | undefined;
  readonly #context = new AsyncContext();
  readonly #flights: SingleFlight<K, V>;
  readonly #work: BatchWork<K, V>;
  readonly #maxKeys: number;
  readonly #waitMs: number;
  #open: Batch<K, V> | undefined;

  constructor(work: BatchWork<K, V>, options: BatchLoaderOptions = {}) {
    requireFunction("work", work);
    this.#work = work;
    this.#maxKeys = requireInteger("maxKeys", options.maxKeys ?? 100, 1);
    this.#waitMs = requireDuration("waitMs", options.waitMs ?? 1);
    this.#resource = observe(this.#runtime, "batch", options.name);
    this.#flights = new SingleFlight<K, V>({ name: options.name });
  }

  /** How many keys are gathered for the next batch. */
  get waiting(): number {
    return this.#open?.answers.size ?? 0;
  }

  /** Gives the value of a key, with the next batch; or with the one that has it already. */
  async load(key: K, options?: CancelOptions): Promise<V> {
    const { value } = await this.#flights.do(key, (ctx) => this.#gather(key, ctx), options);
    return value;
  }

  async #gather(key: K, ctx: Context): Promise<V> {
    const batch = (this.#open ??= this.#newBatch());
    const answer = new Deferred<V>(this.#runtime, "batch", this.#resource);
    batch.answers.set(key, answer);
    if (batch.answers.size >= this.#maxKeys) this.#start(batch);
    try {
      return await answer.wait(ctx);
    } finally {
      this.#leave(batch, key, answer);
    }
  }

  #newBatch(): Batch<K, V> {
    const timer = this.#runtime.clock.after(this.#waitMs, () => this.#start(batch));
    const batch: Batch<K, V> = { answers: new Map(), scope: withCancel(background), timer };
    return batch;
  }

  /** Nobody waits for an answer any more, or it has come. The key may be asked for anew by now, in the same batch. */
  #leave(batch: Batch<K, V>, key: K, answer: Deferred<V>): void {
    if (batch.answers.get(key) !== answer) return;
    batch.answers.delete(key);
    if (batch.answers.size > 0) return;
    this.#close(batch);
    batch.scope.cancel();
  }

  /** It takes no further keys. */
  #close(batch: Batch<K, V>): void {
    batch.timer.cancel();
    if (this.#open === batch) this.#open = undefined;
  }

  #start(batch: Batch<K, V>): void {
    this.#close(batch);
    const keys = [...batch.answers.keys()];
    const answers = [...batch.answers.values()];
    const label = { name: this.#resource?.name ?? "batch" };
    void this.#context.run(() => {
      const work = (): ReturnType<BatchWork<K, V>> => this.#work(keys, batch.scope.ctx);
      spawnTask(this.#runtime, label, work, (outcome) => settle(answers, outcome));
    });
  }
}

function settle<V>(answers: readonly Deferred<V>[], outcome: Outcome<readonly (V | Error)[]>): void {
  const failure = outcome.ok ? misfit(outcome.value, answers.length) : outcome.error;
  const values = outcome.ok && failure === undefined ? outcome.value : undefined;
  for (const [index, answer] of answers.entries()) {
    const value = values === undefined ? undefined : (values[index] as V | Error);
    if (values === undefined) answer.settle({ ok: false, error: failure });
    else if (value instanceof Error) answer.settle({ ok: false, error: value });
    else answer.settle({ ok: true, value: value as V });
  }
}

function misfit(values: unknown, wanted: number): MisuseError | undefined {
  if (Array.isArray(values) && values.length === wanted) return undefined;
  const given = Array.isArray(values) ? `${values.length} values` : "no array of values";
  return new MisuseError(`the work of a batch of ${wanted} keys has given ${given}`);
}
