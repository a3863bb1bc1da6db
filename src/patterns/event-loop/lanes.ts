/**
 * Where events come in: a lane for what is posted and one for each source, and the fair choice among them.
 *
 * A lane of its own for each, and not one mailbox for all: in one mailbox a source that floods stands in front of
 * everybody with as many events as there is room for. Here a source is never more than one event ahead, and which lane
 * is next is decided for each event anew: see {@link Turns}.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Outcome } from "../../core/task.ts";
import { Channel, type Received } from "../../sync/channel.ts";
import { receive, type SelectCase, select } from "../../sync/select.ts";
import { type Rank, Turns } from "./turns.ts";

/** One way in. */
export interface Lane<A> {
  /** Where it gets them from. When it is closed and empty, the lane has ended. */
  readonly port: SelectCase<Received<unknown>>;
  /** What something that was received stands for, or the failure with which the port has ended. */
  readonly value: (received: Outcome<unknown>) => A;
  readonly rank: Rank;
  /** Begins to fill it. Called once, when the loop runs. */
  readonly start?: () => void;
  /** Says that no more is wanted: it ends when what is there has been taken. Without this it is left as it is. */
  readonly stop?: () => void;
}

/** What was received from which lane. */
interface Arrived {
  readonly key: string;
  readonly received: Outcome<Received<unknown>>;
}

type ArrivalCase = SelectCase<{ readonly value: Arrived }>;

/**
 * Invariant
 *   I1  The set is replaced and never changed: who waits with an old one still knows what it is given.
 */
export class Lanes<A> {
  readonly #changed = new Channel<void>(1, { name: "lanes" });
  readonly #turns = new Turns();
  #lanes: ReadonlyMap<string, Lane<A>> = new Map();
  #cases: Readonly<Record<string, ArrivalCase | SelectCase<Received<void>>>> = {};
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
    const { value: arrived } = await select(this.#cases, options);
    const lane = arrived === undefined ? undefined : lanes.get(arrived.key);
    if (arrived === undefined || lane === undefined) return undefined;
    const { received } = arrived;
    if (received.ok && received.value.done !== true)
      return lane.value({ ok: true, value: received.value.value });
    this.#remove(arrived.key);
    return received.ok ? undefined : lane.value(received);
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
    this.#lanes = new Map(lanes);
    const waits = lanes.map(([key, { port }]) => [key, waitAt(key, port)] as const);
    this.#cases = { ...Object.fromEntries(waits), now: this.#now(lanes), changed: receive(this.#changed) };
    this.#changed.trySend();
  }

  /** The one case that is ever ready, and then takes from the lane whose turn it is. The others only wait. */
  #now(lanes: readonly (readonly [string, Lane<A>])[]): ArrivalCase {
    return {
      resource: undefined,
      ready: () => lanes.some(([, { port }]) => port.ready()),
      commit: () => this.#takeNow(lanes.filter(([, { port }]) => port.ready())),
      enroll: () => ({ leave: () => {} }),
    };
  }

  /** Takes from the lane whose turn it is. One whose event another thread has taken meanwhile is passed over. */
  #takeNow(ready: readonly (readonly [string, Lane<A>])[]): { readonly value: Arrived } | undefined {
    if (ready.length === 0) return undefined;
    const turn = this.#turns.next(ready.map(([, { rank }]) => rank));
    const [key, { port }] = ready[turn] as (typeof ready)[number];
    const received = receivedNow(port);
    return received === undefined ? this.#takeNow(ready.toSpliced(turn, 1)) : { value: { key, received } };
  }
}

/** Waits at a port that is not ready. A port that fails is something that arrives, and no failure of the choice. */
function waitAt(key: string, port: SelectCase<Received<unknown>>): ArrivalCase {
  return {
    resource: port.resource,
    ready: () => false,
    commit: () => undefined,
    enroll: (chooser, ofCase) => {
      const arrived = (received: Outcome<Received<unknown>>): void =>
        chooser.choose(ofCase, { value: { key, received } });
      const { runtime, task } = chooser;
      const choose = (_: string, value: Received<unknown>): void => arrived({ ok: true, value });
      const refuse = (error: unknown): void => arrived({ ok: false, error });
      return port.enroll({ runtime, task, choose, refuse }, ofCase);
    },
  };
}

function receivedNow(port: SelectCase<Received<unknown>>): Outcome<Received<unknown>> | undefined {
  try {
    const value = port.commit();
    return value && { ok: true, value };
  } catch (error) {
    return { ok: false, error };
  }
}
