/**
 * What a stock has to share with others, and what it asks before it takes or keeps.
 */
import type { AsyncContext } from "../../core/async-context.ts";

/** What a stock has of what is shared, and what it needs. */
export interface Tally {
  /** How many places it takes. */
  readonly size: number;
  /** How many of them will soon be free. */
  readonly ending: number;
  /** For how many of those who wait nothing is coming; below zero if more is coming than wait. */
  readonly unserved: number;
  /** Since when the one has been idle that has been so for longest. */
  readonly idleSinceMs: number | undefined;
  /** How many more places it would fill at once. */
  readonly missing: number;
}

export interface Share {
  /** Where the callbacks run: a stock may be made by whoever happens to need it first. */
  readonly context: AsyncContext;
  /** For how many of those who wait at any of the stocks nothing is coming. */
  readonly unserved: number;
  /** Whether there is a place for one more: free, or taken by what is idle or on its way out. */
  readonly spare: boolean;
  /** Whether what comes back must make room for another stock that has nothing. */
  readonly claimed: boolean;
  /** The stock has changed. Whoever is to have a place now is told to make something. */
  tend(): void;
}
