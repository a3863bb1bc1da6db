/**
 * Keeps the async context (AsyncLocalStorage) in which it was made, so that a callback can run in it later.
 *
 * A reaction of a promise runs in the context in which it was registered. So the reaction is registered at once, to a
 * promise that is settled with the callback when the time has come. No host has to help with that.
 *
 * Invariant
 *   I1  There is always a reaction that waits for the next call: each registers its successor before it calls.
 */
export class AsyncContext {
  readonly #calls: (() => void)[] = [];
  #open!: () => void;

  constructor() {
    this.#arm();
  }

  /** Calls back in this context, one turn of microtasks later, in the order in which it was asked to. */
  run<T>(call: () => T | PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#calls.push(() => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
      this.#open();
    });
  }

  #arm(): void {
    const gate = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
    void gate.then(() => this.#callAll());
  }

  #callAll(): void {
    this.#arm();
    for (const call of this.#calls.splice(0)) call();
  }
}
