/**
 * The places that the stocks of several keys share, and who gets the next one.
 *
 * Invariants
 *   I1  All tenants together take no more than `max` places.
 *   I2  In line are those that would fill one more place. While anybody is, no place is free, and nothing is idle unless
 *       as many places will soon be free as are needed.
 *   I3  Whoever gets a place, or gives one up, goes to the end of the line. So those that have nothing get theirs in turn.
 */
import { AsyncContext } from "../../core/async-context.ts";
import type { Share, Tally } from "./share.ts";
import type { Stock } from "./stock.ts";

/** A stock among others, and what was last known of it. */
export class Tenant<R> implements Share {
  readonly stock: Stock<R>;
  known: Tally = NOTHING;
  readonly #places: SharedPlaces<R>;
  readonly #vacated: (tenant: Tenant<R>) => void;

  /** `vacated` is told when it has nothing left and nobody waits for it. */
  constructor(
    places: SharedPlaces<R>,
    stockWith: (share: Share) => Stock<R>,
    vacated: (tenant: Tenant<R>) => void,
  ) {
    this.#places = places;
    this.#vacated = vacated;
    this.stock = stockWith(this);
  }

  get context(): AsyncContext {
    return this.#places.context;
  }

  get unserved(): number {
    return this.#places.unserved;
  }

  get spare(): boolean {
    return this.#places.spare;
  }

  get claimed(): boolean {
    return this.#places.claimed;
  }

  tend(): void {
    this.#places.tend(this);
    if (this.vacant) this.#vacated(this);
  }

  /** Whether it has nothing and nobody waits for it. */
  get vacant(): boolean {
    return this.known.size === 0 && this.known.unserved === 0;
  }

  /** Whether it has nothing, and somebody waits for whom it would make something. */
  get starves(): boolean {
    return this.known.size === 0 && this.known.missing > 0;
  }
}

const NOTHING: Tally = { size: 0, ending: 0, unserved: 0, missing: 0, idleSinceMs: undefined };

export class SharedPlaces<R> {
  readonly context: AsyncContext = new AsyncContext();
  readonly #max: number;
  /** Those that have something. */
  readonly #tenants = new Set<Tenant<R>>();
  readonly #line = new Set<Tenant<R>>();
  #size = 0;
  #ending = 0;
  #unserved = 0;
  #missing = 0;
  #starving = 0;
  #state: "resting" | "serving" | "closed" = "resting";

  constructor(max: number) {
    this.#max = max;
  }

  get unserved(): number {
    return this.#unserved;
  }

  get spare(): boolean {
    return this.#size + this.#missing - this.#ending < this.#max || this.#longestIdle() !== undefined;
  }

  get claimed(): boolean {
    return this.#starving > this.#ending;
  }

  /** A tenant has changed: places go to those in line, and what is idle goes if they need more. */
  tend(tenant: Tenant<R>): void {
    this.#note(tenant);
    if (this.#state !== "resting") return;
    this.#state = "serving";
    for (let found = true; found; ) found = this.#givePlace() || this.#freePlace();
    this.#state = "resting";
  }

  /** Gives no more places to anybody. */
  close(): void {
    this.#state = "closed";
  }

  #givePlace(): boolean {
    const tenant = this.#size < this.#max ? this.#first() : undefined;
    tenant?.stock.make();
    if (tenant !== undefined) this.#note(tenant);
    return tenant !== undefined;
  }

  #freePlace(): boolean {
    const tenant = this.#missing > this.#ending ? this.#longestIdle() : undefined;
    tenant?.stock.evict();
    return tenant !== undefined;
  }

  /** The first in line that has nothing, or else the first. No more than `max` of those before it have something. */
  #first(): Tenant<R> | undefined {
    let first: Tenant<R> | undefined;
    for (const tenant of this.#line) {
      if (tenant.starves) return tenant;
      first ??= tenant;
    }
    return first;
  }

  #longestIdle(): Tenant<R> | undefined {
    let longest: Tenant<R> | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const tenant of this.#tenants) {
      const { idleSinceMs = sinceMs } = tenant.stock.tally;
      if (idleSinceMs >= sinceMs) continue;
      longest = tenant;
      sinceMs = idleSinceMs;
    }
    return longest;
  }

  #note(tenant: Tenant<R>): void {
    const before = tenant.known;
    this.#count(tenant, -1);
    tenant.known = tenant.stock.tally;
    this.#count(tenant, 1);
    const { size, missing } = tenant.known;
    if (size !== before.size || missing === 0) this.#line.delete(tenant);
    if (missing > 0) this.#line.add(tenant);
    if (size > 0) this.#tenants.add(tenant);
    else this.#tenants.delete(tenant);
  }

  #count(tenant: Tenant<R>, sign: 1 | -1): void {
    const { size, ending, unserved, missing } = tenant.known;
    this.#size += sign * size;
    this.#ending += sign * ending;
    this.#unserved += sign * Math.max(0, unserved);
    this.#missing += sign * missing;
    if (tenant.starves) this.#starving += sign;
  }
}
