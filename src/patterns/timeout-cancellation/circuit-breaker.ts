/**
 * Spares a server that does not answer, and its callers the wait for it.
 *
 * Invariants
 *   I1  Each call that went through reports once, unless the circuit has changed since: then it is too old to tell.
 *   I2  While the circuit is half-open, one call is under way that may report.
 */
import { requireFunction, requireInteger, requireLimit, requirePositive } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { ConcurrencyError, isCancellation, withSuppressed } from "../../core/errors.ts";
import { begin } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import type { Task } from "../../sync/task-group.ts";
import {
  type Circuit,
  type CircuitEvent,
  type CircuitRules,
  closedCircuit,
  type FailureRate,
  nextState,
} from "./circuit.ts";

export type { FailureRate } from "./circuit.ts";

/** Where a breaker stands. */
export type BreakerState = "closed" | "open" | "half-open";

/** When a breaker opens, and for how long. */
export interface CircuitBreakerOptions {
  /** Opens after so many failures in a row: at least 1; default 5; Infinity to look at the rate alone. */
  readonly consecutive?: number | undefined;
  /** Opens also when such a share of the latest calls has failed. */
  readonly rate?: FailureRate | undefined;
  /** How long it lets nobody through, in milliseconds: above 0; default 10000. */
  readonly openMs?: number | undefined;
  /** Whether an error says that the server is in trouble; by default each does. One that does not counts as a success. */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /** Told of each change of state, after it. */
  readonly onChange?: ((state: BreakerState) => void) | undefined;
  /** A short name for errors and for the event log. */
  readonly name?: string | undefined;
}

/** A breaker did not let a call through. Its `cause` is the failure that opened the breaker. Code `OPEN`. */
export class CircuitOpenError extends ConcurrencyError {
  /**
   * When to ask again, in milliseconds from now: while the breaker is open, sooner is in vain; while it is half-open, its
   * probe is back by then, or another call may try.
   */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super("OPEN", message, options);
    this.name = "CircuitOpenError";
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Lets calls through as long as they succeed; when too many fail, refuses all of them for a while, then lets one through
 * to see. If that one succeeds, the breaker closes again. Make one for each server.
 *
 * **Guarantees** Half-open, it lets one call through, and no second one before that one has come back, or has been away
 * for `openMs`. What comes back from before a change of state does not count.
 * **Cancellation** When `signal` aborts, the context of the task ends, and the task is waited for. A call that was given
 * up and fails says nothing about the server, whatever it throws: it does not count, and if it was the probe, the next
 * call is. A deadline that passes does count, also if it is the caller's: a server that does not answer is in trouble.
 * **Errors** What the task throws, unchanged. `CircuitOpenError` if the call was not let through: then it was not run.
 * **Cost** A context for each call. No timer and nothing to dispose of.
 * **Not for** the slow server whose calls have no time limit: put `timeout` inside. What refuses calls on this side, such
 * as a `Bulkhead`, belongs around it, or the server is blamed for that.
 * **Source** M. Nygard, "Release It!" (2007).
 *
 * @example
 * const breaker = new CircuitBreaker({ consecutive: 2, openMs: 60_000, name: "users" });
 * const failing = () => Promise.reject(new Error("no route to host"));
 * for (let call = 1; call <= 2; call++) await breaker.run(failing).catch(() => {});
 * breaker.state; //=> "open"
 * const refused: unknown = await breaker.run(failing).catch((error: unknown) => error);
 * ((refused as CircuitOpenError).cause as Error).message; //=> "no route to host"
 */
export class CircuitBreaker {
  readonly #runtime: Runtime = currentRuntime();
  readonly #rules: CircuitRules;
  readonly #options: CircuitBreakerOptions;
  /** That of whoever made the breaker and handed `onChange` over. */
  readonly #context: AsyncContext | undefined;
  #circuit: Circuit;
  /** Grows with each change of state, so that a call can tell whether it is still the same. */
  #period = 0;
  #blamed: unknown;

