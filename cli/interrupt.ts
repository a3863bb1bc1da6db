/**
 * Ctrl-C and its like. The first asks the run to end; the second, or two seconds, end it.
 */
import { CanceledError } from "concurrency-model-patterns/errors";
import { exitStatus } from "./failure.ts";

const GRACE_MS = 2000;

/** The signals that have been listened to. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #status: number | undefined;

  constructor() {
    this.#listen("SIGINT", exitStatus.interrupted);
    this.#listen("SIGTERM", exitStatus.terminated);
    this.#listen("SIGHUP", exitStatus.hungUp);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The status with which to end, once a signal came. */
  get status(): number | undefined {
    return this.#status;
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }

  #listen(name: NodeJS.Signals, status: number): void {
    const handler = (): void => {
      if (this.#status !== undefined) process.exit(status);
      this.#status = status;
      setTimeout(() => process.exit(status), GRACE_MS).unref();
      this.#controller.abort(new CanceledError(`interrupted by ${name}`));
    };
    this.#handlers.set(name, handler);
    process.on(name, handler);
  }
}
