/**
 * One who waits for tokens.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";

/** What somebody came for, and when. */
export interface Wanted {
  readonly tokens: number;
  readonly sinceMs: number;
}

/** Tokens it has already, for an instant to come. */
interface Place {
  delayFrom(nowMs: number): number;
  cancel(): void;
}

export class TokenWaiter extends Waiter<void> implements Wanted {
  readonly tokens: number;
  readonly sinceMs: number;
  place: Place | undefined = undefined;
  readonly #left: (waiter: TokenWaiter) => void;

  /** `left` is told if it is given up. */
  constructor(
    runtime: Runtime,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
    wanted: Wanted,
    left: (waiter: TokenWaiter) => void,
  ) {
    super(runtime, "limit", resource, options);
    this.tokens = wanted.tokens;
    this.sinceMs = wanted.sinceMs;
    this.#left = left;
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    this.#left(this);
  }
}
