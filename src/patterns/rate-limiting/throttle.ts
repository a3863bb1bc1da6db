/**
 * A stream that gives its values no faster than a limiter allows.
 */
import { requireFunction } from "../../core/arguments.ts";
import { Flow, type FlowOptions } from "../../sync/flow.ts";
import { openSource, readSource, type Source } from "../../sync/source.ts";
import type { Limiter } from "./limiter.ts";

/** How a stream is throttled. */
export interface ThrottleOptions<T> extends FlowOptions {
  /** How many tokens a value costs; default 1. */
  readonly tokensOf?: ((value: T) => number) | undefined;
}

/**
 * Takes tokens for each value of a source before it is given on.
 *
 * **Guarantees** Values keep their order. A value has its tokens when it is put out, and at most `capacity + 1` are put
 * out before they are asked for: so many more than the limiter allows can be seen at once by a reader who was slow.
 * The limiter can be shared with others.
 * **Cancellation** Leaving the loop, or `signal`, gives up the wait, takes nothing more and finishes the source.
 * **Errors** Those of the source; `RateLimitError` if a value costs more than the limiter ever has.
 *
 * @example
 * const limiter = new GcraLimiter({ perSecond: 200, burst: 1 });
 * const startMs = now();
 * const values = await throttle("abc", limiter).toArray();
 * [values.join(""), now() - startMs >= 9.9]; //=> ["abc", true]
 */
export function throttle<T>(source: Source<T>, limiter: Limiter, options: ThrottleOptions<T> = {}): Flow<T> {
  const { tokensOf = () => 1 } = options;
  requireFunction("tokensOf", tokensOf);
  return new Flow<T>(async (out, { ctx }) => {
    await readSource(openSource(source, ctx), ctx, async (value) => {
      await limiter.wait(tokensOf(value), ctx);
      await out.send(value, ctx);
    });
  }, options);
}
