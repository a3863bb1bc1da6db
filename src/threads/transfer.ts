/**
 * What is moved to another thread and not copied.
 */

/** Two copies of the package, one on each side, know each other's values by this. */
const mark = Symbol.for("concurrency-model-patterns.transferred");

/** A value of which parts are moved; made by {@link transfer}. */
export interface Transferred<T> {
  /** What arrives. */
  readonly value: T;
  /** What of it is moved. */
  readonly list: readonly Transferable[];
}

/**
 * Moves parts of a value to the other thread: a job to its function, or a result to its caller. A buffer that is moved
 * costs nothing to send, and is empty afterwards for whoever sent it.
 *
 * **Not for** a job that must survive its thread: one that was moved to a thread that dies before it began is lost, and
 * fails, where a copied one goes to another thread.
 * **Source** The transfer list of `postMessage`.
 *
 * @example
 * const pixels = new Uint8Array(8);
 * transfer(pixels, [pixels.buffer]).value === pixels; //=> true
 */
export function transfer<T>(value: T, list: readonly Transferable[]): Transferred<T> {
  return Object.assign(Object.create(null) as object, { [mark]: true, value, list });
}

/** What is sent, and what of it is moved. */
export function unwrapped(given: unknown): Transferred<unknown> {
  return isTransferred(given) ? given : { value: given, list: [] };
}

function isTransferred(given: unknown): given is Transferred<unknown> {
  return typeof given === "object" && given !== null && mark in given;
}

/** A list for the host. Throws for a buffer that was moved already: of Node, its whole message would be lost. */
export function movable(list: readonly Transferable[]): readonly Transferable[] {
  for (const part of list) {
    if (part instanceof ArrayBuffer && isDetached(part))
      throw new DOMException("an ArrayBuffer that was moved already cannot be moved again", "DataCloneError");
  }
  return list;
}

/** Its `detached` says so too, but not on Node 20. */
function isDetached(buffer: ArrayBuffer): boolean {
  try {
    return new Uint8Array(buffer).length < 0;
  } catch {
    return true;
  }
}
