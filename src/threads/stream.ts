/**
 * The values that a generator in a thread yields, as a flow. The thread may be ahead by so many values: it sends as
 * many, and one more for each that was taken.
 */
import { requireInteger } from "../core/arguments.ts";
import { Channel } from "../sync/channel.ts";
import type { Context } from "../sync/context.ts";
import { Flow, type FlowOptions } from "../sync/flow.ts";
import type { JobOptions } from "../patterns/pools.ts";
import type { StreamSink, ThreadCall, ThreadJob } from "./call.ts";

/** How a stream is read. */
export interface ThreadStreamOptions extends Omit<FlowOptions, "capacity">, JobOptions {
  /** How many values may be on their way from the thread, or wait to be taken: at least 1; default 16. */
  readonly capacity?: number | undefined;
}

interface Arrived {
  readonly value: unknown;
  readonly call: ThreadCall;
}

/** Makes the flow; `run` has the generator called. */
export function streamed<T>(
  name: string,
  job: unknown,
  run: (job: ThreadJob, ctx: Context) => Promise<unknown>,
  options: ThreadStreamOptions,
): Flow<T> {
  const capacity = requireInteger("capacity", options.capacity ?? 16, 1);
  return new Flow<T>(
    async (out, group) => {
      const { ctx } = group;
      const arrived = new Channel<Arrived>(capacity, { name: `${name} arrived` });
      const sink: StreamSink = {
        credit: capacity,
        take: (value, call) => void arrived.trySend({ value, call }),
      };
      group.go(async () => {
        await run({ name, job, sink }, ctx);
        arrived.close();
      });
      for await (const { value, call } of { [Symbol.asyncIterator]: () => readerOf(arrived, ctx) }) {
        await out.send(value as T, ctx);
        call.thread?.more(call, 1);
      }
    },
    { ...options, capacity: 0 },
  );
}

function readerOf(arrived: Channel<Arrived>, ctx: Context): AsyncIterator<Arrived, undefined> {
  return { next: () => arrived.receive(ctx) };
}
