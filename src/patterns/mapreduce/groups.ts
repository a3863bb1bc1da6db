/**
 * The shuffle: keys, each with all that came for it.
 *
 * Invariant
 *   I1  With `combine`, exactly one value a key is held.
 */

/** A key with all that came for it, and what becomes of it. */
export interface Group<K, V, R> {
  readonly key: K;
  /** All values, merged into one; if they are not merged, the first. */
  merged: V;
  /** Undefined if values are merged. */
  values: V[] | undefined;
  result: R | undefined;
}

/** Merged values are a list of one, so that a reduce need not know whether they were merged. */
export function valuesOf<V>({ values, merged }: Group<unknown, V, unknown>): readonly V[] {
  return values ?? [merged];
}

/** What is needed of a job. */
interface Combining<V> {
  combine?(left: V, right: V): V;
}

/** Groups by key, in the order in which keys first came. */
export class Groups<K, V, R> {
  readonly #byKey = new Map<K, Group<K, V, R>>();
  readonly #job: Combining<V>;
  #emitted = 0;

  constructor(job: Combining<V>) {
    this.#job = job;
  }

  /** How many values have come. */
  get emitted(): number {
    return this.#emitted;
  }

  /** How many different keys there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** All groups. */
  all(): Group<K, V, R>[] {
    return [...this.#byKey.values()];
  }

  add(key: K, value: V): void {
    this.#emitted++;
    this.#put(key, value);
  }

  /** Takes over what another has gathered. */
  addAll(other: Groups<K, V, R>): void {
    this.#emitted += other.#emitted;
    for (const group of other.#byKey.values()) {
      for (const value of valuesOf(group)) this.#put(group.key, value);
    }
  }

  #put(key: K, value: V): void {
    const job = this.#job;
    const group = this.#byKey.get(key);
    if (group === undefined) {
      const values = job.combine === undefined ? [value] : undefined;
      this.#byKey.set(key, { key, merged: value, values, result: undefined });
    } else if (job.combine === undefined) group.values?.push(value);
    else group.merged = job.combine(group.merged, value);
  }
}
