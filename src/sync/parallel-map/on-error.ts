/**
 * What is done about a value on which the work failed, when it is not to end everything.
 */
import { requireOneOf } from "../../core/arguments.ts";
import { isCancelled, rejectIfCancelled } from "../../core/cancellation.ts";
import { withSuppressed } from "../../core/errors.ts";
import { completed, giveTurn, turnIfDue } from "../../core/fairness.ts";
import { bareRuntime } from "../../core/bare-runtime.ts";
import { outcomeOf } from "../../core/task.ts";
import type { Context } from "../context.ts";
import type { Outlet } from "../flow/hand-over.ts";

/** A value on which the work failed. */
export interface FailedValue<I> {
  /** The value. */
  readonly value: I;
  /** How many times this value has been tried, from 1. */
  readonly attempt: number;
}

/** `fail`: the failure ends everything. `skip`: there is no result for this value. `retry`: it is tried once more. */
export type ErrorVerdict = "fail" | "skip" | "retry";

/**
 * Takes what the work threw, unchanged, and the value on which it failed, and decides. It may wait: to pause before a
 * `retry`, or to hand the value to others before a `skip`. The worker waits for it. It is not asked once all is being
 * given up; what it throws ends everything.
 */
export type OnValueError<I> = (
  error: unknown,
  failed: FailedValue<I>,
  ctx: Context,
) => ErrorVerdict | PromiseLike<ErrorVerdict>;

/** In the place of a result that there is not. */
export const skipped: unique symbol = Symbol("skipped");

/** What is made of a value: a result, or none. */
export type Made<O> = O | typeof skipped;

/** Works on a value for as long as the verdict is to try again. */
export async function judged<I, O>(
  value: I,
  work: () => Made<O> | PromiseLike<Made<O>>,
  onError: OnValueError<I>,
  ctx: Context,
): Promise<Made<O>> {
  const runtime = bareRuntime();
  for (let attempt = 1; ; attempt++) {
    const outcome = await outcomeOf(work);
    if (outcome.ok) return outcome.value;
    const { error } = outcome;
    if (isCancelled(ctx)) throw error;
    const verdict = await verdictOn(error, { value, attempt }, onError, ctx);
    if (verdict === "fail") throw error;
    if (verdict === "skip") return skipped;
    await rejectIfCancelled(ctx);
    // Neither the work nor the verdict need wait, and the verdict may be the same for ever.
    await giveTurn(runtime);
  }
}

async function verdictOn<I>(
  error: unknown,
  failed: FailedValue<I>,
  onError: OnValueError<I>,
  ctx: Context,
): Promise<ErrorVerdict> {
  const asked = await outcomeOf(async () => {
    const answer = await onError(error, failed, ctx);
    return requireOneOf<ErrorVerdict>("the verdict of onError", answer, ["fail", "skip", "retry"]);
  });
  if (asked.ok) return asked.value;
  // The reason of a cancellation belongs to many: nothing is attached to it.
  throw isCancelled(ctx) ? asked.error : withSuppressed(asked.error, [error]);
}

/** The same outlet, for results among which some are not. */
export function withoutSkipped<O>(out: Outlet<O>): Outlet<Made<O>> {
  const runtime = bareRuntime();
  return {
    send: (result, options) =>
      result === skipped ? completed(runtime, undefined) : out.send(result, options),
    ...(out.trySend !== undefined && {
      trySend: (result) => result === skipped || out.trySend?.(result) === true,
    }),
    ...(out.give !== undefined && {
      give: (result, options) => (result === skipped ? turnIfDue(runtime) : out.give?.(result, options)),
    }),
  };
}
