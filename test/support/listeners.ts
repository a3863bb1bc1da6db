import { getEventListeners } from "node:events";

/** How many listeners for its abort a signal has. */
export function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

const timers = new Set<unknown>();
const { setTimeout: set, clearTimeout: clear } = globalThis;

/** Notes timers while they are set. The test runner's own are not among them: it keeps the functions it began with. */
function noted(callback: () => void, delayMs?: number): unknown {
  const timer = set(() => {
    timers.delete(timer);
    callback();
  }, delayMs);
  timers.add(timer);
  return timer;
}

Object.assign(globalThis, {
  setTimeout: noted,
  clearTimeout: (timer: Parameters<typeof clear>[0]) => {
    timers.delete(timer);
    clear(timer);
  },
});

/** How many timers of the host are set. */
export function hostTimers(): number {
  return timers.size;
}

/**
 * Whether a timer of the host, due in 10 ms, gets its turn while `program` runs. `program` goes on until `over` says so:
 * when the timer has fired, or when it has been asked a million times and the timer has not.
 */
export async function hostGetsItsTurn(program: (over: () => boolean) => Promise<unknown>): Promise<boolean> {
  let fired = false;
  let asked = 0;
  const timer = setTimeout(() => {
    fired = true;
  }, 10);
  await program(() => fired || ++asked >= 1_000_000);
  const inTime = fired;
  clearTimeout(timer);
  return inTime;
}
