/**
 * What a pool counts.
 */

/** A pool in numbers, at one instant. */
export interface PoolStats {
  /** How many workers there are. */
  readonly size: number;
  /** How many jobs are being worked on. */
  readonly active: number;
  /** How many jobs wait, for room or for a worker. */
  readonly waiting: number;
  /** How many of them wait for room. */
  readonly waitingForRoom: number;
  /** For how long the oldest job that waits has waited, in milliseconds; 0 if none does. */
  readonly oldestMs: number;
  /** How many jobs have been worked on to the end. */
  readonly processed: number;
  /** How many jobs failed: their handler threw. */
  readonly failed: number;
  /** How many were given up before they had an outcome: cancelled, timed out, cleared, refused by a close. */
  readonly givenUp: number;
}

/** Counts jobs that have settled; those that are neither processed nor failed were given up. */
export interface JobTally {
  settled: number;
  processed: number;
  failed: number;
}
