/**
 * Runs work once for all who ask for it at the same time, as Go's `singleflight`.
 *
 * Invariants
 *   I1  Every flight in the table is under way, and at least one caller waits for it.
 *   I2  A flight leaves the table before its context ends and before any caller goes on: whoever comes after that
 *       starts a new one, and never joins one that was given up.
 *   I3  Every caller settles once: with the outcome of the flight, or with its own cancellation.
 */
import { requireFunction } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { CanceledError } from "../../core/errors.ts";
import { preview } from "../../core/preview.ts";
import { begin, observe, type Resource } from "../../core/resource.ts";
import { type BareRuntime, bareRuntime } from "../../core/bare-runtime.ts";
import { type Outcome, spawnTask } from "../../core/task.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { background, type CancelableContext, type Context, withCancel } from "../../sync/context.ts";

/** What each caller of {@link SingleFlight.do} gets. */
export interface Flight<V> {
  /** What the work gave. The same for all callers: an object is shared, not copied. */
  readonly value: V;
  /** Whether more than one caller asked for it; also true for the leader. */
  readonly shared: boolean;
  /** How many asked for it: at least 1. Those who left are counted. */
  readonly callers: number;
  /** The work that was run is the leader's. */
  readonly role: "leader" | "follower";
}

/** Watches and names a {@link SingleFlight}. */
export interface SingleFlightOptions<K> {
  /** Called when a caller joins a flight instead of starting one. What it throws, that caller gets. */
  readonly onJoin?: ((key: K) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** The work of a flight. Its context ends when every caller has left. */
export type FlightWork<V> = (ctx: Context) => V | PromiseLike<V>;

class Caller<V> extends Waiter<Flight<V>> {
  readonly role: Flight<V>["role"];
  readonly #left: (reason: unknown) => void;

  constructor(
    runtime: BareRuntime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    role: Flight<V>["role"],
    left: (reason: unknown) => void,
  ) {
    super(runtime, "flight", resource, options);
    this.role = role;
    this.#left = left;
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#left(reason);
  }
}

/** A flight that is under way. */
interface UnderWay<V> {
  readonly callers: WaiterQueue<Caller<V>>;
  readonly scope: CancelableContext;
  /** Told when a caller has left. */
  readonly left: (reason: unknown) => void;
  /** How many have asked for it so far; those who left are counted. */
  asked: number;
  /** The followers who cannot leave: they all wait as one, and get the same promise. */
  crowd: Promise<Flight<V>> | undefined;
  /** How many those are. */
  crowded: number;
}

/**
 * Of all calls with one key that overlap, only the first runs its work; the others wait for the same outcome.
 *
 * **Guarantees** At most one flight a key, unless {@link SingleFlight.forget} is used. Nothing is cached: the key is
 * free before any caller goes on. The work is a task of its own, in the async context of the leader, and never runs
 * inside the call of `do`.
 * **Units and ranges** `key`: any value, compared as a `Map` does.
 * **Cancellation** A caller who is cancelled leaves at once, also the leader: the work goes on as long as anybody
 * waits. When the last one leaves, the key is free and the context of the work ends; how that work then ends, nobody
 * is left to hear.
 * **Errors** What the work throws, at once or later, reaches every caller unchanged.
 * **Cost** O(1) a call; a flight costs a task and a context. Followers without options get one promise, the same for all.
 * **Not for** keeping results: put a cache behind it. Work that asks for its own key waits for itself.
 * **Source** golang.org/x/sync/singleflight; the end of the work with its last caller is as in Tailscale's.
 *
 * @example
 * const flights = new SingleFlight<string, number>();
 * let runs = 0;
 * const load = async () => {
 *   await sleep(1);
 *   return ++runs;
 * };
 * const both = await Promise.all([flights.do("user", load), flights.do("user", load)]);
 * both.map(({ value, role }) => `${role}: ${value}`); //=> ["leader: 1", "follower: 1"]
 */
export class SingleFlight<K, V> {
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #resource: Resource | undefined;
  readonly #onJoin: ((key: K) => void) | undefined;
  readonly #flights = new Map<K, UnderWay<V>>();

  constructor(options: SingleFlightOptions<K> = {}) {
    if (options.onJoin !== undefined) requireFunction("onJoin", options.onJoin);
    this.#onJoin = options.onJoin;
    this.#resource = observe(this.#runtime, "flight", options.name);
  }

  /** How many keys have a flight. */
  get size(): number {
    return this.#flights.size;
  }

  /** How many callers wait for the flight of `key`; 0 if it has none. */
  waiting(key: K): number {
    const flight = this.#flights.get(key);
    if (flight === undefined) return 0;
    const { callers, crowded } = flight;
    return callers.size + Math.max(crowded - 1, 0);
  }

  /**
   * Runs `work` and gives what it gives; or waits for the flight of `key`, if there is one, and `work` is not run.
   *
   * **Cancellation** Rejects with the signal's reason, at once. The flight goes on for the others.
   * **Errors** What the work that was run throws.
   */
  do(key: K, work: FlightWork<V>, options?: CancelOptions): Promise<Flight<V>> {
    requireFunction("work", work);
    if (this.#resource !== undefined) return begin(this.#runtime, () => this.#do(key, work, options));
    return this.#do(key, work, options);
  }

  /**
   * Lets the next call with `key` start a new flight. Those who wait for the present one still get its outcome.
   *
   * @returns whether there was one.
   */
  forget(key: K): boolean {
    return this.#flights.delete(key);
  }

  /**
   * As {@link SingleFlight.forget}, but only if at most one caller waits for the flight: for a caller who is about to leave
   * and wants the next one not to join what may be given up.
   *
   * @returns whether the next call with `key` runs its own work.
   */
  forgetUnshared(key: K): boolean {
    if (this.waiting(key) > 1) return false;
    this.#flights.delete(key);
    return true;
  }

  #do(key: K, work: FlightWork<V>, options: CancelOptions | undefined): Promise<Flight<V>> {
    return rejectIfCancelled(options) ?? this.#join(key, options) ?? this.#lead(key, work, options);
  }

  #join(key: K, options: CancelOptions | undefined): Promise<Flight<V>> | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    flight.asked++;
    // A scheduler has to know each of them, and `onJoin` may throw at one.
    const alike = this.#runtime.scheduler === undefined && this.#onJoin === undefined;
    if (alike && options === undefined) return this.#joinCrowd(flight);
    this.#resource?.emit({ k: "flight.join", r: this.#resource.id, key: preview(key) });
    const caller = this.#enroll(flight, "follower", options);
    try {
      this.#onJoin?.(key);
    } catch (error) {
      caller.onCancel(error);
    }
    return caller.promise;
  }

  #joinCrowd(flight: UnderWay<V>): Promise<Flight<V>> {
    flight.crowded++;
    flight.crowd ??= this.#enroll(flight, "follower", undefined).promise;
    return flight.crowd;
  }

