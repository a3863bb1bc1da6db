/**
 * Standard output and standard error. A reader who goes away, as `head` does, is no error: then nothing more is
 * written, and whoever asked is told.
 */
import type { Writable } from "node:stream";
import { exitStatus, Failure } from "./failure.ts";

const LONGEST_WAITING = 1 << 16;

/** Where text goes. */
export class Output {
  readonly #stream: Writable;
  readonly #gone = new AbortController();
  #failure: Failure | undefined;
  /** What is to be written with the next turn: a write costs more than a line, and many lines come at once. */
  #waiting = "";

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
  }

  /** Aborts when nobody takes what is written, for whatever reason. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Why it cannot be written to, if that is an error. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  write(text: string): void {
    if (this.#waiting === "") setImmediate(() => this.#writeWaiting());
    this.#waiting += text;
    if (this.#waiting.length > LONGEST_WAITING) this.#writeWaiting();
  }

  /** Writes at once, and what waits before it: where another stream writes to the same screen. */
  writeNow(text: string): void {
    this.#waiting += text;
    this.#writeWaiting();
  }

  /** Settles when all that was written has been taken, or never will be. */
  async flush(): Promise<void> {
    this.#writeWaiting();
    if (this.#gone.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#gone.signal.addEventListener("abort", () => resolve(), { once: true });
      this.#stream.write("", () => resolve());
    });
  }

  #writeWaiting(): void {
    const text = this.#waiting;
    this.#waiting = "";
    if (text !== "" && !this.#gone.signal.aborted) this.#stream.write(text);
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code !== "EPIPE") {
      this.#failure = new Failure(exitStatus.failed, `cannot write to standard output: ${error.message}`);
    }
    this.#gone.abort();
  }
}
