/**
 * How often a supervisor may restart before it gives up.
 */
import { requireLimit, requirePositive } from "../../core/arguments.ts";
import { ConcurrencyError } from "../../core/errors.ts";

/** Why a restart was wanted. */
export interface RestartReason {
  /** The child that was no longer there. */
  readonly id: string;
  /** `failed`: it threw. `ended`: it returned, or gave itself up, and was not meant to. */
  readonly after: "ended" | "failed";
  /** What it threw, if it did. */
  readonly error: unknown;
  /** When, in milliseconds of `now()`. */
  readonly atMs: number;
}

/**
 * A supervisor had to restart too often, or could not start. Its `cause` is what the last child threw. Code `GAVE_UP`.
 */
export class SupervisorError extends ConcurrencyError {
  /** Every reason for a restart within the period, the oldest first. The last is the one that was too many. */
  readonly history: readonly RestartReason[];

  constructor(message: string, history: readonly RestartReason[]) {
    super("GAVE_UP", message, { cause: history.at(-1)?.error });
    this.name = "SupervisorError";
    this.history = history;
  }
}

/**
 * The last restarts, as far back as the period reaches.
 *
 * Invariant
 *   I1  There are at most `intensity + 1` entries, and none if there is no limit.
 */
export class RestartIntensity {
  readonly #intensity: number;
  readonly #periodMs: number;
  #history: readonly RestartReason[] = [];

  constructor(intensity = 1, periodMs = 5000) {
    this.#intensity = requireLimit("intensity", intensity, 0);
    this.#periodMs = requirePositive("periodMs", periodMs);
  }

  /** Counts one more restart. Throws if it is one too many: an entry as old as the period still counts, as in OTP. */
  count(reason: RestartReason): void {
    if (this.#intensity === Number.POSITIVE_INFINITY) return;
    const recent = this.#history.filter(({ atMs }) => atMs >= reason.atMs - this.#periodMs);
    this.#history = [...recent, reason];
    if (this.#history.length > this.#intensity)
      throw new SupervisorError(this.#tooMany(reason), this.#history);
  }

  #tooMany({ id, after }: RestartReason): string {
    const limit = `${this.#intensity} ${this.#intensity === 1 ? "restart" : "restarts"} within ${this.#periodMs} ms`;
    return `child ${JSON.stringify(id)} ${after}, and no more than ${limit} are allowed`;
  }
}
