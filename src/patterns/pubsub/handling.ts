/**
 * A handler at work: takes what is in its subscription, one message at a time.
 */
import { giveTurn } from "../../core/fairness.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import { isPending } from "../../core/task.ts";
import { reportUncaught } from "../../core/uncaught.ts";
import type { Subscription } from "./subscription.ts";

/** After so many messages that nobody had to wait for, others have their turn. */
export const IN_A_ROW = 64;

/** What is called, and what is told of its failures. */
export interface Handling<T> {
  readonly handler: (message: T) => unknown;
  readonly onError: (error: unknown, message: T) => void;
}

/**
 * Handles every message until the subscription ends. What is in the buffer is taken without waiting, and a handler that
 * gives nothing to wait for is not waited for: a promise for each message would cost many times what the message does.
 */
export async function handleAll<T>(
  runtime: BareRuntime,
  inbox: Subscription<T>,
  handling: Handling<T>,
): Promise<void> {
  // In a simulation each message is a step of its own.
  const simulated = runtime.scheduler !== undefined;
  for (let inARow = 1; ; inARow++) {
    const next = (simulated ? undefined : inbox.tryReceive()) ?? (await inbox.receive());
    if (next.done === true) return;
    const waited = handle(next.value, handling);
    if (waited !== undefined) await waited;
    else if (inARow % IN_A_ROW === 0) await giveTurn(runtime);
  }
}

/** Handles one; what it gives is to be waited for, and never rejects. */
export function handle<T>(message: T, handling: Handling<T>): Promise<unknown> | undefined {
  try {
    const given = handling.handler(message);
    return isPending(given) ? settled(given, message, handling) : undefined;
  } catch (error) {
    tell(error, message, handling.onError);
    return undefined;
  }
}

/** Apart, so that only who gives a promise pays for the closure. */
function settled<T>(given: PromiseLike<unknown>, message: T, { onError }: Handling<T>): Promise<unknown> {
  return Promise.resolve(given).then(undefined, (error: unknown) => tell(error, message, onError));
}

function tell<T>(error: unknown, message: T, onError: Handling<T>["onError"]): void {
  try {
    onError(error, message);
  } catch (failure) {
    reportUncaught(failure);
  }
}
