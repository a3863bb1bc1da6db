/**
 * A limit on how long a stream may be silent.
 */
import { requireDuration } from "../../core/arguments.ts";
import { type CancellationCarrier, type CancelOptions, cancellationKey } from "../../core/cancellation.ts";
import { TimeoutError } from "../../core/errors.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { Scope, ScopeEnding } from "../../core/scope.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import { Flow, type FlowOptions, type Source } from "../../sync/flow.ts";
import type { SendPort } from "../../sync/ports.ts";
import { openSource, readSource } from "../../sync/source.ts";

/**
 * The values of `source`, as long as each comes within `idleMs`.
 *
 * **Guarantees** What counts is how long the source is waited for: a slow reader lets no time run out. There is no limit
 * on the whole.
 * **Units and ranges** `idleMs`: milliseconds from the moment in which the source is asked for a value.
 * **Cancellation** As for a {@link Flow}.
 * **Errors** A `TimeoutError` out of the loop if the source was silent for too long; it comes once the source has let go.
 * A channel or a flow does so at once; a generator does if it heeds the context that it was given.
 * **Cost** A timer for each value.
 * **Not for** a limit on the whole stream: give the flow a context with a deadline.
 * **Source** `idleTimeout` of Akka Streams.
 *
 * @example
 * const quiet = new Channel<string>(1);
 * quiet.trySend("hello");
 * const heard: string[] = [];
 * const end: unknown = await idleTimeout(quiet, 5)
 *   .forEach((word) => void heard.push(word))
 *   .catch((error: unknown) => error);
 * heard; //=> ["hello"]
 * (end as TimeoutError).message; //=> "no value came for 5 ms"
 */
export function idleTimeout<T>(source: Source<T>, idleMs: number, options?: FlowOptions): Flow<T> {
  const limitMs = requireDuration("idleMs", idleMs);
  return new Flow<T>((out, { ctx }) => sendAll(source, limitMs, out, ctx), options);
}

/** The source is given a context that also ends with a timeout when it is silent: at no fixed instant, so that is no deadline. */
async function sendAll<T>(
  source: Source<T>,
  limitMs: number,
  out: SendPort<T>,
  outer: Context,
): Promise<void> {
  const { clock } = currentRuntime();
  const silence = new Scope(outer);
  const parent: CancelOptions & CancellationCarrier = { [cancellationKey]: silence };
  const { ctx } = withCancel(parent);
  const expire = (): void => {
    const error = new TimeoutError(`no value came for ${limitMs} ms`, { phase: "idle" });
    silence.end(new ScopeEnding(TimeoutError, error));
  };
  let timer = clock.after(limitMs, expire);
  try {
    await readSource(openSource(source, ctx), ctx, async (value) => {
      timer.cancel();
      await out.send(value, ctx);
      timer = clock.after(limitMs, expire);
    });
  } finally {
    timer.cancel();
  }
}
