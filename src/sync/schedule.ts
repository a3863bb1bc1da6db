/**
 * How long to pause before something is tried again, as plain functions.
 */
import { requireDuration, requireNumber, requirePositive } from "../core/arguments.ts";
import { currentRuntime } from "../core/runtime.ts";

/**
 * Gives a pause in milliseconds; `Infinity` stands for "not again". It is told how many attempts in a row have failed,
 * from 1, how long the pause before the last of them was, 0 at first, and what that one failed with. `retry`, supervisors
 * and resource pools take one.
 *
 * Any function will do: one that heeds a server's `Retry-After` looks at the error.
 */
export type Schedule = (attempt: number, previousMs: number, error: unknown) => number;

/** How pauses grow. */
export interface ExponentialOptions {
  /** The first pause, in milliseconds: above 0; default 100. */
  readonly firstMs?: number | undefined;
  /** No pause is longer, in milliseconds; default 30000. */
  readonly maxMs?: number | undefined;
  /** How many times longer each pause is than the one before: at least 1; default 2. */
  readonly factor?: number | undefined;
  /** What part of a pause is left to chance, from 0 to 1; default 0.5: half of it is certain. */
  readonly jitter?: number | undefined;
}

/** Between what pauses are drawn. */
export interface DecorrelatedOptions {
  /** No pause is shorter, in milliseconds: above 0; default 100. */
  readonly firstMs?: number | undefined;
  /** No pause is longer, in milliseconds; default 30000. */
  readonly maxMs?: number | undefined;
}

/**
 * The same pause each time.
 *
 * **Not for** many callers of one server: they come back together.
 *
 * @example
 * const schedule = constantDelay(200);
 * [schedule(1), schedule(2)]; //=> [200, 200]
 */
export function constantDelay(delayMs: number): (attempt: number) => number {
  const delay = requireDuration("delayMs", delayMs);
  return () => delay;
}

/**
 * Pauses that grow by a factor, up to a cap.
 *
 * **Guarantees** After `n` failures at most `firstMs * factor ** (n - 1)`, and never more than `maxMs`. With `jitter`,
 * callers that failed together do not come back together. Chance is that of the runtime: a simulation repeats it.
 *
 * @example
 * const schedule = exponentialDelay({ firstMs: 100, maxMs: 1000, jitter: 0 });
 * [1, 2, 3, 4, 5].map(schedule); //=> [100, 200, 400, 800, 1000]
 */
export function exponentialDelay(options: ExponentialOptions = {}): (attempt: number) => number {
  const firstMs = requirePositive("firstMs", options.firstMs ?? 100);
  const maxMs = requireDuration("maxMs", options.maxMs ?? 30_000);
  const factor = requireNumber("factor", options.factor ?? 2, 1);
  const jitter = requireNumber("jitter", options.jitter ?? 0.5, 0);
  if (jitter > 1) throw new RangeError(`jitter must be a number from 0 to 1, got ${jitter}`);
  return (attempt) => {
    const delayMs = Math.min(maxMs, firstMs * factor ** (attempt - 1));
    return jitter === 0 ? delayMs : delayMs * (1 - jitter * currentRuntime().random.next());
  };
}

/**
 * Each pause is drawn between the first one and three times the one before: callers that failed together drift apart
 * further with every attempt.
 *
 * **Guarantees** Never less than `firstMs`, and never more than `maxMs`, whichever is less. Chance is that of the runtime.
 * **Source** Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015).
 *
 * @example
 * const schedule = decorrelatedDelay({ firstMs: 100, maxMs: 1000 });
 * const second = schedule(2, 150);
 * second >= 100 && second <= 450; //=> true
 */
export function decorrelatedDelay(
  options: DecorrelatedOptions = {},
): (attempt: number, previousMs: number) => number {
  const firstMs = requirePositive("firstMs", options.firstMs ?? 100);
  const maxMs = requireDuration("maxMs", options.maxMs ?? 30_000);
  return (_attempt, previousMs) => {
    const widestMs = Math.max(firstMs, previousMs) * 3;
    return Math.min(maxMs, firstMs + (widestMs - firstMs) * currentRuntime().random.next());
  };
}
