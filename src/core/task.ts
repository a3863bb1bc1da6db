/**
 * How a task begins and ends, wherever one is started.
 */
import type { BareRuntime } from "./bare-runtime.ts";
import { isCancellation } from "./errors.ts";
import type { TaskRecord } from "./scheduler.ts";

/** How something ended: with a value or with an error. Narrow it by `ok`. */
export type Outcome<T> =
  | {
      /** It has succeeded. */
      readonly ok: true;
      /** What it gave. */
      readonly value: T;
    }
  | {
      /** It has failed. */
      readonly ok: false;
      /** What it threw. */
      readonly error: unknown;
    };

/** The outcome of a call, also of one that throws at once. Never rejects. */
export async function outcomeOf<T>(call: () => T | PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The value of an outcome, or its error thrown. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw outcome.error;
}

/** Whether a result has to be waited for. What need not wait costs no turn of microtasks. */
export function isPending<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  if ((typeof result !== "object" || result === null) && typeof result !== "function") return false;
  return typeof (result as { readonly then?: unknown }).then === "function";
}

/**
 * Starts a task, never inside this call, and in the async context of the caller. `done` is told its outcome once,
 * as the last thing the task does; it must not throw.
 */
export function spawnTask<T>(
  runtime: BareRuntime,
  label: { readonly name: string; readonly group?: string | undefined },
  body: () => T | PromiseLike<T>,
  done: (outcome: Outcome<T>) => void,
): void {
  const { scheduler } = runtime;
  if (scheduler === undefined) queueMicrotask(() => void runTask(undefined, body, done));
  else void runTask(scheduler.spawn(label.name, label.group), body, done);
}

/** `await` and not `then`, so that the body runs in the async context of whoever spawned it. */
async function runTask<T>(
  chosen: Promise<TaskRecord> | undefined,
  body: () => T | PromiseLike<T>,
  done: (outcome: Outcome<T>) => void,
): Promise<void> {
  const task = chosen === undefined ? undefined : await chosen;
  const outcome = await outcomeOf(body);
  done(outcome);
  if (outcome.ok) task?.ended("ok");
  else task?.ended(isCancellation(outcome.error) ? "cancelled" : "error", outcome.error);
}
