/**
 * A supervisor as a child of another: what is needed of it, what is shown of it, and its life.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { outcomeOf } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";

/** What a supervisor looks like at this moment, with all that is below it. */
export interface SupervisorTree {
  /** What it is called in reports. */
  readonly name: string;
  /** How many restarts it has announced. */
  readonly restarts: number;
  /** Its children, in the order in which they are started. */
  readonly children: readonly ChildStatus[];
}

/** What a child looks like at this moment. */
export interface ChildStatus {
  /** Its name. */
  readonly id: string;
  /**
   * `starting`: it was called, and is not ready. `stopping`: it was told to stop. `due`: it will be started again.
   * `idle`: it does not run, and nobody is about to start it.
   */
  readonly state: "idle" | "due" | "starting" | "running" | "stopping";
  /** Whether it is restarted when it ends. */
  readonly restart: "permanent" | "transient" | "temporary";
  /** How often it was restarted. */
  readonly restarts: number;
  /** What it supervises, if it is a supervisor that runs. */
  readonly supervisor?: SupervisorTree | undefined;
}

/** What a supervisor needs of one below it. */
export interface Supervised {
  /** Waits until every child has been started. */
  started(options?: CancelOptions): Promise<void>;
  /** Waits until it has ended. */
  wait(options?: CancelOptions): Promise<void>;
  /** Stops it. */
  stop(): Promise<void>;
  /** What it looks like now. */
  tree(): SupervisorTree;
}

/** Its life: until it ends, or is to. It is stopped in any case, and `stop` says how it ended. */
export async function superviseInner(
  inner: Supervised,
  { ctx, ready }: { readonly ctx: Context; readonly ready: () => void },
): Promise<void> {
  await outcomeOf(async () => {
    await inner.started(ctx);
    ready();
    await inner.wait(ctx);
  });
  await inner.stop();
}
