/// <reference lib="esnext.disposable" preserve="true" />
// For those who compile against an older library: every public module that names a Disposable comes by here.

/**
 * The one way in which anything here is given up.
 *
 * A {@link Cancellation} is the state behind a context: it ends once, with a reason, and takes its whole subtree
 * along. A foreign AbortSignal has one behind it too, with one listener however many wait. A {@link CancelLink} ties one
 * waiting operation to a Cancellation, and is taken back when the operation ends.
 */
import { refuseType } from "./arguments.ts";
import { CanceledError, TimeoutError } from "./errors.ts";
import { currentRuntime } from "./runtime.ts";
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

/** Why something ended: the kind, and what was blamed. Errors are made when first asked for, as most never are. */
export class Ending {
  readonly #timeout: boolean;
  readonly #blamed: unknown;
  #error: CanceledError | TimeoutError | undefined;

  constructor(kind: "canceled" | "timeout", blamed?: unknown) {
    this.#timeout = kind === "timeout";
    this.#blamed = blamed;
  }

  /** A foreign signal's reason. The Web's `TimeoutError` stays a timeout. */
  static of(reason: unknown): Ending {
    const timeout = (reason as { name?: unknown } | null | undefined)?.name === "TimeoutError";
    return new Ending(timeout ? "timeout" : "canceled", reason);
  }

  /** What everybody who waited is rejected with. */
  get reason(): unknown {
    return this.#blamed === undefined ? this.error : this.#blamed;
  }

  /** The kind, as an error. */
  get error(): CanceledError | TimeoutError {
    this.#error ??= this.#make();
    return this.#error;
  }

  /** What was blamed serves as the error if it is of the right kind; else it is the error's cause. */
  #make(): CanceledError | TimeoutError {
    const blamed = this.#blamed;
    const kind = this.#timeout ? TimeoutError : CanceledError;
    if (blamed instanceof kind) return blamed;
    return new kind(undefined, blamed === undefined ? undefined : { cause: blamed });
  }
}

/**
 * Invariants
 *   I1  `ending` is written once.
 *   I2  An ended Cancellation has no links: they were told, or they were children and ended with it.
 */
export class Cancellation implements Cancelable {
  /** Why it ended; undefined as long as it has not. */
  ending: Ending | undefined = undefined;
  /** The instant at which it is going to end by itself. Kept here, so that it also travels with the mere signal. */
  readonly deadlineMs: number | undefined;
  readonly #parent: CancelLink | undefined;
  readonly #atEnd: (() => void) | undefined;
  readonly #links = new WaiterQueue<CancelLink>();
  #controller: AbortController | undefined;

  /** `atEnd` is called once it has ended with its whole subtree, and before anybody else is told. */
  constructor(
    parent: (CancelOptions & CancellationCarrier) | undefined,
    atEnd?: () => void,
    deadlineMs: number | undefined = deadlineOf(parent),
  ) {
    this.#atEnd = atEnd;
    this.deadlineMs = deadlineMs;
    this.ending = endingOf(parent);
    if (this.ending === undefined) this.#parent = linkCancel(parent, this);
    else atEnd?.();
  }

  /** The same as an AbortSignal, made when first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      behind.set(this.#controller.signal, this);
      if (this.ending !== undefined) this.#controller.abort(this.ending.reason);
    }
    return this.#controller.signal;
  }

  onCancel(reason: unknown): void {
    this.end(Ending.of(reason));
  }

  /**
   * Ends it and all below it, synchronously. First every one is marked, then all are told: whoever is told finds the
   * whole subtree ended. A loop and not a recursion, so that a chain of any length will do.
   */
  end(ending: Ending): void {
    if (this.ending !== undefined) return;
    const tree: Cancellation[] = [this];
    const told: Cancelable[] = [];
    this.ending = ending;
    for (let index = 0; index < tree.length; index++) {
      const node = tree[index] as Cancellation;
      node.#parent?.release();
      for (let link = node.#links.first; link !== undefined; link = node.#links.first) {
        link.release();
        const { target } = link;
        if (!(target instanceof Cancellation)) told.push(target);
        else if (target.ending === undefined) {
          target.ending = ending;
          tree.push(target);
        }
      }
    }
    for (const node of tree) node.#atEnd?.();
    for (const node of tree) node.#controller?.abort(ending.reason);
    for (const target of told) target.onCancel(ending.reason);
  }

