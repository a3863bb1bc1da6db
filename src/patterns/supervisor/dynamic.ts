/**
 * Supervises many children that are alike and come and go: connections, sessions, jobs. As Elixir's `DynamicSupervisor`
 * and OTP's `simple_one_for_one`.
 */
import { requireFunction, requireLimit } from "../../core/arguments.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { checkOptions, type SupervisionOptions } from "./options.ts";
import { type ChildContext, checkSpec, type ChildSpec, type CheckedSpec } from "./spec.ts";
import { Supervision } from "./supervision.ts";

/** What all children of a {@link DynamicSupervisor} have in common, and how they are supervised. */
export interface DynamicSupervisorOptions
  extends SupervisionOptions,
    Pick<ChildSpec, "restart" | "shutdownMs" | "readyWithinMs" | "watchdogMs"> {
  /** How many children there may be, those that wait for a restart included: at least 1; default Infinity. */
  readonly capacity?: number | undefined;
}

/**
 * A supervisor of children that differ only in what they are given.
 *
 * **Guarantees** As `Supervisor` with `one-for-one`, but children stop all at once: stopping takes as long as the
 * slowest child, and `shutdownMs` at most. It has no children to begin with, and stays until it is stopped or gives up.
 * **Errors** `SupervisorError`, from `wait`, if it gave up. The intensity is that of all children together.
 * **Cost** O(1) for each child that is added or ends; a restart is O(intensity + restarts that are due).
 * **Source** OTP's `simple_one_for_one`.
 *
 * @example
 * const greeted: string[] = [];
 * const greeters = new DynamicSupervisor<string>((child, name) => void greeted.push(name), { restart: "temporary" });
 * await greeters.add("ada");
 * await greeters.add("grace");
 * await greeters.stop();
 * greeted; //=> ["ada", "grace"]
 */
export class DynamicSupervisor<A = void> extends Supervision {
  readonly #start: (child: ChildContext, argument: A) => PromiseLike<void> | void;
  readonly #template: Omit<CheckedSpec, "start">;
  #added = 0;

  /** `start` is the whole life of each child, and is called with what `add` was given. */
  constructor(
    start: (child: ChildContext, argument: A) => PromiseLike<void> | void,
    options: DynamicSupervisorOptions = {},
  ) {
    requireFunction("start", start);
    const { restart, shutdownMs, readyWithinMs, watchdogMs, name = "child" } = options;
    const spec = { id: name, start: () => {}, restart, shutdownMs, readyWithinMs, watchdogMs };
    const template = checkSpec("options", spec, false);
    const checked = {
      ...checkOptions(options),
      whenIdle: "stay",
      stopping: { limitMs: template.shutdownMs },
      capacity: requireLimit("capacity", options.capacity ?? Number.POSITIVE_INFINITY, 1),
    } as const;
    super([], checked, options, "dynamic supervisor");
    this.#start = start;
    this.#template = template;
  }

  /**
   * Starts one more child, in the async context of this call, and gives its id.
   *
   * **Cancellation** Before it has started, and is ready if it has to be: it is stopped again and not added.
   * **Errors** Why it could not be started; `FullError` beyond the capacity; `ClosedError` if the supervisor has ended,
   * or does before it is done.
   */
  async add(argument: A, options?: CancelOptions): Promise<string> {
    const id = `${this.#template.id}-${++this.#added}`;
    const start = (child: ChildContext): PromiseLike<void> | void => this.#start(child, argument);
    await this.addChild({ ...this.#template, id, start }, options);
    return id;
  }
}
