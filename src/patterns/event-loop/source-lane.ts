/**
 * The lane of a source: a task reads the source, one value at a time, until it ends or is no longer wanted, and then
 * finishes it. What a select can receive from needs no task: its lane is that itself, so that what is not handled stays
 * where it is, and nobody ends it but its owner.
 */
import { refuseType } from "../../core/arguments.ts";
import { AsyncContext } from "../../core/async-context.ts";
import { isCancellation } from "../../core/errors.ts";
import { type Outcome, outcomeOf } from "../../core/task.ts";
import { Channel } from "../../sync/channel.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import type { Receivable } from "../../sync/ports.ts";
import { receive } from "../../sync/select.ts";
import { openSource, readSource, type Source } from "../../sync/source.ts";
import type { TaskGroup } from "../../sync/task-group.ts";
import { type Arrival, laneOf } from "./arrival.ts";
import type { Lane } from "./lanes.ts";
import type { Rank } from "./turns.ts";

/**
 * Passes on what `source` gives, each value after the one before it has been taken, until `ctx` ends. Settles when the
 * source has finished; that it gave up because it was told to is no failure.
 */
async function drawFrom<T>(
  source: Source<T>,
  ctx: Context,
  give: (value: T) => Promise<void>,
): Promise<void> {
  if (typeof source === "function" && ctx.error !== undefined) return;
  const outcome = await outcomeOf(() => readSource(openSource(source, ctx), ctx, give));
  if (!outcome.ok && !wasToldTo(ctx, outcome.error)) throw outcome.error;
}

function wasToldTo(ctx: Context, error: unknown): boolean {
  return ctx.error !== undefined && (error === ctx.cause || isCancellation(error));
}

/** What a lane needs of its loop. */
export interface LaneOwner {
  /** The tasks that read. Never cancelled as a group, so that each finishes its source. */
  readonly readers: TaskGroup;
  /** Ends when nothing more is taken from any lane. */
  readonly intake: Context;
  /** Told of what came too late to be taken. */
  readonly lost: (late: Arrival) => void;
  /** The instant that it is now, if anybody wants to know. */
  readonly now: () => number | undefined;
}

/** Makes the lane of a source. The source is read, and its events are handled, in the async context of this call. */
export function sourceLane(
  kind: string,
  source: Source<unknown>,
  rank: Rank,
  owner: LaneOwner,
): Lane<Arrival> {
  requireSource(source);
  const context = new AsyncContext();
  const arrival = (outcome: Outcome<unknown>, acceptedMs?: number): Arrival => ({
    kind,
    outcome,
    context,
    acceptedMs,
  });
  if (isReceivable(source)) return { port: receive(source), value: (received) => arrival(received), rank };

  const { readers, intake, lost, now } = owner;
  const name = `${kind} source`;
  const channel = new Channel<Arrival>(0, { name });
  const { ctx, cancel } = withCancel(intake);
  const give = async (outcome: Outcome<unknown>): Promise<void> => {
    const next = arrival(outcome, now());
    const given = await outcomeOf(() => channel.send(next, intake));
    if (!given.ok) lost(next);
  };
  const read = async (): Promise<void> => {
    const outcome = await outcomeOf(() => drawFrom(source, ctx, (value) => give({ ok: true, value })));
    if (!outcome.ok) await give(outcome);
    channel.close();
    cancel();
  };
  const start = (): void => void readers.go(() => context.run(read), { name });
  return { ...laneOf(channel, rank), start, stop: () => cancel() };
}

function isReceivable(source: Source<unknown>): source is Source<unknown> & Receivable<unknown> {
  return typeof source === "object" && "receiveSide" in source;
}

function requireSource(source: unknown): void {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = Object(source);
  if (typeof (sync ?? async ?? source) === "function") return;
  refuseType("source", "an iterable, a channel, or a function that gives one", source);
}
