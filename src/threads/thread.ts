/**
 * A thread, from its pool's side: sends it calls, and settles them by what it tells.
 *
 * Invariants
 *   I1  A call that was sent stands in `#calls` at its place, and has the cell there, until it is settled or was taken
 *       back.
 *   I2  The state only moves forward: loading, ready, ending, gone. Nothing is sent before it is ready, nor after that.
 *   I3  It keeps the process alive while it loads, has a call, or is being ended: whoever waits for one of these would
 *       else wait in a process that has nothing else to do, and ends.
 */
import { nextTurn } from "../core/clock.ts";
import { errorOf, recordOf } from "./error-record.ts";
import type { CallHolder, ThreadCall } from "./call.ts";
import type { HostThread, ThreadHost } from "./host.ts";
import {
  callState,
  CELL_BYTES,
  cellOf,
  change,
  type News,
  type NewsOfCall,
  type Order,
  placeOf,
  PLACES,
} from "./protocol.ts";
import type { ThreadEnd } from "./thread-end.ts";
import { movable, unwrapped } from "./transfer.ts";

/** What a pool hears of its thread. */
export interface ThreadOwner {
  /** It can take calls. */
  ready(thread: Thread): void;
  /** A call has ended, after so long. */
  finished(thread: Thread, tookMs: number): void;
  /** It has ended, and has settled none of these calls. */
  gone(thread: Thread, end: ThreadEnd): void;
}

export class Thread implements CallHolder {
  readonly #owner: ThreadOwner;
  readonly #host: HostThread;
  /** Where its calls stand, if memory is shared with it; else it has one place. */
  readonly #cells: Int32Array | undefined;
  readonly #places: number;
  readonly #freePlaces: number[];
  /** By place. A map would be made anew all the time, and what it was would keep calls alive that are over. */
  readonly #calls: (ThreadCall | undefined)[] = [];
  #outbox: Order[] = [];
  #turns = 0;
  #state: "loading" | "ready" | "ending" | "gone" = "loading";
  #error: ThreadEnd["error"];

  constructor(host: ThreadHost, start: { module: string; worker: number; name: string }, owner: ThreadOwner) {
    this.#owner = owner;
    this.#cells = host.sharesMemory ? new Int32Array(new SharedArrayBuffer(PLACES * CELL_BYTES)) : undefined;
    this.#places = this.#cells === undefined ? 1 : PLACES;
    this.#freePlaces = Array.from({ length: this.#places }, (_, place) => place);
    this.#host = host.start(
      { ...start, cells: this.#cells },
      {
        news: (news) => this.#hear(news),
        crashed: (thrown) => {
          this.#error ??= { thrown, loading: this.#state === "loading" };
        },
        gone: (exitCode) => this.#end(exitCode),
      },
    );
  }

  /** How many calls it has that are not settled. */
  get size(): number {
    return this.#places - this.#freePlaces.length;
  }

  /** Whether it can be sent another call. */
  get hasPlace(): boolean {
    return this.#state === "ready" && this.#freePlaces.length > 0;
  }

  /** Whether it has nothing to do, and could. */
  get idle(): boolean {
    return this.#state === "ready" && this.size === 0;
  }

  /** Sends a call; the caller has seen that there is a place. */
  send(call: ThreadCall): void {
    if (this.size === 0) this.#host.hold(true);
    const place = this.#freePlaces.pop() as number;
    const id = ++this.#turns * PLACES + place;
    call.thread = this;
    call.id = id;
    if (this.#cells !== undefined) Atomics.store(this.#cells, place, cellOf(id, callState.sent));
    this.#calls[place] = call;
    const { name, job, begun, sink } = call.what;
    const { value } = unwrapped(job);
    this.#post(["call", id, name, value, begun !== undefined, sink?.credit]);
  }

  /** Takes a call back that has not begun, and says whether it could. */
  takeBack(call: ThreadCall): boolean {
    const taken = this.#revoke(call, callState.sent);
    if (taken) this.#forget(call);
    return taken;
  }

  /** Tells it that nobody wants the result of a call any more. */
  cancel({ id }: ThreadCall, reason: unknown): void {
    this.#post(["cancel", id, recordOf(reason)]);
  }

  /** Tells it that so many values of a stream were taken. */
  more({ id }: ThreadCall, count: number): void {
    this.#post(["more", id, count]);
  }

  /** Ends it if it is still at this call, and says whether it was. */
  endIfAt(call: ThreadCall): boolean {
    const at = this.#cells === undefined || this.#revoke(call, callState.begun);
    if (at) this.terminate();
    return at;
  }

  /** Ends it, whatever it does. */
  terminate(): void {
    this.#state = "ending";
    this.#host.hold(true);
    this.#host.terminate();
  }

  /** The call that it would begin last, if any has not begun. */
  get last(): ThreadCall | undefined {
    return this.size < 2 ? undefined : this.#inOrder().at(-1);
  }

  /** The calls that it has, in the order in which they were sent. */
  #inOrder(): ThreadCall[] {
    return this.#calls.filter((call) => call !== undefined).toSorted((one, other) => one.id - other.id);
  }

