/**
 * Where events come in: a lane for what is posted and one for each source, and the fair choice among them.
 *
 * A lane of its own for each, and not one mailbox for all: in one mailbox a source that floods stands in front of
 * everybody with as many events as there is room for. Here a source is never more than one event ahead, and the next
 * event comes from each lane that has one with the same chance.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { Channel, type Received } from "../../sync/channel.ts";
import { receive, type SelectCase, select } from "../../sync/select.ts";

/** One way in. */
export interface Lane<A> {
  /** Where it gets them from. When it is closed and empty, the lane has ended. */
  readonly port: SelectCase<Received<unknown>>;
  /** What something that was received stands for. */
  readonly value: (received: unknown) => A;
  /** Begins to fill it. Called once, when the loop runs. */
  readonly start?: () => void;
  /** Says that no more is wanted: it ends when what is there has been taken. Without this it is left as it is. */
  readonly stop?: () => void;
}

/** The key of the case that says that the set of lanes is another. */
const CHANGED = "changed";

/**
 * Invariant
 *   I1  The set is replaced and never changed: who waits with an old one still knows what it is given.
 */
export class Lanes<A> {
  readonly #changed = new Channel<void>(1, { name: "lanes" });
  #lanes: ReadonlyMap<string, Lane<A>> = new Map();
  #cases: Readonly<Record<string, SelectCase<Received<unknown>>>> = {};
  #nextKey = 0;
  #state: "new" | "started" = "new";

  /** How many have not ended. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Adds a lane. The function that it gives stops that lane. */
  add(lane: Lane<A>): () => void {
    const key = `${this.#nextKey++}`;
    this.#replace([...this.#lanes, [key, lane]]);
    if (this.#state === "started") lane.start?.();
    return () => this.#stop(key);
  }

  /** Starts the lanes that there are, and from now on each as it comes. */
  start(): void {
    this.#state = "started";
    for (const { start } of this.#lanes.values()) start?.();
  }

  /** Stops them all. */
  stop(): void {
    for (const key of this.#lanes.keys()) this.#stop(key);
  }

  /** Waits for the next one. `undefined` says that the set of lanes has changed. A cancelled take takes nothing. */
  async take(options: CancelOptions): Promise<A | undefined> {
    const lanes = this.#lanes;
    const chosen = await select(this.#cases, options);
    const lane = lanes.get(chosen.key);
    if (lane === undefined) return undefined;
    if (chosen.done !== true) return lane.value(chosen.value);
    this.#remove(chosen.key);
    return undefined;
  }

  #stop(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane?.stop === undefined) this.#remove(key);
    else lane.stop();
  }

  #remove(key: string): void {
    if (this.#lanes.has(key)) this.#replace([...this.#lanes].filter(([other]) => other !== key));
  }

  /** Makes the cases anew, and wakes a take that waits with the old ones. */
  #replace(lanes: readonly (readonly [string, Lane<A>])[]): void {
    const cases = lanes.map(([key, { port }]) => [key, port] as const);
    this.#lanes = new Map(lanes);
    this.#cases = { ...Object.fromEntries(cases), [CHANGED]: receive(this.#changed) };
    this.#changed.trySend();
  }
}
