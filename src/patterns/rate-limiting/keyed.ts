/**
 * A limiter for each key: each client, each tenant, each address.
 *
 * Invariants
 *   I1  Every key that is kept is once in `#looks`, and its limiter is in use at least until it comes up there.
 */
import { requireFunction, requireInteger } from "../../core/arguments.ts";
import { FullError } from "../../core/errors.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { type HeapTimer, TimerHeap } from "../../core/timer-heap.ts";
import type { Limiter } from "./limiter.ts";

/** How many keys are kept. */
export interface KeyedLimitersOptions {
  /** How many keys have a limiter at most: a whole number of at least 1. */
  readonly capacity: number;
}

/** So long a limiter is kept after it was asked for, whatever its state: whoever asked is about to use it. */
const KEPT_MS = 100;

/** So many are looked at whenever a key is asked for: more than one, so that idle ones get fewer, however many come. */
const LOOKS = 2;

/** A key and its limiter; due when it is to be looked at whether it is still in use. */
interface Kept<K, L> extends HeapTimer {
  readonly key: K;
  readonly limiter: L;
  dueMs: number;
  askedMs: number;
}

/**
 * Makes a limiter for a key when it is first asked for, and forgets it when it is idle: as new, nobody waits for it, and
 * nobody has asked for it in the last 100 ms.
 *
 * **Guarantees** Never more than `capacity` keys, and no timer. What a key has used up is never forgotten: an idle
 * limiter is like the next one that is made, and no other makes room. So nobody gets more by coming with many keys.
 * **Errors** `FullError` if a new key comes while none of the others is idle. Choose a capacity above the number of keys
 * in use at a time; those beyond it can share one limiter, or be refused.
 * **Cost** O(log n) on average.
 *
 * @example
 * const clients = new KeyedLimiters(() => new GcraLimiter({ perSecond: 1, burst: 1 }), { capacity: 10_000 });
 * const verdicts = ["ann", "bob", "ann"].map((client) => clients.get(client).allow());
 * [...verdicts, clients.size]; //=> [true, true, false, 2]
 */
export class KeyedLimiters<K, L extends Limiter> {
  readonly #runtime: Runtime = currentRuntime();
  readonly #make: (key: K) => L;
  readonly #capacity: number;
  readonly #kept = new Map<K, Kept<K, L>>();
  readonly #looks = new TimerHeap<Kept<K, L>>();
  #made = 0;

  /** `make` gives a limiter that has not been used. */
  constructor(make: (key: K) => L, { capacity }: KeyedLimitersOptions) {
    requireFunction("make", make);
    this.#make = make;
    this.#capacity = requireInteger("capacity", capacity, 1);
  }

  /** How many keys have a limiter. */
  get size(): number {
    return this.#kept.size;
  }

  /** How many can. */
  get capacity(): number {
    return this.#capacity;
  }

  /** The limiter of a key, to be used at once: later the key may have another, if this one was idle. */
  get(key: K): L {
    const nowMs = this.#runtime.clock.now();
    this.#look(nowMs, LOOKS);
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.askedMs = nowMs;
      return known.limiter;
    }
    if (this.#kept.size === this.#capacity) this.#makeRoom(nowMs);
    const limiter = this.#make(key);
    const made: Kept<K, L> = {
      key,
      limiter,
      id: this.#made++,
      dueMs: nowMs + KEPT_MS,
      askedMs: nowMs,
      state: "set",
    };
    this.#kept.set(key, made);
    this.#looks.push(made);
    return limiter;
  }

  #makeRoom(nowMs: number): void {
    while (this.#kept.size === this.#capacity) {
      if (!this.#look(nowMs, 1)) throw new FullError(`each of ${this.#capacity} keys is in use`);
    }
  }

  /** Looks at so many of those that are due, and forgets the idle ones. False if there were not so many. */
  #look(nowMs: number, times: number): boolean {
    for (let left = times; left > 0; left--) {
      const { first } = this.#looks;
      if (first === undefined || first.dueMs > nowMs) return false;
      this.#looks.shift();
      first.dueMs = inUseUntil(first, nowMs);
      if (first.dueMs <= nowMs) {
        this.#kept.delete(first.key);
        continue;
      }
      first.state = "set";
      this.#looks.push(first);
    }
    return true;
  }
}

/** When it can be idle at the earliest: if that has come, it is. */
function inUseUntil({ limiter, askedMs }: Kept<unknown, Limiter>, nowMs: number): number {
  const usedMs = limiter.waiting > 0 ? nowMs : askedMs;
  return Math.max(usedMs + KEPT_MS, nowMs + limiter.check(0).resetAfterMs);
}
