/**
 * When a resource has served its time.
 */
import type { Runtime } from "../../core/runtime.ts";
import type { Entry } from "./entry.ts";
import type { PoolLimits } from "./options.ts";

export class Wear {
  readonly #runtime: Runtime;
  readonly #limits: PoolLimits;
  /** Whether none ever is over: most pools have no such limits, and to compare with Infinity takes longer than this. */
  readonly #endless: boolean;

  constructor(runtime: Runtime, limits: PoolLimits) {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#endless = Math.min(limits.maxUses, limits.maxLifetimeMs) === Number.POSITIVE_INFINITY;
  }

  /** When one that is made now comes to its end. */
  endMs(): number {
    const { maxLifetimeMs, lifetimeJitter } = this.#limits;
    if (maxLifetimeMs === Number.POSITIVE_INFINITY) return maxLifetimeMs;
    const { clock, random } = this.#runtime;
    return clock.now() + maxLifetimeMs * (1 - lifetimeJitter * random.next());
  }

  /** Whether it must not be lent any more. */
  isOver(entry: Pick<Entry<unknown>, "expiresMs" | "uses">): boolean {
    return !this.#endless && this.#isOver(entry);
  }

  #isOver({ expiresMs, uses }: Pick<Entry<unknown>, "expiresMs" | "uses">): boolean {
    if (uses >= this.#limits.maxUses) return true;
    return expiresMs !== Number.POSITIVE_INFINITY && this.#runtime.clock.now() >= expiresMs;
  }
}
