/**
 * What comes to be handled.
 */
import { AsyncContext } from "../../core/async-context.ts";
import { type Outcome, valueOf } from "../../core/task.ts";
import type { Channel } from "../../sync/channel.ts";
import { receive } from "../../sync/select.ts";
import type { Lane } from "./lanes.ts";
import type { Rank } from "./turns.ts";

/** An event, or the failure of a source. It is handled in the async context that it brings. */
export interface Arrival {
  readonly kind: string;
  readonly outcome: Outcome<unknown>;
  readonly context: AsyncContext;
  /** When it was accepted, if anybody wants to know and somebody knows. */
  readonly acceptedMs: number | undefined;
}

/** An event that is to be handled in the async context of this call. */
export function posted(kind: string, value: unknown, acceptedMs: number | undefined): Arrival {
  return { kind, outcome: { ok: true, value }, context: new AsyncContext(), acceptedMs };
}

/** The lane of a channel of arrivals, which never fails. */
export function laneOf(channel: Channel<Arrival>, rank: Rank): Lane<Arrival> {
  return { port: receive(channel), value: (received) => valueOf(received) as Arrival, rank };
}
