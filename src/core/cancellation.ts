/// <reference lib="esnext.disposable" preserve="true" />
// For those who compile against an older library: every public module that names a Disposable comes by here.

/**
 * The one way in which anything here is given up.
 *
 * A {@link Cancellation} ends once, with a reason, and takes its whole subtree along. There is one behind a context and
 * one behind a foreign AbortSignal, which has one listener however many wait. A {@link CancelLink} ties one waiting
 * operation to a Cancellation, and is taken back when the operation ends.
 */
import { refuseType } from "./arguments.ts";
import { replacement } from "./bare-runtime.ts";
import type { CanceledError, TimeoutError } from "./errors.ts";
import type { SignalTie } from "./scheduler.ts";
import { QueueNode, WaiterQueue } from "./waiter-queue.ts";

/** The last argument of every waiting call. A `Context` fits, because it has a `signal`. */
export interface CancelOptions {
  /** Gives the call up when it aborts. An already aborted signal always rejects, whatever else is ready. */
  readonly signal?: AbortSignal | undefined;
}

/** Something that can be given up from outside. */
export interface Cancelable {
  /** Called at most once, synchronously, by whoever cancels. Must not throw. */
  onCancel(reason: unknown): void;
}

/** Under this key a context carries its {@link Cancellation}: the fast path that needs no AbortSignal. */
export const cancellationKey: unique symbol = Symbol("cancellation");

/** What carries a {@link Cancellation}; null stands for one that never ends. */
export interface CancellationCarrier {
  readonly [cancellationKey]?: Cancellation | null | undefined;
}

/** Why something ended. One for a whole subtree. */
export interface Ending {
  /** What everybody who waited is rejected with. */
  readonly reason: unknown;
  /** The same as an error of ours: see `errorOf`. */
  error?: CanceledError | TimeoutError | undefined;
}

/**
 * What can end, with all below it. It is itself the node in the list of the one above it, as there may be very many.
 *
 * Invariants
 *   I1  `ending` is written once.
 *   I2  What has ended has no ties: they were told, or they were children and ended with it. And it is tied to nobody.
 */
export class Cancellation extends QueueNode {
  // Declared: see `QueueNode`. What is optional is not written unless needed.
  /** Why it ended; undefined as long as it has not. */
  declare ending: Ending | undefined;
  /** The instant at which it is going to end by itself. Kept here, so that it also travels with the mere signal. */
  declare readonly deadlineMs?: number;
  /** Who is to be told and what ends with it; most have none. For this module alone. @internal */
  declare ties: WaiterQueue<Tie> | undefined;
  /** What ties it to a signal; to a context it is tied itself. */
  declare private link?: CancelLink | undefined;

  constructor(parent: (CancelOptions & CancellationCarrier) | undefined) {
    super();
    this.ending = endingOf(parent);
    this.ties = undefined;
    if (parent === undefined || this.ending !== undefined) return;
    const above = parent[cancellationKey];
    if (above === undefined) this.link = linkCancel(parent, this);
    else above?.add(this);
  }

  /** As a tie, what ends is it. */
  get target(): this {
    return this;
  }

  /**
   * Ends it and all below it, synchronously. First every one is marked, then all are told: whoever is told finds the
   * whole subtree ended. A loop and not a recursion, so that a chain of any length will do.
   */
  end(ending: Ending): void {
    if (this.ending !== undefined) return;
    const tree: Cancellation[] = [];
    const told: CancelLink<Cancelable>[] = [];
    this.#mark(ending, tree);
    for (let index = 0; index < tree.length; index++) {
      const { ties } = tree[index] as Cancellation;
      for (let tie = ties?.shift(); tie !== undefined; tie = ties?.shift()) {
        const { target } = tie;
        if (target instanceof Cancellation) target.#mark(ending, tree);
        else told.push(tie as CancelLink<Cancelable>);
      }
    }
    for (const node of tree) node.ended(ending);
    for (const link of told) {
      link.release();
      link.target.onCancel(ending.reason);
    }
  }

  /** Adds what is to be told, or is to end with it. */
  add(tie: Tie): void {
    this.ties ??= new WaiterQueue();
    this.ties.push(tie);
  }

  /** The whole subtree is marked, and no waiter has been told yet: for what is its own, such as a timer or a signal. */
  protected ended(_ending: Ending): void {}

  #mark(ending: Ending, tree: Cancellation[]): void {
    this.ending = ending;
    this.queue?.remove(this);
    this.link?.release();
    tree.push(this);
  }
}

