/**
 * How a thread has ended, and what the calls fail with that it was at.
 */
import type { ThreadCall } from "./call.ts";
import { textOf } from "./error-record.ts";
import { ThreadCrashError } from "./errors.ts";

export interface ThreadEnd {
  readonly exitCode: number;
  /** Whether its pool has ended it. */
  readonly asked: boolean;
  /** What was thrown in it and not caught, or why it could not load its module. */
  readonly error: { readonly thrown: unknown; readonly loading: boolean } | undefined;
  /** What it was at. */
  readonly begun: readonly ThreadCall[];
  readonly notBegun: readonly ThreadCall[];
}

/** What a call fails with whose thread has died. */
export function crashOf({ error, exitCode }: ThreadEnd): ThreadCrashError {
  const cause = error === undefined ? undefined : { cause: error.thrown };
  const why = error === undefined ? `with exit code ${exitCode}` : `with ${textOf(error.thrown)}`;
  return new ThreadCrashError(`the thread has ended ${why}`, exitCode, cause);
}

/** Why there is no thread any more: what was thrown in it, if anything was. */
export function reasonOf(end: ThreadEnd): unknown {
  return end.error === undefined ? crashOf(end) : end.error.thrown;
}
