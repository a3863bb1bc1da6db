/**
 * When a circuit breaker opens and closes. Nothing here has a clock: every step is told the instant, in milliseconds.
 *
 * Invariants
 *   I1  A half-open circuit has let one call through, the probe.
 *   I2  An open one becomes half-open only because a call asks, so that no timer is needed.
 */

/** How many calls came back, and how many of them had failed. */
interface Count {
  readonly calls: number;
  readonly failures: number;
}

/** The calls of the latest time, in two halves: so it reaches back between half a window and a whole one. */
interface Recent {
  readonly startedMs: number;
  readonly before: Count;
  readonly current: Count;
}

/** Where a circuit stands. */
export type Circuit =
  /** All calls go through. `consecutive` counts the failures since the last success. */
  | { readonly state: "closed"; readonly consecutive: number; readonly recent: Recent }
  /** No call goes through before `untilMs`; the first one then is the probe. */
  | { readonly state: "open"; readonly untilMs: number }
  /** The probe is under way. If it has not come back by `untilMs`, another may try. */
  | { readonly state: "half-open"; readonly untilMs: number };

/** A call asks to go through; one that went through has come back, and says how. `left` says nothing: it was given up. */
export type CircuitEvent = "asked" | "succeeded" | "failed" | "left";

/** When it opens, and for how long. */
export interface CircuitRules {
  readonly consecutive: number;
  readonly rate: FailureRate | undefined;
  readonly openMs: number;
}

/** A share of the latest calls. */
export interface FailureRate {
  /** Which share of the calls must have failed: above 0, to 1. */
  readonly share: number;
  /** How far back calls count, in milliseconds: above 0. It is kept in two halves; at least one of them counts. */
  readonly windowMs: number;
  /** With fewer calls than this, nothing is concluded: at least 1. */
  readonly minCalls: number;
}

const NONE: Count = { calls: 0, failures: 0 };

/** A closed circuit that knows of no calls yet. */
export function closedCircuit(nowMs: number): Circuit {
  return { state: "closed", consecutive: 0, recent: { startedMs: nowMs, before: NONE, current: NONE } };
}

/**
 * The next state. A call that asks goes through if the circuit is closed, or if its asking has changed the state: then it
 * is the probe. Who came through in an earlier state must not report any more.
 */
export function nextState(
  circuit: Circuit,
  event: CircuitEvent,
  nowMs: number,
  rules: CircuitRules,
): Circuit {
  if (event === "asked") {
    if (circuit.state === "closed" || nowMs < circuit.untilMs) return circuit;
    return { state: "half-open", untilMs: nowMs + rules.openMs };
  }
  if (circuit.state === "closed") {
    return event === "left" ? circuit : afterCall(circuit, event === "failed", nowMs, rules);
  }
  if (circuit.state === "open") return circuit;
  if (event === "succeeded") return closedCircuit(nowMs);
  return { state: "open", untilMs: event === "failed" ? nowMs + rules.openMs : nowMs };
}

function afterCall(
  circuit: Circuit & { readonly state: "closed" },
  failed: boolean,
  nowMs: number,
  { consecutive: limit, rate, openMs }: CircuitRules,
): Circuit {
  const consecutive = failed ? circuit.consecutive + 1 : 0;
  const recent =
    rate === undefined ? circuit.recent : count(circuit.recent, failed, nowMs, rate.windowMs / 2);
  if (failed && (consecutive >= limit || isTooMany(recent, rate)))
    return { state: "open", untilMs: nowMs + openMs };
  return { state: "closed", consecutive, recent };
}

function count(recent: Recent, failed: boolean, nowMs: number, halfMs: number): Recent {
  const passed = Math.max(0, Math.floor((nowMs - recent.startedMs) / halfMs));
  const { calls, failures } = passed === 0 ? recent.current : NONE;
  return {
    startedMs: recent.startedMs + passed * halfMs,
    before: passed === 0 ? recent.before : passed === 1 ? recent.current : NONE,
    current: { calls: calls + 1, failures: failures + (failed ? 1 : 0) },
  };
}

function isTooMany({ before, current }: Recent, rate: FailureRate | undefined): boolean {
  if (rate === undefined) return false;
  const calls = before.calls + current.calls;
  return calls >= rate.minCalls && before.failures + current.failures >= rate.share * calls;
}
