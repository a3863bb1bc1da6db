/**
 * Reports what holds a loop up: handlers that take long, and events that wait for long.
 */
import { requireDuration, requireFunction } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { LoopObserver } from "./options.ts";

/** An event that took long, or waited for long. */
export interface SlowLoopEvent {
  /** Its kind. */
  readonly kind: string;
  /** `handling`: its handlers take longer than `slowMs`. `waiting`: it waited longer than `lagMs` for its turn. */
  readonly because: "handling" | "waiting";
  /** How long it has taken, or had waited, when it was reported, in milliseconds. */
  readonly ms: number;
}

/** What is slow, and who is told. */
export interface LoopWatchOptions {
  /** How long the handlers of an event may take, in milliseconds; default Infinity. */
  readonly slowMs?: number | undefined;
  /** How long an event may wait from when it was accepted, in milliseconds; default Infinity. */
  readonly lagMs?: number | undefined;
  /** Told of each such event. What it throws becomes an uncaught exception of the host. */
  readonly onSlow: (event: SlowLoopEvent) => void;
}

/**
 * Watches a loop: hand it over as the `observer` of one, or of several.
 *
 * **Guarantees** An event whose handlers take long is reported once, while they still run if they wait, else when they are
 * done. `onSlow` runs in the async context in which the watch was made.
 * **Units and ranges** How long an event has waited is known of what is posted, and of what an iterable gives. A channel
 * does not say since when it holds a value.
 * **Cost** A look at the clock when an event is accepted, begun and done; with `slowMs` a timer for each event, which
 * keeps no process alive.
 * **Not for** stopping a handler: one that computes cannot be stopped, and one that waits has a context.
 *
 * @example
 * const seen: string[] = [];
 * const watch = new LoopWatch({ slowMs: 2, onSlow: ({ kind, because }) => void seen.push(`${kind}: ${because}`) });
 * const loop = new EventLoop<{ save: number }>({ observer: watch });
 * loop.on("save", (ms) => sleep(ms));
 * await loop.post("save", 10);
 * await loop.drain();
 * seen; //=> ["save: handling"]
 */
export class LoopWatch implements LoopObserver {
  readonly #runtime: Runtime = currentRuntime();
  readonly #slowMs: number;
  readonly #lagMs: number;
  readonly #onSlow: (event: SlowLoopEvent) => void;
  readonly #context = new AsyncContext();
  #busyMs = 0;
  #longestMs = 0;
  #longestWaitMs = 0;

  constructor(options: LoopWatchOptions) {
    this.#slowMs = requireDuration("slowMs", options.slowMs ?? Number.POSITIVE_INFINITY);
    this.#lagMs = requireDuration("lagMs", options.lagMs ?? Number.POSITIVE_INFINITY);
    requireFunction("onSlow", options.onSlow);
    this.#onSlow = options.onSlow;
  }

  /** How long handlers have taken so far, in milliseconds. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** How long the slowest event has taken, in milliseconds. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** How long the event has waited that has waited for longest, in milliseconds. */
  get longestWaitMs(): number {
    return this.#longestWaitMs;
  }

  /** For loops: an event begins. */
  begin(kind: string, waitedMs: number | undefined): () => void {
    const { clock } = this.#runtime;
    if (waitedMs !== undefined) this.#waited(kind, waitedMs);
    const startMs = clock.now();
    let reported = false;
    const report = (): void => {
      if (!reported) this.#report({ kind, because: "handling", ms: clock.now() - startMs });
      reported = true;
    };
    const timer = clock.after(this.#slowMs, report);
    timer.unref?.();
    return () => {
      timer.cancel();
      const tookMs = clock.now() - startMs;
      this.#busyMs += tookMs;
      this.#longestMs = Math.max(this.#longestMs, tookMs);
      if (tookMs > this.#slowMs) report();
    };
  }

  #waited(kind: string, ms: number): void {
    this.#longestWaitMs = Math.max(this.#longestWaitMs, ms);
    if (ms > this.#lagMs) this.#report({ kind, because: "waiting", ms });
  }

  #report(event: SlowLoopEvent): void {
    this.#context.run(() => this.#onSlow(event)).catch(reportUncaught);
  }
}
