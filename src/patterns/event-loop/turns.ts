/**
 * Whose turn it is, among those that are ready.
 */
import { requireInteger } from "../../core/arguments.ts";
import { pick } from "../../core/random.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { SourceOptions } from "./options.ts";

/** How often it is somebody's turn. */
export interface Rank {
  /** Those of a higher priority come first. */
  readonly priority: number;
  /** Among those of the same priority, the share of the turns is in proportion to this. */
  readonly weight: number;
  /** How often it was ready and it was not its turn, since the last time it was. Written here alone. */
  passedOver: number;
}

/** A rank, checked. */
export function rankOf({ priority = 0, weight = 1 }: SourceOptions = {}): Rank {
  return {
    priority: requireInteger("priority", priority, Number.MIN_SAFE_INTEGER),
    weight: requireInteger("weight", weight, 1, 1_000_000),
    passedOver: 0,
  };
}

/** So many events of a higher priority go before one that waits, and no more. */
const PATIENCE = 64;

/**
 * Invariant
 *   I1  Whoever is ready and stays so is passed over for the sake of a higher priority at most `PATIENCE` times in a row,
 *       and then only by others to whom the same has happened.
 */
export class Turns {
  readonly #runtime: Runtime = currentRuntime();

  /** The index of the next one; there is at least one. */
  next(ready: readonly Rank[]): number {
    const index = ready.length === 1 ? 0 : this.#choose(ready);
    for (const [other, rank] of ready.entries()) rank.passedOver = other === index ? 0 : rank.passedOver + 1;
    return index;
  }

  #choose(ready: readonly Rank[]): number {
    const top = Math.max(...ready.map(({ priority }) => priority));
    const lower = ready.filter(({ priority, passedOver }) => priority < top && passedOver >= PATIENCE);
    if (lower.length > 0) {
      const longest = Math.max(...lower.map(({ passedOver }) => passedOver));
      return ready.findIndex((rank) => lower.includes(rank) && rank.passedOver === longest);
    }
    const weights = ready.map(({ priority, weight }) => (priority === top ? weight : 0));
    let left = this.#draw(weights.reduce((sum, weight) => sum + weight, 0));
    return weights.findIndex((weight) => (left -= weight) < 0);
  }

  #draw(count: number): number {
    const { scheduler, random } = this.#runtime;
    return scheduler?.choose(count) ?? pick(random, count);
  }
}
