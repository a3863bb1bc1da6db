/**
 * How children are supervised.
 */
import { requireDuration, requireFunction, requireOneOf } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Schedule } from "../../sync/schedule.ts";
import type { SupervisorEvent } from "./events.ts";
import { RestartIntensity } from "./restart-intensity.ts";

/** Which children are restarted together. */
export type RestartStrategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** What every kind of supervisor has. An abort of `signal` stops it. */
export interface SupervisionOptions extends CancelOptions {
  /** How many restarts are allowed within `periodMs`: at least 0, or Infinity; default 1. */
  readonly intensity?: number | undefined;
  /** How far back restarts count, in milliseconds: above 0; default 5000. */
  readonly periodMs?: number | undefined;
  /**
   * How long a restart waits, in milliseconds; default 0. A {@link Schedule}, such as `exponentialDelay()`, makes it grow
   * with each restart of that child in a row. With `Infinity` there is no further restart: the supervisor gives up. If it
   * breaks, or gives no number, the supervisor ends with that error.
   */
  readonly restartDelayMs?: number | Schedule | undefined;
  /** A child that was ready for so long begins a new row of restarts, in milliseconds; default `periodMs`. */
  readonly healthyAfterMs?: number | undefined;
  /** Told of what happens, as it happens. What it throws becomes an uncaught exception of the host. */
  readonly onEvent?: ((event: SupervisorEvent) => void) | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** How children are supervised. */
export interface SupervisorOptions extends SupervisionOptions {
  /**
   * `one-for-one`, the default: only the child that ended is restarted. `one-for-all`: all are. `rest-for-one`: it and
   * those after it. Those that still run are stopped before, in reverse order.
   */
  readonly strategy?: RestartStrategy | undefined;
  /**
   * Whether the end of significant children is that of the supervisor: of the first (`any-significant`), or when none
   * of them is left that runs or will (`all-significant`). Only an end of their own counts, after which they are not
   * restarted. Default `never`.
   */
  readonly autoShutdown?: "never" | "any-significant" | "all-significant" | undefined;
  /** Whether it ends when no child is left that runs or will, or stays for those that are added; default `end`. */
  readonly whenIdle?: "end" | "stay" | undefined;
}

/** Options that were checked, with every default in its place. */
export interface CheckedOptions {
  readonly strategy: RestartStrategy;
  readonly intensity: RestartIntensity;
  readonly restartDelay: Schedule;
  readonly healthyAfterMs: number;
  readonly autoShutdown: "never" | "any-significant" | "all-significant";
  readonly whenIdle: "end" | "stay";
  /** Whether children are stopped in reverse order, or all at once and with one limit. */
  readonly stopping: "in-reverse" | { readonly limitMs: number };
  /** How many children there may be. */
  readonly capacity: number;
}

/** Refuses what is wrong, by name. */
export function checkOptions(options: SupervisorOptions): CheckedOptions {
  const { restartDelayMs = 0, periodMs, onEvent } = options;
  if (onEvent !== undefined) requireFunction("onEvent", onEvent);
  const ends = ["never", "any-significant", "all-significant"] as const;
  return {
    strategy: requireOneOf("strategy", options.strategy ?? "one-for-one", [
      "one-for-one",
      "one-for-all",
      "rest-for-one",
    ]),
    intensity: new RestartIntensity(options.intensity, periodMs),
    restartDelay: checkDelay(restartDelayMs),
    healthyAfterMs: requireDuration("healthyAfterMs", options.healthyAfterMs ?? periodMs ?? 5000),
    autoShutdown: requireOneOf("autoShutdown", options.autoShutdown ?? "never", ends),
    whenIdle: requireOneOf("whenIdle", options.whenIdle ?? "end", ["end", "stay"]),
    stopping: "in-reverse",
    capacity: Number.POSITIVE_INFINITY,
  };
}

function checkDelay(delay: number | Schedule): Schedule {
  if (typeof delay === "function")
    return (restarts, ...more) => requireDuration(`restartDelayMs(${restarts})`, delay(restarts, ...more));
  const delayMs = requireDuration("restartDelayMs", delay);
  return () => delayMs;
}