  #lead(key: K, work: FlightWork<V>, options: CancelOptions | undefined): Promise<Flight<V>> {
    const callers = new WaiterQueue<Caller<V>>();
    const scope = withCancel(background);
    const { ctx } = scope;
    const left = (reason: unknown): void => {
      if (callers.size === 0) this.#abandon(key, flight, reason);
    };
    const flight: UnderWay<V> = { callers, scope, left, asked: 1, crowd: undefined, crowded: 0 };
    this.#flights.set(key, flight);
    this.#resource?.emit({ k: "flight.lead", r: this.#resource.id, key: preview(key) });
    const start = (): V | PromiseLike<V> => {
      if (ctx.error !== undefined) throw ctx.error;
      return work(ctx);
    };
    const name = this.#resource === undefined ? "flight" : `flight ${preview(key)}`;
    spawnTask(this.#runtime, { name, group: this.#resource?.name }, start, (outcome) => {
      this.#land(key, flight, outcome);
    });
    return this.#enroll(flight, "leader", options).promise;
  }

  #enroll(flight: UnderWay<V>, role: Flight<V>["role"], options: CancelOptions | undefined): Caller<V> {
    const caller = new Caller<V>(this.#runtime, this.#resource, options, role, flight.left);
    flight.callers.push(caller);
    return caller;
  }

  /** The last caller has left. After the landing this changes nothing: the table and the context are past it. */
  #abandon(key: K, flight: UnderWay<V>, reason: unknown): void {
    this.#remove(key, flight);
    flight.scope.cancel(new CanceledError("every caller has left", { cause: reason }));
  }

  #land(key: K, flight: UnderWay<V>, outcome: Outcome<V>): void {
    const { callers, asked } = flight;
    this.#remove(key, flight);
    flight.scope.cancel();
    const shared = asked > 1;
    if (shared && this.#resource !== undefined) {
      this.#resource.emit({ k: "flight.share", r: this.#resource.id, key: preview(key), callers: asked });
    }
    for (let caller = callers.shift(); caller !== undefined; caller = callers.shift()) {
      if (outcome.ok) caller.grant({ value: outcome.value, shared, callers: asked, role: caller.role });
      else caller.fail(outcome.error);
    }
  }

  /** Frees the key, unless another flight has it by now. */
  #remove(key: K, flight: UnderWay<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
