/**
 * Standard output and standard error. A reader who goes away, as `head` does, is no error: then nothing more is
 * written, and whoever asked is told.
 */
import type { Writable } from "node:stream";
import { exitStatus, Failure } from "./failure.ts";

/** Where text goes. */
export class Output {
  readonly #stream: Writable;
  readonly #gone = new AbortController();
  #failure: Failure | undefined;

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
    if (!this.#gone.signal.aborted) this.#stream.write(text);
  }

  /** Settles when all that was written has been taken, or never will be. */
  async flush(): Promise<void> {
    if (this.#gone.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#gone.signal.addEventListener("abort", () => resolve(), { once: true });
      this.#stream.write("", () => resolve());
    });
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code !== "EPIPE") {
      this.#failure = new Failure(exitStatus.failed, `cannot write to standard output: ${error.message}`);
    }
    this.#gone.abort();
  }
}
