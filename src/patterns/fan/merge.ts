/**
 * Many streams into one, in a given order.
 */
import { requireFunction } from "../../core/arguments.ts";
import { Channel, type ReceivePort } from "../../sync/channel.ts";
import { Flow, type FlowOptions, pump } from "../../sync/flow.ts";
import { openSource, type Source } from "../../sync/source.ts";
import type { TaskGroup } from "../../sync/task-group.ts";
import type { SourceValue } from "./types.ts";
import { Heap } from "./heap.ts";

/** How streams are merged in an order. */
export type MergeOptions = FlowOptions;

/**
 * Merges streams that are sorted into one that is sorted.
 *
 * **Guarantees** If every source is in the order of `compare`, so is the result; among equal values, an earlier source
 * comes first. One value of each source is held. A value comes when every source has given one or has ended, so a silent
 * source holds up all.
 * **Cancellation** As that of `fanIn`.
 * **Errors** The first failure of a source or of `compare` stops all.
 * **Cost** Two channel hand-offs a value, and O(log sources) comparisons.
 * **Source** The merge of tapes: D. Knuth, The Art of Computer Programming, volume 3, 5.4.1.
 *
 * @example
 * const merged = mergeSorted([[1, 4, 9], [2, 3]], (a, b) => a - b);
 * await merged.toArray(); //=> [1, 2, 3, 4, 9]
 */
export function mergeSorted<T>(
  sources: Iterable<Source<T>>,
  compare: (left: T, right: T) => number,
  options: MergeOptions = {},
): Flow<T> {
  requireFunction("compare", compare);
  const all = [...sources];
  return new Flow<T>(async (out, group) => {
    const { ctx } = group;
    const heads = new Heap<{ value: T; readonly index: number }>(
      (left, right) => compare(left.value, right.value) || left.index - right.index,
    );
    const lanes = openLanes(all, group, options.name);
    for (const [index, lane] of lanes.entries()) {
      const head = await lane.receive(ctx);
      if (head.done !== true) heads.push({ value: head.value, index });
    }
    for (let head = heads.shift(); head !== undefined; head = heads.shift()) {
      await out.send(head.value, ctx);
      const next = await (lanes[head.index] as ReceivePort<T>).receive(ctx);
      if (next.done !== true) heads.push({ value: next.value, index: head.index });
    }
  }, options);
}

/**
 * Merges streams by taking one value of each in turn.
 *
 * **Guarantees** The first value of every source, in the order of the sources, then the second of every source, and so
 * on; a source that has ended is passed over. The order is the same in every run. A silent source holds up all; `fanIn`
 * takes whoever is ready.
 * **Cancellation** As that of `fanIn`.
 * **Errors** The first failure of a source stops all.
 * **Cost** Two channel hand-offs a value.
 *
 * @example
 * await mergeInTurn(["ace", "bd"]).toArray(); //=> ["a", "b", "c", "d", "e"]
 */
export function mergeInTurn<S extends Source<unknown>>(
  sources: Iterable<S>,
  options: MergeOptions = {},
): Flow<SourceValue<S>> {
  const all = [...sources] as unknown as Source<SourceValue<S>>[];
  return new Flow<SourceValue<S>>(async (out, group) => {
    let lanes = openLanes(all, group, options.name);
    while (lanes.length > 0) {
      const open: typeof lanes = [];
      for (const lane of lanes) {
        const next = await lane.receive(group.ctx);
        if (next.done === true) continue;
        open.push(lane);
        await out.send(next.value, group.ctx);
      }
      lanes = open;
    }
  }, options);
}

/**
 * Merges streams so that, whenever several have a value ready, the earliest of the sources goes first.
 *
 * **Guarantees** Values of one source keep their order. As long as an earlier source is always ready, the later ones
 * starve: that is what is asked for here. One value of each source is read ahead, and a source is ready when that has been
 * done: between two values of it, a reader that does not wait may get one of a later source. A value that is on its way
 * to the reader, or waits within `capacity`, is not overtaken.
 * **Cancellation** As that of `fanIn`.
 * **Errors** The first failure of a source stops all.
 * **Cost** Three channel operations a value and O(log sources), however many sources are silent.
 *
 * @example
 * const urgent = new Channel<string>(2);
 * const normal = new Channel<string>(2);
 * for (const job of ["a", "b"]) await normal.send(job);
 * for (const job of ["A", "B"]) await urgent.send(job);
 * urgent.close();
 * normal.close();
 * (await mergeByPriority([urgent, normal]).toArray()).toSorted(); //=> ["A", "B", "a", "b"]
 */
export function mergeByPriority<S extends Source<unknown>>(
  sources: Iterable<S>,
  options: MergeOptions = {},
): Flow<SourceValue<S>> {
  const all = [...sources] as unknown as Source<SourceValue<S>>[];
  return new Flow<SourceValue<S>>(async (out, group) => {
    const { ctx } = group;
    const ready = new Heap<number>((left, right) => left - right);
    const raised = new Channel<undefined>(all.length, { name: "ready" });
    const lanes = openLanes(all, group, options.name, (index) => {
      ready.push(index);
      raised.trySend(undefined);
    });
    let open = lanes.length;
    while (open > 0) {
      await raised.receive(ctx);
      const next = await (lanes[ready.shift() as number] as ReceivePort<SourceValue<S>>).receive(ctx);
      if (next.done === true) open--;
      else await out.send(next.value, ctx);
    }
  }, options);
}

/** A task for each source that offers one value at a time. `offering` is told before each offer, and before the end. */
function openLanes<T>(
  sources: readonly Source<T>[],
  group: TaskGroup,
  name = "merge",
  offering: (index: number) => void = () => {},
): ReceivePort<T>[] {
  const { ctx } = group;
  return sources.map((source, index) => {
    const lane = new Channel<T>(0, { name: `${name} lane` });
    const send = (value: T): Promise<void> => {
      offering(index);
      return lane.send(value, ctx);
    };
    const feed = async (): Promise<void> => {
      await pump(openSource(source, ctx), { send }, ctx);
      offering(index);
      lane.close();
    };
    group.go(feed, { name: `${name} ${index + 1}` });
    return lane;
  });
}
