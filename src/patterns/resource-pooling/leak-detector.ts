/**
 * Reports leases that are held for too long, with the place where they were acquired.
 */
import { requireDuration, requireFunction } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import type { Timer } from "../../core/clock.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { QueueNode, WaiterQueue } from "../../core/waiter-queue.ts";
import type { LeaseWatch, WatchedLease } from "./options.ts";

/** A lease that is held for too long. */
export interface LeaseLeak {
  /** The name of its pool. */
  readonly pool: string;
  /** How long it has been held, in milliseconds. */
  readonly heldMs: number;
  /** The stack of the call that acquired it. */
  readonly acquiredAt: string;
}

/** When a lease is a leak, and who is told. */
export interface LeakDetectorOptions {
  /** How long a lease may be held, in milliseconds. */
  readonly leakAfterMs: number;
  /** Told of each such lease once. What it throws becomes an uncaught exception of the host. */
  readonly onLeak: (leak: LeaseLeak) => void;
}

class HeldLease extends QueueNode implements WatchedLease {
  readonly pool: string;
  /** Made at the call; the text of its stack is made when it is read. */
  readonly origin: Error;
  sinceMs = 0;
  readonly #change: (lease: HeldLease, held: boolean) => void;

  constructor(pool: string, change: (lease: HeldLease, held: boolean) => void) {
    super();
    this.pool = pool;
    this.origin = new Error(`a lease of "${pool}" was acquired`);
    this.#change = change;
  }

  begin(): void {
    this.#change(this, true);
  }

  end(): void {
    this.#change(this, false);
  }
}

/**
 * Watches the leases of one pool or of several.
 *
 * **Guarantees** Each lease that is held for longer than `leakAfterMs` is reported once, while it is still held. It takes
 * nothing away. `onLeak` runs in the async context in which the detector was made.
 * **Units and ranges** `leakAfterMs`: milliseconds from the moment of the grant, not of the call.
 * **Cost** A stack trace for each `acquire`: a few microseconds, and a few kilobytes for each lease that is held. One timer
 * while something is held that has not been reported; it keeps no process alive.
 * **Not for** bounding how long work takes: give the work a context.
 * **Source** `leakDetectionThreshold` of HikariCP.
 *
 * @example
 * const leaks: string[] = [];
 * const detector = new LeakDetector({ leakAfterMs: 2, onLeak: ({ pool }) => void leaks.push(pool) });
 * const pool = new ResourcePool({ create: () => "connection", max: 1, name: "database", leaks: detector });
 * const lease = await pool.acquire();
 * await sleep(10);
 * lease.release();
 * await pool.drain();
 * leaks; //=> ["database"]
 */
export class LeakDetector implements LeaseWatch {
  readonly #runtime: Runtime = currentRuntime();
  readonly #leakAfterMs: number;
  readonly #onLeak: (leak: LeaseLeak) => void;
  readonly #context = new AsyncContext();
  /** Those that have not been reported, in the order in which they will be. */
  readonly #held = new WaiterQueue<HeldLease>();
  #timer: Timer | undefined;

  constructor(options: LeakDetectorOptions) {
    this.#leakAfterMs = requireDuration("leakAfterMs", options.leakAfterMs);
    requireFunction("onLeak", options.onLeak);
    this.#onLeak = options.onLeak;
  }

  /** How many leases are held and have not been reported. */
  get size(): number {
    return this.#held.size;
  }

  /** For pools: an `acquire` was called. */
  note(pool: string): WatchedLease {
    return new HeldLease(pool, (lease, held) => {
      if (held) {
        lease.sinceMs = this.#runtime.clock.now();
        this.#held.push(lease);
      } else {
        this.#held.remove(lease);
      }
      this.#arm();
    });
  }

  /** Sets the timer if anything is held. If it finds that the oldest is not late yet, it is set anew. */
  #arm(): void {
    const oldest = this.#held.first;
    if (oldest === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      const leftMs = oldest.sinceMs + this.#leakAfterMs - this.#runtime.clock.now();
      this.#timer = this.#runtime.clock.after(leftMs, () => this.#reportLate());
      this.#timer.unref?.();
    }
  }

  #reportLate(): void {
    this.#timer = undefined;
    const nowMs = this.#runtime.clock.now();
    for (let lease = this.#held.first; lease !== undefined; lease = this.#held.first) {
      const heldMs = nowMs - lease.sinceMs;
      if (lease.sinceMs + this.#leakAfterMs > nowMs) break;
      this.#held.remove(lease);
      this.#report({ pool: lease.pool, heldMs, acquiredAt: lease.origin.stack ?? "" });
    }
    this.#arm();
  }

  #report(leak: LeaseLeak): void {
    this.#context.run(() => this.#onLeak(leak)).catch(reportUncaught);
  }
}