  /** Whether anybody would be told of its end. */
  get watched(): boolean {
    return this.#links.size > 0 || this.#controller !== undefined;
  }

  /** For {@link CancelLink} alone. */
  add(link: CancelLink): void {
    if (this.#links.size === 0) this.watch();
    this.#links.push(link);
  }

  /** For {@link CancelLink} alone. */
  remove(link: CancelLink): void {
    this.#links.remove(link);
    if (this.#links.size === 0) this.unwatch();
  }

  /** The first link has come. */
  protected watch(): void {}

  /** The last link has gone. */
  protected unwatch(): void {}
}

/** What is behind a foreign AbortSignal: one listener, as long as anybody is tied to it. */
class SignalBridge extends Cancellation {
  readonly #foreign: AbortSignal;

  constructor(foreign: AbortSignal) {
    super(undefined);
    this.#foreign = foreign;
  }

  /** The signal has fired. An object with this method spares a closure. */
  handleEvent(): void {
    this.end(Ending.of(this.#foreign.reason));
  }

  protected override watch(): void {
    this.#foreign.addEventListener("abort", this);
  }

  protected override unwatch(): void {
    this.#foreign.removeEventListener("abort", this);
  }
}

/** The Cancellation of each signal that has been seen: of the context that it is of, or a bridge. */
const behind = new WeakMap<AbortSignal, Cancellation>();

function cancellationBehind(signal: AbortSignal): Cancellation {
  const known = behind.get(signal);
  if (known !== undefined) return known;
  const bridge = new SignalBridge(requireSignal(signal));
  behind.set(signal, bridge);
  return bridge;
}

/** Not `instanceof`: a signal may come from another realm. */
export function requireSignal(signal: unknown): AbortSignal {
  const listens = (signal as { addEventListener?: unknown } | null | undefined)?.addEventListener;
  if (typeof listens !== "function") refuseType("signal", "an AbortSignal", signal);
  return signal as AbortSignal;
}

/** Ties a target to what may cancel it. Released in O(1), from anywhere. */
export class CancelLink extends QueueNode {
  readonly target: Cancelable;
  #source: Cancellation | undefined;

  constructor(source: Cancellation, target: Cancelable) {
    super();
    this.target = target;
    this.#source = source;
    source.add(this);
  }

  /** Takes the tie back; does nothing the second time. */
  release(): void {
    const source = this.#source;
    this.#source = undefined;
    source?.remove(this);
  }
}

/** A tie of a simulation to a signal, which may be of outside: a simulation that is given up takes back what is left. */
class SimulatedLink extends CancelLink {
  readonly #ties: Set<SignalTie>;

  constructor(source: Cancellation, target: Cancelable, ties: Set<SignalTie>) {
    super(source, target);
    this.#ties = ties;
    ties.add(this);
  }

  override release(): void {
    this.#ties.delete(this);
    super.release();
  }
}

/** Why `options` has ended already; undefined if it has not. */
export function endingOf(options: (CancelOptions & CancellationCarrier) | undefined): Ending | undefined {
  if (options === undefined) return undefined;
  const cancellation = options[cancellationKey];
  if (cancellation !== undefined) return cancellation?.ending;
  const { signal } = options;
  if (signal?.aborted !== true) return undefined;
  return behind.get(signal)?.ending ?? Ending.of(signal.reason);
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
  if (options === undefined) return false;
  const cancellation = options[cancellationKey];
  if (cancellation === undefined) return options.signal?.aborted === true;
  return cancellation !== null && cancellation.ending !== undefined;
}

/** Ties `target` to `options`, if there is anything that could cancel it. */
export function linkCancel(
  options: (CancelOptions & CancellationCarrier) | undefined,
  target: Cancelable,
): CancelLink | undefined {
  if (options === undefined) return undefined;
  const cancellation = options[cancellationKey];
  if (cancellation === null) return undefined;
  if (cancellation !== undefined) return new CancelLink(cancellation, target);
  const { signal } = options;
  if (signal === undefined) return undefined;
  const source = cancellationBehind(signal);
  const { scheduler } = currentRuntime();
  return scheduler === undefined
    ? new CancelLink(source, target)
    : new SimulatedLink(source, target, scheduler.signalTies);
}

/** A rejected promise if `options` has been cancelled already. Every waiting call begins with this question. */
export function rejectIfCancelled(options: CancelOptions | undefined): Promise<never> | undefined {
  return isCancelled(options) ? Promise.reject(endingOf(options)?.reason) : undefined;
}
