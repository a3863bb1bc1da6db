import { ConcurrencyError } from "../core/errors.ts";

/**
 * The thread that was at a job has ended: `process.exit`, memory that ran out, an error that nobody caught. Its `cause` is
 * what was thrown, if anything was. Only the job that was being worked on fails so; those that had not begun go to
 * another thread.
 */
export class ThreadCrashError extends ConcurrencyError {
  /** What the thread ended with. */
  readonly exitCode: number;

  /** @internal */
  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super("CRASHED", message, options);
    this.name = "ThreadCrashError";
    this.exitCode = exitCode;
  }
}
