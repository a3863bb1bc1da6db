/**
 * The lane of a source: a task reads the source, one value at a time, until it ends or is no longer wanted, and then
 * finishes it. A channel needs no task: its lane is the channel, so that what is not handled stays where it is.
 */
import { AsyncContext } from "../../core/async-context.ts";
import { type Cancelable, linkCancel } from "../../core/cancellation.ts";
import { isCancellation } from "../../core/errors.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { Channel } from "../../sync/channel.ts";
import { type Context, withCancel } from "../../sync/context.ts";
import { receive } from "../../sync/select.ts";
import { type AnyIterable, isPort, openSource, type Source } from "../../sync/source.ts";
import type { TaskGroup } from "../../sync/task-group.ts";
import { Ticker } from "../../sync/timers.ts";
import { type Arrival, laneOf } from "./arrival.ts";
import type { Lane } from "./lanes.ts";

type AnyIterator<T> = Iterator<T> | AsyncIterator<T>;

/** A channel is read with the context, because its iterator knows of none. Anything else is told by `return`. */
function iterate<T>(source: AnyIterable<T>, ctx: Context): AnyIterator<T> {
  if (isPort(source)) return { next: () => source.receive(ctx) };
  if (typeof source === "object" && Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return source[Symbol.iterator]();
}

/**
 * Invariants
 *   I1  The iterator is told to finish at most once, and never after it has ended by itself.
 *   I2  It is told so while it is asked for a value only if the context has ended.
 */
class Reader<T> implements Cancelable {
  readonly #iterator: AnyIterator<T>;
  #state: "resting" | "asked" | "ended" = "resting";
  #finished: Promise<Outcome<unknown>> | undefined;

  constructor(iterator: AnyIterator<T>) {
    this.#iterator = iterator;
  }

  async next(): Promise<IteratorResult<T>> {
    this.#state = "asked";
    const outcome = await outcomeOf(() => this.#iterator.next());
    this.#state = outcome.ok && outcome.value.done !== true ? "resting" : "ended";
    return valueOf(outcome);
  }

  /** Some iterators give up a wait when they are told to finish; the others finish when that wait is over. */
  onCancel(): void {
    if (this.#state === "asked") this.#finish();
  }

  async finish(): Promise<void> {
    if (this.#state === "resting") this.#finish();
    if (this.#finished !== undefined) valueOf(await this.#finished);
  }

  #finish(): void {
    this.#finished ??= outcomeOf(() => this.#iterator.return?.());
  }
}

/**
 * Passes on what `source` gives, each value after the one before it has been taken, until `ctx` ends. A value that the
 * source has given is passed on, also after that. Settles when the source has finished; that it gave up because it was
 * told to is no failure.
 */
async function drawFrom<T>(
  source: Source<T>,
  ctx: Context,
  give: (value: T) => Promise<void>,
): Promise<void> {
  if (typeof source === "function" && ctx.error !== undefined) return;
  const outcome = await outcomeOf(async () => {
    const reader = new Reader<T>(iterate(openSource(source, ctx), ctx));
    const link = linkCancel(ctx, reader);
    try {
      while (ctx.error === undefined) {
        const next = await reader.next();
        if (next.done === true) return;
        await give(next.value);
      }
    } finally {
      link?.release();
      await reader.finish();
    }
  });
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
}

/** Makes the lane of a source. The source is read, and its events are handled, in the async context of this call. */
export function sourceLane(kind: string, source: Source<unknown>, owner: LaneOwner): Lane<Arrival> {
  requireSource(source);
  const context = new AsyncContext();
  const event = (value: unknown): Arrival => ({ kind, outcome: { ok: true, value }, context });
  if (source instanceof Ticker) return { port: receive(source), value: event };
  if (source instanceof Channel) return { port: receive(source), value: event };

  const { readers, intake, lost } = owner;
  const name = `${kind} source`;
  const channel = new Channel<Arrival>(0, { name });
  const { ctx, cancel } = withCancel(intake);
  const give = async (arrival: Arrival): Promise<void> => {
    const given = await outcomeOf(() => channel.send(arrival, intake));
    if (!given.ok) lost(arrival);
  };
  const read = async (): Promise<void> => {
    const outcome = await outcomeOf(() => drawFrom(source, ctx, (value) => give(event(value))));
    if (!outcome.ok) await give({ kind, outcome, context });
    channel.close();
    cancel();
  };
  const start = (): void => void readers.go(() => context.run(read), { name });
  return { ...laneOf(channel), start, stop: () => cancel() };
}

function requireSource(source: unknown): void {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = Object(source);
  if (typeof (sync ?? async ?? source) === "function") return;
  throw new TypeError("source must be an iterable, a channel, or a function that gives one");
}
