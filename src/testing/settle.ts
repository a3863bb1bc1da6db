/**
 * Lets every microtask run, as cheaply as the host can.
 *
 * In Node, what `process.nextTick` is given in a microtask runs when no microtask is left, and before the host has its
 * turn. That costs a tenth of a turn. Bun, Deno and Electron have the function too, but not surely in that order; there
 * and in a browser it is a turn of the host's loop.
 */
import { nextTurn } from "../core/clock.ts";

type Defer = (callback: () => void) => void;

/** Node's `process`, looked up by name, because a browser's types do not have it. */
interface Host {
  readonly process?: {
    readonly nextTick?: Defer;
    readonly versions?: Readonly<Record<string, string | undefined>>;
  };
}

/**
 * Calls `callback` when every microtask has run, and those that they start. Gives the host no turn: who goes on and on
 * with this takes a {@link nextTurn} now and then.
 */
export const afterMicrotasks: Defer = nodeTick() ?? nextTurn;

/** Looked up once, so that a test with fake timers does not stop a simulation. */
function nodeTick(): Defer | undefined {
  const { nextTick, versions = {} } = (globalThis as Host).process ?? {};
  const { node, bun, deno, electron } = versions;
  const genuine = node !== undefined && bun === undefined && deno === undefined && electron === undefined;
  return nextTick !== undefined && genuine ? oneAtATime(nextTick) : undefined;
}

/**
 * Of two simulations at once, the second takes a turn of the host. Ticks follow each other without their microtasks in
 * between, so two steps would begin together.
 */
function oneAtATime(nextTick: Defer): Defer {
  const settled = Promise.resolve();
  let waiting: (() => void) | undefined;
  const ticked = (): void => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  };
  const tick = (): void => nextTick(ticked);
  return (callback) => {
    if (waiting !== undefined) return nextTurn(callback);
    waiting = callback;
    void settled.then(tick);
  };
}