/** Ties a target to what may cancel it. Released in O(1), from anywhere. */
export class CancelLink<C extends Cancelable | Cancellation = Cancelable | Cancellation> extends QueueNode {
  // Declared: see `QueueNode`.
  declare readonly target: C;
  /**
   * The ties of the simulation that it is of: a signal may be of outside, and a simulation that is given up takes back
   * what is left there.
   */
  declare kept?: Set<SignalTie>;

  constructor(source: Cancellation, target: C) {
    super();
    this.target = target;
    source.add(this);
  }

  /** Takes the tie back; does nothing the second time. */
  release(): void {
    this.queue?.remove(this);
    this.kept?.delete(this);
  }
}

type Tie = Cancellation | CancelLink;

/** Those tied to a foreign signal: one listener, as long as there is anybody. */
class SignalTies extends WaiterQueue<Tie> {
  readonly #signal: AbortSignal;
  readonly #behind: Cancellation;

  constructor(signal: AbortSignal, behind: Cancellation) {
    super();
    this.#signal = signal;
    this.#behind = behind;
  }

  /** The signal has fired. An object with this method spares a closure. */
  handleEvent(): void {
    this.#behind.end({ reason: this.#signal.reason });
  }

  override push(tie: Tie): void {
    if (this.size === 0) this.#signal.addEventListener("abort", this);
    super.push(tie);
  }

  override remove(tie: Tie): void {
    super.remove(tie);
    if (this.size === 0) this.#signal.removeEventListener("abort", this);
  }
}

/** The Cancellation of each signal that has been seen: of the context that it is of, or one for it alone. */
const behind = new WeakMap<AbortSignal, Cancellation>();

/** Lets the signal of a context stand for the context. */
export function standFor(cancellation: Cancellation, signal: AbortSignal): void {
  behind.set(signal, cancellation);
}

function cancellationBehind(signal: AbortSignal): Cancellation {
  let found = behind.get(signal);
  if (found === undefined) {
    found = new Cancellation(undefined);
    found.ties = new SignalTies(requireSignal(signal), found);
    behind.set(signal, found);
  }
  return found;
}

/** Not `instanceof`: a signal may come from another realm. */
export function requireSignal(signal: unknown): AbortSignal {
  const listens = (signal as { addEventListener?: unknown } | null | undefined)?.addEventListener;
  if (typeof listens !== "function") refuseType("signal", "an AbortSignal", signal);
  return signal as AbortSignal;
}

/** Why `options` has ended already; undefined if it has not. */
export function endingOf(options: (CancelOptions & CancellationCarrier) | undefined): Ending | undefined {
  if (options === undefined) return undefined;
  const cancellation = options[cancellationKey];
  if (cancellation !== undefined) return cancellation?.ending;
  const { signal } = options;
  if (signal?.aborted !== true) return undefined;
  return behind.get(signal)?.ending ?? { reason: signal.reason };
}

/** The instant at which `options` ends at the latest, if it is a context or the signal of one; a foreign signal has none. */
export function deadlineOf(options: (CancelOptions & CancellationCarrier) | undefined): number | undefined {
  if (options === undefined) return undefined;
  const cancellation = options[cancellationKey];
  if (cancellation !== undefined) return cancellation?.deadlineMs;
  return options.signal === undefined ? undefined : behind.get(options.signal)?.deadlineMs;
}

/** Whether `options` has ended already. */
export function isCancelled(options: (CancelOptions & CancellationCarrier) | undefined): boolean {
  return endingOf(options) !== undefined;
}

/** Ties `target` to `options`, if there is anything that could cancel it. */
export function linkCancel(
  options: (CancelOptions & CancellationCarrier) | undefined,
  target: Cancelable | Cancellation,
): CancelLink | undefined {
  if (options === undefined) return undefined;
  const cancellation = options[cancellationKey];
  if (cancellation === null) return undefined;
  if (cancellation !== undefined) return new CancelLink(cancellation, target);
  const { signal } = options;
  if (signal === undefined) return undefined;
  const link = new CancelLink(cancellationBehind(signal), target);
  const ties = replacement?.scheduler?.signalTies;
  if (ties !== undefined) link.kept = ties.add(link);
  return link;
}

/** A rejected promise if `options` has been cancelled already. Every waiting call begins with this question. */
export function rejectIfCancelled(options: CancelOptions | undefined): Promise<never> | undefined {
  const ending = endingOf(options);
  return ending === undefined ? undefined : Promise.reject(ending.reason);
}
