/**
 * A thread of its own as the child of a supervisor. For Node alone.
 */
import { refuseType, requireDuration } from "../core/arguments.ts";
import { outcomeOf, valueOf } from "../core/task.ts";
import type { ChildContext, ChildSpec } from "../patterns/supervisor.ts";
import type { ThreadOptions } from "./threads.ts";
import { threadPool } from "./threads.ts";

/** Describes a thread to supervise. */
export interface ThreadChildSpec extends Omit<ChildSpec, "start"> {
  /** The address of the module. */
  readonly module: URL;
  /** The name of the function that it exports and that is called: it lives as long as that does. */
  readonly call: string;
  /** What the function is given; beside it, an object with `ctx`. */
  readonly job?: unknown;
  /** How long it has, once told to stop by its `ctx`, before it is ended, in milliseconds; default 5000. */
  readonly shutdownMs?: number | undefined;
  /** What `worker_threads` is told: limits of memory, environment, arguments. */
  readonly thread?: ThreadOptions["thread"];
}

/** After it has been ended a thread is gone, but it takes a moment to hear of it. */
const GRACE_MS = 1000;

/**
 * Describes a child that is a function in a thread: called when it is started, and in a new thread when it is restarted.
 *
 * **Guarantees** The child has ended when the thread has. Its context says when it is to stop; a function that has not
 * ended after `shutdownMs` is ended with its thread, also one that never waits.
 * **Errors** What the function throws; `ThreadCrashError` if its thread has ended, for whatever reason.
 * **Cost** A thread for each life.
 * **Not for** many small jobs: see `threads`.
 *
 * @example
 * const module = new URL("data:text/javascript,export const work = (n) => n * n");
 * const supervisor = new Supervisor([threadChild({ id: "squares", module, call: "work", job: 3, restart: "transient" })]);
 * await supervisor.wait();
 * supervisor.restarts; //=> 0
 */
export function threadChild(spec: ThreadChildSpec): ChildSpec {
  const { module, call, job, shutdownMs, thread, ...common } = spec;
  if (typeof call !== "string" || call === "") refuseType("call", "a string that is not empty", call);
  if (!(module instanceof URL)) refuseType("module", "a URL", module);
  const graceMs = requireDuration("shutdownMs", shutdownMs ?? 5000);
  const start = async ({ ctx }: ChildContext): Promise<void> => {
    const pool = threadPool<Record<string, (job: unknown) => unknown>>(module, {
      workers: 1,
      graceMs,
      thread,
    });
    const ended = await outcomeOf(() => pool.run(call, job, ctx));
    pool.cancel();
    await outcomeOf(() => pool.drain());
    valueOf(ended);
  };
  return { ...common, start, shutdownMs: graceMs + GRACE_MS };
}