  #callOf(id: number): ThreadCall | undefined {
    const call = this.#calls[placeOf(id)];
    return call?.id === id ? call : undefined;
  }

  #revoke({ id }: ThreadCall, from: 0 | 1): boolean {
    return this.#cells !== undefined && change(this.#cells, id, from, callState.revoked);
  }

  /** A message costs more than what it says. While the thread has something to do, orders wait for others to go with. */
  #post(order: Order): void {
    this.#outbox.push(order);
    const urgent = order[0] !== "call" || this.size === 1;
    if (urgent) queueMicrotask(() => this.#flush());
    else if (this.#outbox.length === 1) nextTurn(() => this.#flush());
  }

  #flush(): void {
    const orders = this.#outbox;
    this.#outbox = [];
    if (orders.length === 0 || this.#state !== "ready") return;
    try {
      this.#host.post(orders, this.#movedBy(orders));
    } catch (error) {
      const [only] = orders;
      if (orders.length === 1 && only !== undefined) this.#unsendable(only, error);
      else for (const order of orders) this.#flushAlone(order);
    }
  }

  /** One of several could not be copied: the others are sent without it. */
  #flushAlone(order: Order): void {
    try {
      this.#host.post([order], this.#movedBy([order]));
    } catch (error) {
      this.#unsendable(order, error);
    }
  }

  #movedBy(orders: readonly Order[]): Transferable[] {
    return orders.flatMap((order) => {
      const call = order[0] === "call" ? this.#callOf(order[1]) : undefined;
      return call === undefined ? [] : [...movable(unwrapped(call.what.job).list)];
    });
  }

  #unsendable([, id]: Order, error: unknown): void {
    const call = this.#callOf(id);
    if (call === undefined) return;
    this.#forget(call);
    call.fail(error);
    this.#owner.finished(this, 0);
  }

  #hear(news: News): void {
    if (news[0] === "loaded") this.#ready();
    else if (news[0] === "unloadable") this.#error = { thrown: errorOf(news[1]), loading: true };
    else this.#hearOf(news);
  }

  /** It may say so when it is being ended already. */
  #ready(): void {
    if (this.#state !== "loading") return;
    this.#state = "ready";
    this.#host.hold(false);
    this.#owner.ready(this);
  }

  #hearOf(news: NewsOfCall): void {
    const call = this.#callOf(news[1]);
    if (call === undefined) return;
    if (news[0] === "begun") return call.what.begun?.();
    if (news[0] === "value") return call.what.sink?.take(news[2], call);
    this.#forget(call);
    // Of one that was given up, too: its caller was told before, and hears no more.
    if (news[0] === "done") call.grant(news[2]);
    else call.fail(errorOf(news[2]));
    this.#owner.finished(this, news[3]);
  }

  #forget(call: ThreadCall): void {
    const place = placeOf(call.id);
    this.#calls[place] = undefined;
    this.#freePlaces.push(place);
    call.thread = undefined;
    if (this.idle) this.#host.hold(false);
  }

  #end(exitCode: number): void {
    const asked = this.#state === "ending";
    this.#state = "gone";
    const left = this.#inOrder();
    for (const call of left) this.#forget(call);
    const notBegun = left.filter((call) => this.#revoke(call, callState.sent));
    const begun = left.filter((call) => !notBegun.includes(call));
    this.#owner.gone(this, { exitCode, asked, error: this.#error, begun, notBegun });
  }
}
