/**
 * Counts those who share something, so that the last of them closes it.
 */

/**
 * Invariant
 *   I1  `atZero` is called when the last open handle is done, and never while one is open or holds on.
 */
export class HandleCount {
  readonly #atZero: () => void;
  #handles = 0;

  constructor(atZero: () => void) {
    this.#atZero = atZero;
  }

  /** Counts one more. */
  open(): CountedHandle {
    this.#handles++;
    return new CountedHandle(() => {
      if (--this.#handles === 0) this.#atZero();
    });
  }
}

/** One who is counted: done when it was closed and what it held on for has settled. */
export class CountedHandle {
  readonly #done: () => void;
  #state: "open" | "closed" = "open";
  #held = 0;

  constructor(done: () => void) {
    this.#done = done;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Holds on until a call that was begun here has settled. */
  async hold<T>(call: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await call();
    } finally {
      this.#held--;
      if (this.closed && this.#held === 0) this.#done();
    }
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.closed) return;
    this.#state = "closed";
    if (this.#held === 0) this.#done();
  }
}
