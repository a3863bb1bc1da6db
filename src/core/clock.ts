/**
 * Time behind one small interface. Nothing else in the library reads a clock or sets a timer.
 */

/** A timer that was set. */
export interface Timer {
  /** Stops it. Does nothing if it has fired or was stopped. */
  cancel(): void;
  /**
   * Lets the process end though it is set, where there is a process that could. For housekeeping: a timer that somebody
   * waits for must keep the process alive.
   */
  unref?(): void;
}

/** A monotonic clock in milliseconds. */
export interface Clock {
  /** Milliseconds since some fixed instant. Never goes back; a change of the wall clock does not move it. */
  now(): number;
  /**
   * Calls `callback` once, `delayMs` from now or a little later, never earlier and never inside this call.
   * `Infinity` never fires. Delays above 2^31-1 ms are honoured.
   */
  after(delayMs: number, callback: () => void): Timer;
}

/** What a host timer can wait for at most; a longer delay would fire after 1 ms. */
const LONGEST_HOST_DELAY_MS = 0x7fff_ffff;

class SystemTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #handle: ReturnType<typeof setTimeout> | undefined;
  #holdsProcess = true;

  constructor(delayMs: number, callback: () => void) {
    this.#dueMs = performance.now() + delayMs;
    this.#callback = callback;
    if (delayMs !== Infinity) this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  unref(): void {
    this.#holdsProcess = false;
    unrefHandle(this.#handle);
  }

  #arm(delayMs: number): void {
    this.#handle = setTimeout(() => this.#fired(), Math.min(Math.ceil(delayMs), LONGEST_HOST_DELAY_MS));
    if (!this.#holdsProcess) unrefHandle(this.#handle);
  }

  /** A host timer may fire a fraction early, and a long delay takes several: go on until the instant is reached. */
  #fired(): void {
    const remainingMs = this.#dueMs - performance.now();
    if (remainingMs > 0) this.#arm(remainingMs);
    else this.#callback();
  }
}

/** A host's handle for a timer is an object that can do so on a server, and a mere number in a browser. */
function unrefHandle(handle: unknown): void {
  (handle as { unref?: () => void } | undefined)?.unref?.();
}

/** The instant, in milliseconds of the machine's monotonic clock. */
export function systemNow(): number {
  return performance.now();
}

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  now: systemNow,
  after: (delayMs, callback) => new SystemTimer(delayMs, callback),
};

/**
 * Calls `callback` when every microtask has run and the host has had its turn for timers and I/O.
 * `setImmediate` where there is one, a message to oneself elsewhere.
 */
export function nextTurn(callback: () => void): void {
  // Node's, Bun's and Deno's; a browser's types do not have it.
  const host = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (host.setImmediate === undefined) messageTurn(callback);
  else host.setImmediate(callback);
}

/** What waits for the message. */
const posted: (() => void)[] = [];
let mailbox: MessageChannel | undefined;

function messageTurn(callback: () => void): void {
  if (mailbox === undefined) {
    mailbox = new MessageChannel();
    mailbox.port1.addEventListener("message", () => {
      for (const due of posted.splice(0)) due();
    });
    mailbox.port1.start();
  }
  if (posted.push(callback) === 1) mailbox.port2.postMessage(0);
}
