/**
 * Several limits at once: one for all, one for each tenant, one for each address.
 */
import { LineLimiter } from "./line-limiter.ts";

export { LineLimiter } from "./line-limiter.ts";

/**
 * One limiter that grants only what all of its parts grant.
 *
 * **Guarantees** All or nothing: either every part has given the tokens, at one instant, or none has given any. Parts can
 * be shared with others and be used directly too. Nobody starves, whatever is combined with what. One who waits stands
 * in the line of the slowest part first: while it does, the faster ones are open to others. What it has got to the head
 * of is kept for it until it has come to the head of all.
 * **Units and ranges** `n` counts the same in each part. A part that is named twice counts once.
 * **Cancellation** A wait that is given up takes nothing from any part.
 * **Cost** That of the parts; a wait has one place in a line for each.
 * **Not for** a `RateLimiter`, whose reservations have fixed instants: a `GcraLimiter` grants the same.
 *
 * @example
 * const everybody = new GcraLimiter({ perSecond: 0.1, burst: 3 });
 * const alice = composite(everybody, new SlidingLogLimiter({ limit: 2, windowMs: 60_000 }));
 * [alice.allow(), alice.allow(), alice.allow()]; //=> [true, true, false]
 * everybody.check().remaining; //=> 1
 */
export function composite(...limiters: readonly [LineLimiter, ...LineLimiter[]]): LineLimiter {
  if (limiters.length === 0) throw new TypeError("limiters must be at least one limiter, got none");
  return new LineLimiter(LineLimiter.linesOf(limiters));
}
