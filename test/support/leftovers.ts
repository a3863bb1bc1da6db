/**
 * Notes what is set in the host while it is set: timers, turns, listeners for an abort; and rejections that nobody
 * handles. The test runner's own timers are not among them: it keeps the functions that it began with.
 */
import { getEventListeners } from "node:events";

/** What was set, and where; of a turn of the host only that, as there are very many and a stack is costly. */
const timers = new Map<unknown, Error | string>();
/** The signals that somebody has listened to, and where that was last. */
const signals = new Map<AbortSignal, Error>();
const rejections: unknown[] = [];

const { setImmediate: nextTurn } = globalThis;
const host = globalThis as unknown as Record<string, (...args: never[]) => unknown>;

/** Makes a function of the host that sets something note it; `once` is over when it has called back. */
function note(set: string, clear: string, once: boolean): void {
  const [setInHost, clearInHost] = [host[set], host[clear]] as [typeof setTimeout, typeof clearTimeout];
  host[set] = (callback: (...args: unknown[]) => void, ...rest: unknown[]): unknown => {
    const call = (...args: unknown[]): void => {
      if (once) timers.delete(timer);
      callback(...args);
    };
    const timer: unknown = Reflect.apply(setInHost, undefined, [call, ...rest]);
    timers.set(timer, set === "setImmediate" ? set : new Error(set));
    return timer;
  };
  host[clear] = (timer: Parameters<typeof clearTimeout>[0]): void => {
    timers.delete(timer);
    clearInHost(timer);
  };
}

note("setTimeout", "clearTimeout", true);
note("setInterval", "clearInterval", false);
note("setImmediate", "clearImmediate", true);

AbortSignal.prototype.addEventListener = function addEventListener(
  this: AbortSignal,
  ...args: Parameters<EventTarget["addEventListener"]>
): void {
  signals.set(this, new Error("a listener for an abort"));
  EventTarget.prototype.addEventListener.apply(this, args);
};

process.on("unhandledRejection", function noteRejection(reason) {
  rejections.push(reason);
});

/** How many timers of the host are set. */
export function hostTimers(): number {
  return timers.size;
}

/** How many listeners for its abort a signal has. */
export function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

/** From here on, only what is new counts. */
export function forgetLeftovers(): void {
  timers.clear();
  signals.clear();
  rejections.length = 0;
}

/** What is left, with the place where it was set. A turn that is due takes place first: it leaves nothing. */
export async function leftovers(): Promise<readonly string[]> {
  const turn = (): Promise<void> => new Promise((resolve) => void nextTurn(resolve));
  await turn();
  if (timers.size > 0) await turn();
  // One that has fired never calls again, and keeps nothing alive but itself.
  const live = [...signals].filter(([signal]) => !signal.aborted && listenersOf(signal) > 0);
  const listening = live.map(([, where]) => where);
  const set = [...timers.values(), ...listening].map(placeOf).filter((place) => place !== undefined);
  return [...set, ...rejections.map((reason) => `an unhandled rejection: ${String(reason)}`)];
}

/** The lines of the project in which it was set; undefined if it is none of the project's. */
function placeOf(set: Error | string): string | undefined {
  if (typeof set === "string") return set;
  const { message, stack = "" } = set;
  const lines = stack.split("\n").slice(1);
  const ours = lines.filter((line) => !/node_modules|node:|support.leftovers|<anonymous>/.test(line));
  return ours.length === 0 ? undefined : [message, ...ours].join("\n");
}
