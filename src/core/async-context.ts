/**
 * Keeps the async context (AsyncLocalStorage) in which it was made, so that a callback can run in it later.
 *
 * A reaction of a promise runs in the context in which it was registered. So the reaction is registered at once, to a
 * promise that is settled with the callback when the time has come. No host has to help with that.
 *
 * Invariant
 *   I1  There is always a reaction that waits for the next callback: each registers its successor before it calls.
 */
export class AsyncContext {
  #open!: (call: () => unknown) => void;
  #result!: Promise<unknown>;

  constructor() {
    this.#arm();
  }

  /** Calls back in this context, one turn of microtasks later. One at a time: not before the last one has begun. */
  run<T>(call: () => T | PromiseLike<T>): Promise<T> {
    const result = this.#result as Promise<T>;
    this.#open(call);
    return result;
  }

  #arm(): void {
    const gate = new Promise<() => unknown>((resolve) => {
      this.#open = resolve;
    });
    this.#result = gate.then((call) => {
      this.#arm();
      return call();
    });
  }
}

/** Registers `call` now; the function returned lets it run once, in this context. */
export function inThisContext(call: () => void): () => void {
  const context = new AsyncContext();
  return () => void context.run(call);
}
