/**
 * A pool of threads in a random schedule, from its seed: threads that load slowly, or not at all, that die, and that hear
 * of everything late; callers who give up; and a pool that grows, shrinks, pauses and ends meanwhile.
 */
import { pick, type Random, seededRandom } from "../../src/core/random.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import type { ThreadJobContext } from "../../src/threads/options.ts";
import { sleep } from "concurrency-model-patterns/timers";
import { plainly } from "../support/idle-clock.ts";
import { type Die, LaggingHost } from "./lagging-host.ts";

/** Nothing takes so long in virtual time. */
const FAR_MS = 1e6;

/** `late` ends its thread when that is at another job, or at none. */
type Fate = "return" | "wait" | "throw" | "obey" | "never" | "exit" | "late";
const FATES: readonly Fate[] = ["return", "wait", "wait", "throw", "obey", "never", "exit", "late"];

interface Job {
  readonly n: number;
  readonly fate: Fate;
}

type Functions = {
  work: (job: Job, context: ThreadJobContext) => Promise<number>;
  count: (to: number) => Generator<number, void, unknown>;
};

/** One run: what was begun how often, and how every call ended. */
class Run {
  readonly random: Random;
  readonly host: LaggingHost;
  readonly begun: number[] = [];
  readonly outcomes: (string | undefined)[] = [];
  readonly pending: Promise<void>[] = [];
  readonly pool: ThreadPool<Functions>;
  readonly wrong: string[];

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.random = random;
    this.host = new LaggingHost({
      random,
      cores: 2,
      sharesMemory: this.#below(4) > 0,
      unloadable: this.#one([0, 0, 0, 2, 5]),
      functions: (die) => ({
        work: (job: Job, context: ThreadJobContext) => this.#work(job, context, die),
        *count(to: number) {
          for (let n = 1; n <= to; n++) yield n;
        },
      }),
    });
    this.wrong = this.host.wrong;
    this.pool = new ThreadPool<Functions>(this.host, "module", {
      workers: 1 + this.#below(3),
      capacity: this.#below(5),
      graceMs: this.#below(4),
      idleMs: this.#one([Number.POSITIVE_INFINITY, 2, 8]),
      restart: (attempt) => (attempt > 3 ? Number.POSITIVE_INFINITY : attempt),
      onError: () => {},
    });
  }

  #below(count: number): number {
    return pick(this.random, count);
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#below(of.length)] as T;
  }

  async #work({ n, fate }: Job, context: ThreadJobContext, die: Die): Promise<number> {
    this.begun[n] = (this.begun[n] ?? 0) + 1;
    if (fate === "wait") await sleep(this.#below(5));
    if (fate === "throw") throw new RangeError("as it is to");
    if (fate === "obey") await sleep(FAR_MS, context.ctx);
    if (fate === "exit") die(7);
    if (fate === "late") currentRuntime().clock.after(this.#below(6), () => die(1, new RangeError("late")));
    if (fate === "exit" || fate === "never") await new Promise(() => {});
    return -n;
  }

  #note(n: number, call: Promise<unknown>): void {
    const end = (outcome: string): void => {
      this.outcomes[n] = outcome;
    };
    this.pending.push(
      call.then(
        (value) => end(value === -n ? "done" : `gave ${String(value)}`),
        (error: unknown) => end(String((error as { code?: unknown }).code ?? error)),
      ),
    );
  }

  /** What would never end by itself is given up. */
  #call(): void {
    const n = this.outcomes.length;
    this.outcomes.push(undefined);
    const fate = this.#one(FATES);
    const given = new AbortController();
    const ends = fate !== "obey" && fate !== "never";
    if (!ends || this.#below(3) === 0)
      currentRuntime().clock.after(this.#below(12), () => given.abort("given up"));
    const options = {
      signal: given.signal,
      timeoutMs: this.#one([undefined, undefined, 1 + this.#below(6)]),
      queueTimeoutMs: this.#one([undefined, undefined, 1 + this.#below(6)]),
    };
    const call = this.pool[this.#one(["run", "run", "tryRun"] as const)]("work", { n, fate }, options);
    if (call === undefined) this.outcomes[n] = "no room";
    else this.#note(n, call);
  }

  async #stream(): Promise<void> {
    const [whole, last] = [5, 1 + this.#below(6)];
    try {
      let n = 0;
      for await (const value of this.pool.stream("count", whole)) {
        if (value !== ++n) this.wrong.push(`${value} came in place of ${n}`);
        if (value === last) break;
      }
      if (n !== Math.min(last, whole)) this.wrong.push(`a stream ended after ${n}`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }

  #step(): void {
    const what = this.#below(20);
    if (what < 13) this.#call();
    else if (what < 16) this.pool.resize(1 + this.#below(3));
    else if (what < 17) this.pending.push(this.#stream());
    else if (what < 18) this.pool.pause();
    else this.pool.resume();
  }

  async all(): Promise<void> {
    const steps = this.#below(25);
    for (let step = 0; step < steps; step++) {
      this.#step();
      if (this.#below(3) > 0) await sleep(this.#below(4));
    }
    this.pool.resume();
    if (this.#below(2) === 0) this.pool.cancel(new Error("enough"));
    else this.pool.close();
    await this.pool.drain().catch(() => {});
    await Promise.all(this.pending);
  }
}

/** What is to be seen of a run. */
export interface Looked {
  /** What went wrong: nothing, it is to be hoped. */
  readonly wrong: readonly string[];
  /** How each call has ended. */
  readonly ends: readonly string[];
}

/** Runs it to its end, in time that jumps. */
export async function runOf(seed: number): Promise<Looked> {
  return plainly(async () => {
    const run = new Run(seed);
    const { wrong, outcomes, begun, pool, host } = run;
    const late = new AbortController();
    const inTime = sleep(FAR_MS, { signal: late.signal }).then(
      () => wrong.push("it does not come to an end"),
      () => 0,
    );
    await Promise.race([run.all(), inTime]);
    late.abort();
    await inTime;
    outcomes.forEach((outcome, n) => {
      const times = begun[n] ?? 0;
      if (times > 1) wrong.push(`job ${n} was begun ${times} times`);
      if (outcome === "done" && times !== 1) wrong.push(`job ${n} is done, and was never begun`);
      if (outcome === undefined || outcome.startsWith("gave")) wrong.push(`call ${n}: ${outcome}`);
    });
    if (pool.size > 0 || host.alive > 0) wrong.push(`${pool.size} and ${host.alive} threads are left`);
    return { wrong, ends: outcomes.map((outcome) => outcome ?? "") };
  });
}
