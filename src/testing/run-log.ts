/**
 * The first and the last event of a run.
 */
import { isCancellation } from "../core/errors.ts";
import type { RunEnd, Tracer } from "../core/events.ts";
import type { Outcome } from "../core/task.ts";
import { VERSION } from "../core/version.ts";
import { DeadlockError, errorText } from "./reports.ts";

/** Heads an event log. */
export interface RunLabel {
  /** One word. */
  readonly pattern: string;
  /** As a heading. */
  readonly title: string;
  /** What was set. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** How time passes in a run, and what the log says is run. */
interface RunKind {
  readonly clock?: "virtual" | "real" | undefined;
  readonly speed?: number | undefined;
  readonly label?: RunLabel | undefined;
}

/** Says what begins. */
export function logStart(log: Tracer | undefined, seed: number, { clock, speed, label }: RunKind): void {
  const { pattern, title, params } = label ?? { pattern: "", title: "", params: {} };
  const paced = speed !== undefined && speed !== Number.POSITIVE_INFINITY;
  const kind = clock === "real" ? "real" : paced ? "paced" : "virtual";
  log?.emit({ k: "run.start", pattern, title, seed, params, clock: kind, lib: VERSION });
}

/** Says how it has ended, and in how many steps and tasks. */
export function logEnd(
  log: Tracer | undefined,
  { steps, spawned }: { readonly steps: number; readonly spawned: number },
  outcome: Outcome<unknown>,
): void {
  const how = outcome.ok ? "ok" : howItFailed(outcome.error);
  const err = outcome.ok ? undefined : errorText(outcome.error);
  log?.emit({ k: "run.end", how, err, stats: { steps, tasks: spawned } });
}

function howItFailed(error: unknown): RunEnd {
  if (error instanceof DeadlockError) return "deadlock";
  return isCancellation(error) ? "cancelled" : "error";
}
