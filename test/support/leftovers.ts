/**
 * Notes what is set in the host while it is set: timers, turns, listeners for an abort; and rejections that nobody
 * handles. The test runner's own timers are not among them: it keeps the functions that it began with.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";

/** What is noted, one for the process: files that are run one after another in it each load this one anew. */
interface Notes {
  /** Timers that are set, and where. */
  readonly timers: Map<unknown, Error>;
  /** Turns of the host that are due: only that, as there are very many. */
  readonly turns: Set<unknown>;
  /** The signals that somebody has listened to, and where that was last. */
  readonly signals: Map<AbortSignal, Error>;
  readonly rejections: unknown[];
  /** Those that were run. While one is enabled, every promise of the process is slow. */
  readonly storages: Set<AsyncLocalStorage<unknown>>;
  readonly nextTurn: typeof setImmediate;
}

const host = globalThis as unknown as Record<string, (...args: never[]) => unknown> & { leftovers?: Notes };
const { timers, turns, signals, rejections, storages, nextTurn } = (host.leftovers ??= noteAll());

function noteAll(): Notes {
  const notes: Notes = {
    timers: new Map(),
    turns: new Set(),
    signals: new Map(),
    rejections: [],
    storages: new Set(),
    nextTurn: setImmediate,
  };
  noteTimers(notes, "setTimeout", "clearTimeout", true);
  noteTimers(notes, "setInterval", "clearInterval", false);
  noteTurns(notes);
  noteListeners(notes);
  noteStorages(notes);
  process.on("unhandledRejection", function noteRejection(reason) {
    notes.rejections.push(reason);
  });
  return notes;
}

/** Makes a function of the host that sets a timer note it; `once` is over when it has called back. */
function noteTimers({ timers }: Notes, set: string, clear: string, once: boolean): void {
  const [setInHost, clearInHost] = [host[set], host[clear]] as [typeof setTimeout, typeof clearTimeout];
  host[set] = (callback: (...args: unknown[]) => void, ...rest: unknown[]): unknown => {
    const call = (...args: unknown[]): void => {
      if (once) timers.delete(timer);
      callback(...args);
    };
    const timer: unknown = Reflect.apply(setInHost, undefined, [call, ...rest]);
    timers.set(timer, new Error(set));
    return timer;
  };
  host[clear] = (timer: Parameters<typeof clearTimeout>[0]): void => {
    timers.delete(timer);
    clearInHost(timer);
  };
}

function noteTurns({ turns }: Notes): void {
  const { setImmediate: setInHost, clearImmediate: clearInHost } = globalThis;
  const note = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
    const turn = setInHost(() => {
      turns.delete(turn);
      callback(...args);
    });
    turns.add(turn);
    return turn;
  };
  globalThis.setImmediate = note as typeof setImmediate;
  globalThis.clearImmediate = (turn): void => {
    turns.delete(turn);
    clearInHost(turn);
  };
}

function noteListeners({ signals }: Notes): void {
  AbortSignal.prototype.addEventListener = function addEventListener(
    this: AbortSignal,
    ...args: Parameters<EventTarget["addEventListener"]>
  ): void {
    signals.set(this, new Error("a listener for an abort"));
    EventTarget.prototype.addEventListener.apply(this, args);
  };
}

function noteStorages({ storages }: Notes): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the storage it is called on
  const { run } = AsyncLocalStorage.prototype;
  AsyncLocalStorage.prototype.run = function noteRun(
    this: AsyncLocalStorage<unknown>,
    ...args: unknown[]
  ): unknown {
    storages.add(this);
    return Reflect.apply(run, this, args);
  } as typeof run;
}

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
  turns.clear();
  signals.clear();
  rejections.length = 0;
}

/** What is left, with the place where it was set. A turn that is due takes place first: it leaves nothing. */
export async function leftovers(): Promise<readonly string[]> {
  for (const storage of storages) storage.disable();
  storages.clear();
  const turn = (): Promise<void> => new Promise((resolve) => void nextTurn(resolve));
  await turn();
  if (timers.size + turns.size > 0) await turn();
  // One that has fired never calls again, and keeps nothing alive but itself.
  const live = [...signals].filter(([signal]) => !signal.aborted && listenersOf(signal) > 0);
  const listening = live.map(([, where]) => where);
  const set = [...timers.values(), ...listening].map(placeOf).filter((place) => place !== undefined);
  const due = [...turns].map(() => "setImmediate");
  return [...set, ...due, ...rejections.map((reason) => `an unhandled rejection: ${String(reason)}`)];
}

/** The lines of the project in which it was set; undefined if it is none of the project's. */
function placeOf(set: Error): string | undefined {
  const { message, stack = "" } = set;
  const lines = stack.split("\n").slice(1);
  const ours = lines.filter((line) => !/node_modules|node:|support.leftovers|<anonymous>/.test(line));
  return ours.length === 0 ? undefined : [message, ...ours].join("\n");
}
