/**
 * Instants that were reckoned with sums that round, all in milliseconds.
 */

/** Below this, a difference between instants comes from rounding, and is none. Go's clock has the same step. */
export const SHORTEST_DELAY_MS = 1e-6;

/** Whether `dueMs` has come. Whoever waits for an instant wakes up at it, and must not find it missed by a rounding. */
export function reached(dueMs: number, nowMs: number): boolean {
  return dueMs - nowMs < SHORTEST_DELAY_MS;
}

/** `dueMs`, or the present if that has been reached. */
export function fromNow(nowMs: number, dueMs: number): number {
  return reached(dueMs, nowMs) ? nowMs : dueMs;
}
