/**
 * Threads that are in this one, and whose every step takes a while: to load, to hear, to be heard, to end. They run what
 * real ones run, and note where their pool does not keep the process alive for them, or does so for nothing.
 */
import { pick, type Random } from "../../src/core/random.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import { recordOf } from "../../src/threads/error-record.ts";
import type { HostThread, ThreadHost, ThreadListener, ThreadStart } from "../../src/threads/host.ts";
import { callState, cellOf, change, type News, type Order, placeOf } from "../../src/threads/protocol.ts";
import { Runner } from "../../src/threads/runner.ts";

export interface LagOptions {
  readonly random: Random;
  readonly cores: number;
  readonly sharesMemory: boolean;
  /** A thread in so many cannot load its module; 0 is none. */
  readonly unloadable: number;
  /** The functions of the module; `die` ends the thread that calls one, by an error that nobody catches if there is one. */
  readonly functions: (die: Die) => Readonly<Record<string, unknown>>;
}

export type Die = (exitCode: number, error?: unknown) => void;

/** A host, and what is to be seen of it. */
export class LaggingHost implements ThreadHost {
  readonly options: LagOptions;
  /** What went wrong: in the end there must be nothing. */
  readonly wrong: string[] = [];
  readonly #threads = new Set<LaggingThread>();

  constructor(options: LagOptions) {
    this.options = options;
  }

  get cores(): number {
    return this.options.cores;
  }

  get sharesMemory(): boolean {
    return this.options.sharesMemory;
  }

  /** How many threads have not gone. */
  get alive(): number {
    return this.#threads.size;
  }

  /** Looks at every thread, at an instant at which its pool has done what it had to do. */
  look(): void {
    for (const thread of this.#threads) thread.look();
  }

  start(start: ThreadStart, listener: ThreadListener): HostThread {
    const thread: LaggingThread = new LaggingThread(this, start, {
      ...listener,
      gone: (exitCode) => {
        this.#threads.delete(thread);
        listener.gone(exitCode);
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

/** Delivers in order, each a while after the one before. */
class Line {
  readonly #random: Random;
  #lastMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  deliver(deliver: () => void): void {
    const { clock } = currentRuntime();
    this.#lastMs = Math.max(this.#lastMs, clock.now() + pick(this.#random, 3));
    clock.after(this.#lastMs - clock.now(), deliver);
  }
}

class LaggingThread implements HostThread {
  readonly #host: LaggingHost;
  readonly #start: ThreadStart;
  readonly #listener: ThreadListener;
  readonly #inward: Line;
  readonly #outward: Line;
  /** The calls that it was sent and whose outcome was not heard. */
  readonly #calls = new Set<number>();
  /** Those of them that it had begun when it died. */
  readonly #lost = new Set<number>();
  /** What of it is known outside: it may be further. */
  #known: "loading" | "ready" | "ending" = "loading";
  #inside: "alive" | "dead" = "alive";
  #runner: Runner | undefined;
  #held = true;

  constructor(host: LaggingHost, start: ThreadStart, listener: ThreadListener) {
    const { random } = host.options;
    this.#host = host;
    this.#start = start;
    this.#listener = listener;
    this.#inward = new Line(random);
    this.#outward = new Line(random);
    this.#inward.deliver(() => this.#load());
  }

  post(orders: readonly Order[]): void {
    const copy = structuredClone(orders);
    if (this.#known !== "ready") this.#host.wrong.push(`orders to a thread that is ${this.#known}`);
    for (const [kind, id] of orders) if (kind === "call") this.#calls.add(id);
    this.#inward.deliver(() => {
      if (this.#inside === "alive") this.#runner?.take(copy);
    });
  }

  hold(held: boolean): void {
    this.#held = held;
  }

  terminate(): void {
    this.#known = "ending";
    this.#inward.deliver(() => this.#die(1));
  }

  #load(): void {
    const { random, unloadable, functions } = this.#host.options;
    if (this.#inside === "dead") return;
    if (unloadable > 0 && pick(random, unloadable) === 0) {
      this.#tell(["unloadable", recordOf(new RangeError("cannot be loaded"))]);
      this.#die(1);
      return;
    }
    const host = { post: (news: News) => this.#tell(news), now: () => currentRuntime().clock.now() };
    const module = functions((exitCode, error) => this.#die(exitCode, error));
    this.#runner = new Runner(module, this.#start.cells, this.#start.worker, host);
    this.#tell(["loaded"]);
  }

  /** It comes no further. What it has told before is heard. */
  #die(exitCode: number, error?: unknown): void {
    if (this.#inside === "dead") return;
    this.#inside = "dead";
    this.#forsake();
    this.#outward.deliver(() => {
      this.#host.look();
      if (error !== undefined) this.#listener.crashed(error);
      this.#listener.gone(exitCode);
    });
  }

  /** Code that runs here cannot be ended from here: it is told to leave, and comes to no other call. */
  #forsake(): void {
    const { cells } = this.#start;
    for (const id of this.#calls) {
      if (cells === undefined || change(cells, id, callState.begun, callState.revoked)) this.#lost.add(id);
      // Also one because of which it was ended; none that it is not at hears of it.
      this.#runner?.take([["cancel", id, recordOf(new Error("its thread has died"))]]);
    }
  }

  #tell(news: News): void {
    if (this.#inside === "dead") return;
    const copy = structuredClone(news);
    this.#outward.deliver(() => {
      this.#host.look();
      if (copy[0] === "loaded" && this.#known === "loading") this.#known = "ready";
      if (copy[0] === "done" || copy[0] === "failed") this.#calls.delete(copy[1]);
      this.#listener.news(copy);
    });
  }

  /** Whether it keeps the process alive when somebody waits for it, and only then. */
  look(): void {
    const busy = [...this.#calls].some((id) => this.#lost.has(id) || !this.#isRevoked(id));
    const wanted = this.#known !== "ready" || busy;
    if (wanted === this.#held) return;
    this.#host.wrong.push(`${this.#known} and ${busy ? "busy" : "idle"}: held is ${this.#held}`);
  }

  #isRevoked(id: number): boolean {
    const { cells } = this.#start;
    if (cells === undefined) return false;
    const cell = Atomics.load(cells, placeOf(id));
    return cell >> 2 !== id || cell === cellOf(id, callState.revoked);
  }
}
