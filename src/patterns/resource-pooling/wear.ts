/**
 * When a resource has served its time.
 */
import type { Runtime } from "../../core/runtime.ts";
import type { Entry } from "./entry.ts";
import type { PoolLimits } from "./options.ts";

export class Wear {
  readonly #runtime: Runtime;
  readonly #limits: PoolLimits;

  constructor(runtime: Runtime, limits: PoolLimits) {
    this.#runtime = runtime;
    this.#limits = limits;
  }

  /** When one that is made now comes to its end. */
  endMs(): number {
    const { maxLifetimeMs, lifetimeJitter } = this.#limits;
    if (maxLifetimeMs === Number.POSITIVE_INFINITY) return maxLifetimeMs;
    const { clock, random } = this.#runtime;
    return clock.now() + maxLifetimeMs * (1 - lifetimeJitter * random.next());
  }

  /** Whether it must not be lent any more. */
  isOver({ expiresMs, uses }: Pick<Entry<unknown>, "expiresMs" | "uses">): boolean {
    if (uses >= this.#limits.maxUses) return true;
    return expiresMs !== Number.POSITIVE_INFINITY && this.#runtime.clock.now() >= expiresMs;
  }
}
