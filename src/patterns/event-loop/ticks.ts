/**
 * A source that gives an event at regular intervals.
 */
import { requirePositive } from "../../core/arguments.ts";
import type { Context } from "../../sync/context.ts";
import { now, sleep } from "../../sync/timers.ts";

/**
 * A source for an event loop, or for whatever else reads sources, with an event every `intervalMs`.
 *
 * **Guarantees** Events are due at whole multiples of the interval after the source was first asked for one, so they do
 * not drift. At most one waits: a reader that is slow misses events, and then gets one, not all that it has missed.
 * **Units and ranges** `intervalMs`: above 0. The value is the instant at which the event was due, in milliseconds of `now`.
 * **Cancellation** It ends with the loop, or when it is taken back, and leaves no timer.
 * **Cost** One timer at a time, from the start of the run on.
 * **Not for** a timer that several share, or that a select waits for: that is a `Ticker`.
 *
 * @example
 * const loop = new EventLoop<{ flush: number }>();
 * let flushes = 0;
 * loop.on("flush", () => {
 *   if (++flushes === 3) loop.stop();
 * });
 * loop.source("flush", ticks(2));
 * await loop.run();
 * flushes; //=> 3
 */
export function ticks(intervalMs: number): (ctx: Context) => AsyncGenerator<number, never> {
  requirePositive("intervalMs", intervalMs);
  return (ctx) => instants(intervalMs, ctx);
}

async function* instants(intervalMs: number, ctx: Context): AsyncGenerator<number, never> {
  let dueMs = now();
  for (;;) {
    const missed = Math.max(0, Math.floor((now() - dueMs) / intervalMs));
    dueMs += (missed + 1) * intervalMs;
    await sleep(dueMs - now(), ctx);
    yield dueMs;
  }
}