  constructor(options: CircuitBreakerOptions = {}) {
    this.#options = options;
    this.#rules = {
      consecutive: requireLimit("consecutive", options.consecutive ?? 5, 1),
      rate: options.rate === undefined ? undefined : requireRate(options.rate),
      openMs: requirePositive("openMs", options.openMs ?? 10_000),
    };
    if (options.when !== undefined) requireFunction("when", options.when);
    if (options.onChange !== undefined) requireFunction("onChange", options.onChange);
    this.#context = options.onChange === undefined ? undefined : new AsyncContext();
    this.#circuit = closedCircuit(this.#runtime.clock.now());
  }

  /** Where it stands. An open one stays open until a call asks, also when its time has passed. */
  get state(): BreakerState {
    return this.#circuit.state;
  }

  /** Runs a task, if it is let through. */
  run<T>(task: Task<T>, options?: CancelOptions): Promise<T> {
    requireFunction("task", task);
    return begin(this.#runtime, () => this.#run(task, options));
  }

  async #run<T>(task: Task<T>, options: CancelOptions | undefined): Promise<T> {
    const { ctx, cancel } = withCancel(options ?? {});
    try {
      await rejectIfCancelled(ctx);
      const period = this.#enter();
      const outcome = await outcomeOf(() => task(ctx));
      if (period === this.#period) this.#report(outcome, ctx);
      return valueOf(outcome);
    } finally {
      cancel();
    }
  }

  /** Lets a call through, and gives the period in which it came. */
  #enter(): number {
    const before = this.#circuit;
    this.#step("asked");
    if (before.state === "closed" || before !== this.#circuit) return this.#period;
    throw this.#refusal(before.untilMs - this.#runtime.clock.now());
  }

  /** If `when` throws, nothing is known of the server: the call must not keep the place of the probe for that. */
  #report(outcome: Outcome<unknown>, ctx: Context): void {
    let event: CircuitEvent = "left";
    try {
      event = this.#eventOf(outcome, ctx);
    } catch (thrown) {
      throw withSuppressed(thrown, outcome.ok ? [] : [outcome.error]);
    } finally {
      if (event === "failed" && !outcome.ok) this.#blamed = outcome.error;
      this.#step(event);
    }
  }

  #eventOf(outcome: Outcome<unknown>, ctx: Context): CircuitEvent {
    if (outcome.ok) return "succeeded";
    if (ctx.error?.code === "CANCELED" || isCancellation(outcome.error)) return "left";
    return this.#options.when?.(outcome.error) === false ? "succeeded" : "failed";
  }

  #step(event: CircuitEvent): void {
    const before = this.#circuit;
    const next = nextState(before, event, this.#runtime.clock.now(), this.#rules);
    this.#circuit = next;
    if (next === before || (next.state === "closed" && before.state === "closed")) return;
    this.#period++;
    if (next.state !== before.state) this.#tell(next.state);
  }

  #tell(state: BreakerState): void {
    const { onChange } = this.#options;
    this.#runtime.tracer?.emit({ k: "warn", code: "circuit", text: `${this.#name} is ${state}` });
    if (onChange !== undefined) this.#context?.run(() => onChange(state)).catch(reportUncaught);
  }

  #refusal(retryAfterMs: number): CircuitOpenError {
    const text = `${this.#name} is ${this.#circuit.state}`;
    return new CircuitOpenError(text, retryAfterMs, { cause: this.#blamed });
  }

  get #name(): string {
    return this.#options.name === undefined ? "circuit" : `circuit ${JSON.stringify(this.#options.name)}`;
  }
}

function requireRate({ share, windowMs, minCalls }: FailureRate): FailureRate {
  requirePositive("rate.share", share);
  if (share > 1) throw new RangeError(`rate.share must be a number above 0, to 1, got ${share}`);
  requirePositive("rate.windowMs", windowMs);
  requireInteger("rate.minCalls", minCalls, 1);
  return { share, windowMs, minCalls };
}
