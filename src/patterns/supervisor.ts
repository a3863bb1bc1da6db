/**
 * Keeps children running: starts them in order, restarts what fails, and gives up when that happens too often.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import { checkOptions, type SupervisorOptions } from "./supervisor/options.ts";
import { checkSpec, checkSpecs, type ChildSpec, type SupervisorChildSpec } from "./supervisor/spec.ts";
import { Supervision } from "./supervisor/supervision.ts";

export {
  type ChildNews,
  type EventStreamOptions,
  type SupervisorEvent,
  SupervisorEvents,
} from "./supervisor/events.ts";
export type { ChildStatus, Supervised, SupervisorTree } from "./supervisor/inner.ts";
export type { RestartStrategy, SupervisionOptions, SupervisorOptions } from "./supervisor/options.ts";
export { type RestartReason, SupervisorError } from "./supervisor/restart-intensity.ts";
export type { ChildContext, ChildSpec, SupervisorChildSpec } from "./supervisor/spec.ts";

/**
 * A supervisor.
 *
 * **Guarantees** Children are started in the order of the list, and are stopped in reverse order, each waited for. A
 * child has started when it was called, up to its first `await`, or, with `readyWithinMs`, when it is ready. At most
 * `intensity` restarts happen within `periodMs`; one that is older than the period no longer counts. A supervisor ends
 * when it is stopped, when it gives up, or when no child is left that runs or will.
 * **Cancellation** {@link Supervisor.stop}, an abort of `signal`, or the end of an `await using` block stops all
 * children, also in the midst of a restart.
 * **Errors** {@link SupervisorError}, from {@link Supervisor.wait}, if it gave up, or if a child with `readyWithinMs`
 * could not be started to begin with. Other failures of children are restarts, and are told to `onEvent`.
 * **Cost** A task for the supervisor and one for each life of a child; a restart is O(children + intensity), or
 * O(intensity) with `one-for-one`. While a child gets ready or stops, its siblings wait for their restarts.
 * **Not for** failures that a retry cannot cure: a child that fails the same way each time is only given up later.
 * **Source** Erlang/OTP's `supervisor`, over async functions. They cannot be killed: one that ignores the end of its
 * context is abandoned after `shutdownMs`, and may still be at work beside its successor.
 *
 * @example
 * let attempts = 0;
 * const supervisor = new Supervisor([
 *   {
 *     id: "import",
 *     restart: "transient",
 *     start: () => {
 *       if (++attempts < 3) throw new Error("not yet");
 *     },
 *   },
 * ], { intensity: 5 });
 * await supervisor.wait();
 * [attempts, supervisor.restarts]; //=> [3, 2]
 *
 * @example
 * const start = ({ ctx }: ChildContext) => sleep(Infinity, ctx);
 * const workers = () => new Supervisor([{ id: "one", start }, { id: "two", start }]);
 * const children = [{ id: "store", start }, { id: "workers", supervisor: workers }];
 * const supervisor = new Supervisor(children, { strategy: "rest-for-one" });
 * await supervisor.started();
 * const below = supervisor.tree().children[1]?.supervisor?.children.map(({ id, state }) => `${id} ${state}`);
 * await supervisor.stop();
 * below; //=> ["one running", "two running"]
 */
export class Supervisor extends Supervision {
  readonly #mayEnd: boolean;

  /** Starts the children, after this call. */
  constructor(children: readonly (ChildSpec | SupervisorChildSpec)[], options: SupervisorOptions = {}) {
    const checked = checkOptions(options);
    const mayEnd = checked.autoShutdown !== "never";
    super(checkSpecs(children, mayEnd), checked, options, "supervisor");
    this.#mayEnd = mayEnd;
  }

  /**
   * Adds a child behind the others and starts it, in the async context of this call. It is supervised like them, and is
   * lost with this supervisor: a supervisor that is started anew has the children of its list.
   *
   * **Cancellation** Before it has started, and is ready if it has to be: it is stopped again and not added.
   * **Errors** Why it could not be started; `MisuseError` if there is a child of that name; `ClosedError` if the
   * supervisor has ended, or does before it is done. With `whenIdle: "stay"` it does not end for lack of children.
   *
   * @example
   * const supervisor = new Supervisor([], { whenIdle: "stay" });
   * await supervisor.add({ id: "late", start: ({ ctx }) => sleep(Infinity, ctx) });
   * const before = supervisor.active;
   * const removed = await supervisor.remove("late");
   * await supervisor.stop();
   * [before, removed, supervisor.active]; //=> [1, true, 0]
   */
  add(child: ChildSpec | SupervisorChildSpec, options?: CancelOptions): Promise<void> {
    return this.addChild(checkSpec("child", child, this.#mayEnd), options);
  }
}
