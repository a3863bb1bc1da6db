/**
 * What is behind a context: an end of one of two kinds, a deadline, and an AbortSignal if somebody asks for it.
 */
import {
  Cancellation,
  type CancellationCarrier,
  type CancelOptions,
  deadlineOf,
  type Ending,
  standFor,
} from "./cancellation.ts";
import { CanceledError, TimeoutError } from "./errors.ts";

type Kind = typeof CanceledError | typeof TimeoutError;

/** The end of a context: the kind, and what was blamed. Its error is made when first asked for, as most never are. */
export class ScopeEnding implements Ending {
  readonly #kind: Kind;
  readonly #blamed: unknown;
  #error: CanceledError | TimeoutError | undefined;

  constructor(kind: Kind, blamed?: unknown) {
    this.#kind = kind;
    this.#blamed = blamed;
  }

  get reason(): unknown {
    return this.#blamed === undefined ? this.error : this.#blamed;
  }

  /** The kind, as an error. */
  get error(): CanceledError | TimeoutError {
    this.#error ??= errorBlaming(this.#kind, this.#blamed);
    return this.#error;
  }
}

/** What was blamed serves as the error if it is of the right kind; else it is the error's cause. */
function errorBlaming(kind: Kind, blamed: unknown): CanceledError | TimeoutError {
  if (blamed instanceof kind) return blamed;
  return new kind(undefined, blamed === undefined ? undefined : { cause: blamed });
}

/** An end as an error: the same one each time. Of a foreign signal's reason, the Web's `TimeoutError` stays a timeout. */
export function errorOf(ending: Ending): CanceledError | TimeoutError {
  const timeout = (): boolean =>
    (ending.reason as { name?: unknown } | null | undefined)?.name === "TimeoutError";
  ending.error ??= errorBlaming(timeout() ? TimeoutError : CanceledError, ending.reason);
  return ending.error;
}

export class Scope extends Cancellation {
  // What is optional is not written unless needed: there may be very many.
  declare readonly deadlineMs?: number;
  declare private controller?: AbortController;

  constructor(
    parent: CancelOptions & CancellationCarrier,
    deadlineMs: number | undefined = deadlineOf(parent),
  ) {
    super(parent);
    if (deadlineMs !== undefined) this.deadlineMs = deadlineMs;
  }

  /** The same as an AbortSignal, made when first asked for. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      standFor(this, this.controller.signal);
      if (this.ending !== undefined) this.controller.abort(this.ending.reason);
    }
    return this.controller.signal;
  }

  /** Whether anybody would be told of its end. */
  get watched(): boolean {
    return this.controller !== undefined || (this.ties !== undefined && this.ties.size > 0);
  }

  protected override ended(ending: Ending): void {
    this.controller?.abort(ending.reason);
  }
}
