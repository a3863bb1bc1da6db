/**
 * Distributes values by key: one worker for all values of a key.
 */
import { requireFunction, requireInteger, requireOneOf } from "../../core/arguments.ts";
import { Channel } from "../../sync/channel.ts";
import { Flow, type FlowOptions } from "../../sync/flow.ts";
import { type OnValueError, parallelMap } from "../../sync/parallel-map.ts";
import { openSource, pump, type Source } from "../../sync/source.ts";
import type { FanWorkContext } from "./types.ts";

/** What values are told apart by. Objects are not: make a text of them. */
export type FanKey = string | number | bigint | boolean;

/** How values are distributed by key. */
export interface FanOutByOptions<T> extends FlowOptions {
  /** How many values are worked on at once: at least 1. */
  readonly workers: number;
  /** How many values may wait for each worker: at least 0; default 8. More of them even out keys that come in bursts. */
  readonly laneCapacity?: number | undefined;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure stops all. */
  readonly onError?: OnValueError<T> | undefined;
}

/**
 * Distributes the values of `source` to workers by a key, or in turn.
 *
 * **Guarantees** The values of one key are worked on by one worker, one after the other, in their order, and their results
 * come in that order; different keys overlap. Which worker has a key depends on the key and on `workers` alone, also in
 * another run. With `round-robin`, the workers take turns, whether they are busy or not.
 * **Units and ranges** Keys are told apart by their text: `1` and `"1"` are one.
 * **Cancellation** As that of `fanOut`; what waits for a worker is lost.
 * **Errors** The first failure of the source, of `by` or of a worker stops all, and is thrown once they have stopped.
 * **Cost** Two channel hand-offs a value, and a look at each character of its key.
 * **Not for** values that need no order: `fanOut` gives each to whoever is free. Here a slow key holds up those that share
 * its worker and, once `laneCapacity` values wait for it, the source.
 * **Source** The partitions of a log, as in Apache Kafka; the hash is FNV-1a.
 *
 * @example
 * const events = ["ann: in", "bob: in", "ann: out"];
 * const done = fanOutBy(events, (event) => event.split(":")[0] ?? "", (event) => event, { workers: 4 });
 * (await done.toArray()).filter((event) => event.startsWith("ann")); //=> ["ann: in", "ann: out"]
 */
export function fanOutBy<T, R>(
  source: Source<T>,
  by: "round-robin" | ((value: T) => FanKey),
  work: (value: T, context: FanWorkContext) => R | PromiseLike<R>,
  options: FanOutByOptions<T>,
): Flow<R> {
  if (typeof by !== "function") requireOneOf("by", by, ["round-robin"]);
  requireFunction("work", work);
  const workers = requireInteger("workers", options.workers, 1);
  const laneCapacity = requireInteger("laneCapacity", options.laneCapacity ?? 8, 0);
  const { name = "fan-out", onError } = options;
  if (onError !== undefined) requireFunction("onError", onError);
  return new Flow<R>(async (out, group) => {
    const { ctx } = group;
    const lanes = Array.from(
      { length: workers },
      () => new Channel<T>(laneCapacity, { name: `${name} lane` }),
    );
    const laneOf = by === "round-robin" ? inTurn(lanes) : byKey(lanes, by);
    const read = async (): Promise<void> => {
      const send = (value: T): Promise<void> => laneOf(value).send(value, ctx);
      await pump(openSource(source, ctx), { send }, ctx);
      for (const lane of lanes) lane.close();
    };
    const labour = (lane: Channel<T>, worker: number): Promise<void> => {
      const next = () => lane.receive(ctx);
      const task = (value: T): R | PromiseLike<R> => work(value, { worker, ctx });
      return parallelMap({ group, next, out, workers: 1, ordered: false, name, work: task, onError });
    };
    group.go(read, { name: `${name} source` });
    const labours = lanes.map((lane, index) =>
      group.go(() => labour(lane, index + 1), { name: `${name} worker ${index + 1}` }),
    );
    for (const each of labours) await each.join(ctx);
  }, options);
}

function inTurn<L>(lanes: readonly L[]): () => L {
  let turn = 0;
  return () => lanes[turn++ % lanes.length] as L;
}

function byKey<L, T>(lanes: readonly L[], by: (value: T) => FanKey): (value: T) => L {
  return (value) => {
    const key = by(value);
    const word = typeof key;
    requireOneOf("the type of a key", word, ["string", "number", "bigint", "boolean"]);
    return lanes[hashOf(String(key)) % lanes.length] as L;
  };
}

/** FNV-1a with 32 bits, over code units. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}
