/**
 * How the command fails: one line that says what, perhaps one that helps, and a status.
 */

/** The statuses with which the command ends. */
export const exitStatus = {
  ok: 0,
  failed: 1,
  usage: 2,
  deadlock: 3,
  file: 5,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** A failure that is told to the user in its own words, without a stack. */
export class Failure extends Error {
  readonly status: number;
  /** A second line: the reason, or the way out. */
  readonly hint: string | undefined;

  constructor(status: number, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.status = status;
    this.hint = hint;
  }
}

/** The user asked for something that there is not. */
export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(exitStatus.usage, message, hint);
}

/** What the user reads on standard error. */
export function failureText(error: unknown, debug: boolean): string {
  const failure = error instanceof Failure ? error : undefined;
  const what = failure?.message ?? (error instanceof Error ? error.message : String(error));
  const lines = [`cmp-pattern: error: ${what}`];
  if (failure?.hint !== undefined) lines.push(`  ${failure.hint}`);
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  return `${lines.join("\n")}\n`;
}
