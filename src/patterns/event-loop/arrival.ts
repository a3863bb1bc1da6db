/**
 * What comes to be handled.
 */
import { AsyncContext } from "../../core/async-context.ts";
import type { Outcome } from "../../core/task.ts";
import type { Channel } from "../../sync/channel.ts";
import { receive } from "../../sync/select.ts";
import type { Lane } from "./lanes.ts";

/** An event, or the failure of a source. It is handled in the async context that it brings. */
export interface Arrival {
  readonly kind: string;
  readonly outcome: Outcome<unknown>;
  readonly context: AsyncContext;
}

/** An event that is to be handled in the async context of this call. */
export function posted(kind: string, value: unknown): Arrival {
  return { kind, outcome: { ok: true, value }, context: new AsyncContext() };
}

/** The lane of a channel of arrivals. */
export function laneOf(channel: Channel<Arrival>): Lane<Arrival> {
  return { port: receive(channel), value: (received) => received as Arrival };
}
