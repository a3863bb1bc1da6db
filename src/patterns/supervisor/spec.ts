/**
 * What a child is, and what it is given.
 */
import {
  refuseType,
  requireDuration,
  requireFunction,
  requireOneOf,
  requirePositive,
} from "../../core/arguments.ts";
import type { AsyncContext } from "../../core/async-context.ts";
import { isCancellation } from "../../core/errors.ts";
import type { Outcome } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";
import { superviseInner, type Supervised } from "./inner.ts";

/** What a child is given. Its functions can be taken out of it, and do nothing once they no longer matter. */
export interface ChildContext {
  /** Ends when the child is to stop, and when it has ended. */
  readonly ctx: Context;
  /** How often this child has been restarted: 0 the first time. */
  readonly restarts: number;
  /** Says that it is up: the start of a child with `readyWithinMs` is over. */
  readonly ready: () => void;
  /** Says that there is nothing to do: when it returns then, it is not started again, whatever its restart type. */
  readonly ignore: () => void;
  /** Says that it is alive, to the watchdog of a child with `watchdogMs`. */
  readonly heartbeat: () => void;
}

/** What every kind of child has. */
interface CommonSpec {
  /** Its name: not empty, and no other child's. */
  readonly id: string;
  /**
   * `permanent`, the default: restarted however it ends. `transient`: only if it fails; a return and a cancellation of
   * its own are no failure. `temporary`: never, also when its siblings are.
   */
  readonly restart?: "permanent" | "transient" | "temporary" | undefined;
  /**
   * How long it is waited for once its context has ended, in milliseconds; default 5000, and `Infinity` for a
   * supervisor. `Infinity` waits for as long as it takes, 0 not at all. Then it is abandoned: an async function cannot
   * be killed.
   */
  readonly shutdownMs?: number | undefined;
  /**
   * Whether its end can be that of the supervisor, as `autoShutdown` says; default false. Refused where it would mean
   * nothing: for a permanent child, and without `autoShutdown`.
   */
  readonly significant?: boolean | undefined;
}

/** Describes a child. */
export interface ChildSpec extends CommonSpec {
  /** The child's whole life: it has ended when this settles. */
  readonly start: (child: ChildContext) => PromiseLike<void> | void;
  /**
   * If given, the child has started only when it calls `ready` or returns, and the next one waits for that; `Infinity`
   * for as long as it takes. Not ready after so many milliseconds, or failed before, it could not be started.
   */
  readonly readyWithinMs?: number | undefined;
  /**
   * If given, a child that is ready and calls `heartbeat` less often than every so many milliseconds is ended, and has
   * failed. Above 0.
   */
  readonly watchdogMs?: number | undefined;
}

/** Describes a child that is a supervisor. It has started when all its own children have; giving up is its failure. */
export interface SupervisorChildSpec extends CommonSpec {
  /** Makes the supervisor, a new one for each life. */
  readonly supervisor: (child: ChildContext) => Supervised;
}

/** A description that was checked, with every default in its place. */
export interface CheckedSpec {
  readonly id: string;
  readonly start: (
    child: ChildContext,
    isSupervisor: (inner: Supervised) => void,
  ) => PromiseLike<void> | void;
  readonly restart: "permanent" | "transient" | "temporary";
  readonly shutdownMs: number;
  readonly significant: boolean;
  readonly readyWithinMs: number | undefined;
  readonly watchdogMs: number | undefined;
  /** Where `start` is to be called, if not where the supervisor was made. */
  readonly context?: AsyncContext;
}

/** Refuses what is wrong, by name. `mayEnd`: whether the end of a child can be that of the supervisor. */
export function checkSpecs(
  children: readonly (ChildSpec | SupervisorChildSpec)[],
  mayEnd: boolean,
): CheckedSpec[] {
  if (!Array.isArray(children)) refuseType("children", "an array", children);
  const seen = new Set<string>();
  return children.map((spec, index) => {
    const where = `children[${index}]`;
    const checked = checkSpec(where, spec, mayEnd);
    const { id } = checked;
    if (seen.has(id))
      throw new RangeError(`${where}.id must be no other child's, got ${JSON.stringify(id)} twice`);
    seen.add(id);
    return checked;
  });
}

/** Refuses what is wrong with one description, by name. */
export function checkSpec(
  where: string,
  spec: ChildSpec | SupervisorChildSpec,
  mayEnd: boolean,
): CheckedSpec {
  const { id, significant = false } = spec;
  if (typeof id !== "string" || id === "") refuseType(`${where}.id`, "a string that is not empty", id);
  const kinds = ["permanent", "transient", "temporary"] as const;
  const restart = requireOneOf(`${where}.restart`, spec.restart ?? "permanent", kinds);
  if (typeof significant !== "boolean") refuseType(`${where}.significant`, "a boolean", significant);
  if (significant && restart === "permanent")
    throw new RangeError(
      `${where}.significant must not be true of a permanent child: it is always restarted`,
    );
  if (significant && !mayEnd)
    throw new RangeError(`${where}.significant must not be true without autoShutdown: it would mean nothing`);
  const nested = "supervisor" in spec;
  const shutdownMs = spec.shutdownMs ?? (nested ? Number.POSITIVE_INFINITY : 5000);
  const common = {
    id,
    restart,
    significant,
    shutdownMs: requireDuration(`${where}.shutdownMs`, shutdownMs),
  };
  return { ...common, ...(nested ? checkSupervisor(where, spec) : checkTask(where, spec)) };
}

type Kind = Pick<CheckedSpec, "start" | "readyWithinMs" | "watchdogMs">;

function checkTask(where: string, spec: ChildSpec): Kind {
  const { readyWithinMs, watchdogMs } = spec;
  requireFunction(`${where}.start`, spec.start);
  if (readyWithinMs !== undefined) requireDuration(`${where}.readyWithinMs`, readyWithinMs);
  if (watchdogMs !== undefined) requirePositive(`${where}.watchdogMs`, watchdogMs);
  return { start: (child) => spec.start(child), readyWithinMs, watchdogMs };
}

function checkSupervisor(where: string, spec: SupervisorChildSpec): Kind {
  requireFunction(`${where}.supervisor`, spec.supervisor);
  return {
    start: (child, isSupervisor) => {
      const inner = spec.supervisor(child);
      isSupervisor(inner);
      return superviseInner(inner, child);
    },
    readyWithinMs: Number.POSITIVE_INFINITY,
    watchdogMs: undefined,
  };
}

/** Whether a child that ended like this is to be started again. */
export function wantsRestart({ restart }: CheckedSpec, outcome: Outcome<void>): boolean {
  return restart === "permanent" || (restart === "transient" && failed(outcome));
}

/** Whether an end was a failure: a child that gave itself up has not failed, as `shutdown` is no failure in OTP. */
export function failed(outcome: Outcome<void>): outcome is Outcome<void> & { readonly ok: false } {
  return !outcome.ok && !isCancellation(outcome.error);
}
