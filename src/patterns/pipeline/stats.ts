/**
 * Counts what the stages of a pipeline do, and says which of them holds up the others.
 *
 * Invariants
 *   I1  The three shares of a stage add up to 1 once it has run for any time: whatever part of its workers does not work
 *       is blocked on output while a result waits to be taken, else on input while a value is asked for.
 */
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { Received } from "../../sync/ports.ts";
import type { PipelineObserver, StageObserver } from "./observer.ts";

export type { PipelineObserver, StageObserver } from "./observer.ts";

/** What a stage has done, and where its time went. */
export interface StageStats {
  /** Its name. */
  readonly name: string;
  /** How many values it has taken. */
  readonly taken: number;
  /** How many results were taken from it, or wait in its buffer. */
  readonly given: number;
  /** How often its work has failed, each attempt for itself. */
  readonly failed: number;
  /** How many values were skipped by `onError`. */
  readonly skipped: number;
  /** How many values it works on now. */
  readonly active: number;
  /** How many values the stage before has for it that it has not taken yet. */
  readonly waiting: number;
  /** The share of its time for which it worked: from 0 to 1, as the other two. */
  readonly working: number;
  /** The share of its time for which it waited for values. */
  readonly blockedOnInput: number;
  /** The share of its time for which it waited until its results were taken. */
  readonly blockedOnOutput: number;
}

/** Where the time of a stage may go. */
type Use = "working" | "input" | "output";

class WatchedStage implements StageObserver {
  readonly #runtime: Runtime;
  readonly #name: string;
  readonly #workers: number;
  readonly #previous: WatchedStage | undefined;
  readonly #spentMs: Record<Use, number> = { working: 0, input: 0, output: 0 };
  /** When the times were last brought up to date; undefined while it does not run. */
  #sinceMs: number | undefined;
  #input: "open" | "ended" = "open";
  #asking = 0;
  #active = 0;
  #sending = 0;
  #taken = 0;
  #given = 0;
  #failed = 0;
  #skipped = 0;

  constructor(runtime: Runtime, name: string, workers: number, previous: WatchedStage | undefined) {
    this.#runtime = runtime;
    this.#name = name;
    this.#workers = workers;
    this.#previous = previous;
  }

  get stats(): StageStats {
    this.#pass();
    const { working, input, output } = this.#spentMs;
    const allMs = working + input + output;
    const share = (ms: number): number => (allMs === 0 ? 0 : ms / allMs);
    const before = this.#previous;
    return {
      name: this.#name,
      taken: this.#taken,
      given: this.#given,
      failed: this.#failed,
      skipped: this.#skipped,
      active: this.#active,
      waiting: before === undefined ? 0 : Math.max(0, before.#given + before.#sending - this.#taken),
      working: share(working),
      blockedOnInput: share(input),
      blockedOnOutput: share(output),
    };
  }

  async run(stage: () => Promise<void>): Promise<void> {
    this.#sinceMs = this.#runtime.clock.now();
    try {
      await stage();
    } finally {
      this.#pass();
      this.#sinceMs = undefined;
    }
  }

  async take<T>(next: () => Promise<Received<T>>): Promise<Received<T>> {
    this.#pass();
    this.#asking++;
    try {
      const received = await next();
      if (received.done === true) this.#input = "ended";
      else this.#taken++;
      return received;
    } finally {
      this.#pass();
      this.#asking--;
    }
  }

  async work<T>(call: () => T | PromiseLike<T>): Promise<T> {
    this.#pass();
    this.#active++;
    try {
      return await call();
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#pass();
      this.#active--;
    }
  }

  async give(send: () => Promise<void>): Promise<void> {
    this.#pass();
    this.#sending++;
    try {
      await send();
      this.#given++;
    } finally {
      this.#pass();
      this.#sending--;
    }
  }

  skip(): void {
    this.#skipped++;
  }

  /** Something is about to change: the time since the last change went where it stood until now. */
  #pass(): void {
    if (this.#sinceMs === undefined) return;
    const nowMs = this.#runtime.clock.now();
    const passedMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    const workingMs = passedMs * Math.min(1, this.#active / this.#workers);
    this.#spentMs.working += workingMs;
    this.#spentMs[this.#useOfIdle()] += passedMs - workingMs;
  }

  /** What those do that have nothing to work on. Where nothing says so, they work: it may be a stage of one's own. */
  #useOfIdle(): Use {
    if (this.#sending > 0) return "output";
    const nothingLeft = this.#input === "ended" && this.#active > 0;
    return this.#asking > 0 || nothingLeft ? "input" : "working";
  }
}

/**
 * Watches a pipeline: hand it over as its `observer`.
 *
 * **Guarantees** It changes neither the order of values nor how many are under way. The numbers can be read at any time, and
 * stay when the pipeline has ended.
 * **Units and ranges** Shares are of the time from the start of a stage to its end, or to now; with several workers, of
 * that of all of them. Work on one value in a stage of `through` counts as work of the whole stage.
 * **Cost** A few looks at the clock for each value and stage. A pipeline without an observer pays nothing.
 * **Not for** several pipelines at once: make one for each.
 * **Source** The blocked times of stages in SEDA (M. Welsh and others, 2001); the theory of constraints.
 *
 * @example
 * const stats = new PipelineStats();
 * const pages = pipeline([1, 2, 3], { observer: stats })
 *   .map((n) => sleep(5).then(() => n), { name: "fetch" })
 *   .map((n) => n * 2, { name: "parse" });
 * await pages.toArray();
 * [stats.bottleneck, stats.stages.map(({ given }) => given)]; //=> ["fetch", [3, 3, 3]]
 */
export class PipelineStats implements PipelineObserver {
  readonly #runtime: Runtime = currentRuntime();
  readonly #stages: WatchedStage[] = [];

  /** What each stage has done so far, in the order in which values go through them; the source comes first. */
  get stages(): readonly StageStats[] {
    return this.#stages.map(({ stats }) => stats);
  }

  /**
   * The name of the stage that works for the largest share of its time: more workers or faster work help there, and
   * nowhere else. `reader` if the last stage waits for longer until its results are taken than any stage works: then the
   * loop is what holds all up. Undefined as long as no time has passed.
   */
  get bottleneck(): string | undefined {
    const { stages } = this;
    const reader = { name: "reader", working: stages.at(-1)?.blockedOnOutput ?? 0 };
    const [busiest] = [...stages, reader].toSorted((one, other) => other.working - one.working);
    return busiest === undefined || busiest.working === 0 ? undefined : busiest.name;
  }

  /** For pipelines: there is one more stage. */
  stage(name: string, workers: number): StageObserver {
    const stage = new WatchedStage(this.#runtime, name, workers, this.#stages.at(-1));
    this.#stages.push(stage);
    return stage;
  }
}
