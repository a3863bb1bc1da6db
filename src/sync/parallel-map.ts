/**
 * Several tasks that take from one source, work, and send on: in the order of the input, or as results come.
 */
import { Deferred } from "../core/deferred.ts";
import { currentRuntime } from "../core/runtime.ts";
import { outcomeOf } from "../core/task.ts";
import { Channel, type Received, type SendPort } from "./channel.ts";
import { judged, type OnValueError, withoutSkipped } from "./parallel-map/on-error.ts";
import type { TaskGroup } from "./task-group.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "./parallel-map/on-error.ts";
export { readingTask } from "./parallel-map/reading-task.ts";

/** Who works, and how. */
export interface ParallelMapOptions<I, O> {
  /** Owns the workers: when one fails, the group is cancelled, and all stop. */
  readonly group: TaskGroup;
  /** Gives the next value; several workers call it at once. It is given up when the group is cancelled. */
  readonly next: () => Promise<Received<I>>;
  readonly out: Pick<SendPort<O>, "send">;
  /** How many work at once. */
  readonly workers: number;
  /** Whether results keep the order of the input. Then at most `workers` results wait for an earlier one. */
  readonly ordered: boolean;
  /** The workers are named `name` and their number. */
  readonly name: string;
  /** `worker` counts from 1. */
  readonly work: (value: I, worker: number) => O | PromiseLike<O>;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure ends everything. */
  readonly onError?: OnValueError<I> | undefined;
}

/** Starts the workers and settles when all input has been worked on and every result taken. */
export async function parallelMap<I, O>(options: ParallelMapOptions<I, O>): Promise<void> {
  const { onError } = options;
  if (onError !== undefined) await parallelMap(judging({ ...options, onError }));
  else if (options.ordered && options.workers > 1) await inOrder(options);
  else await asTheyCome(options);
}

/** The same, with `onError` as a part of the work. */
function judging<I, O>(options: ParallelMapOptions<I, O> & { readonly onError: OnValueError<I> }) {
  const { group, out, work, onError } = options;
  return {
    ...options,
    onError: undefined,
    out: withoutSkipped(out),
    work: (value: I, worker: number) => judged(value, () => work(value, worker), onError, group.ctx),
  };
}

async function asTheyCome<I, O>(options: ParallelMapOptions<I, O>): Promise<void> {
  const { group, next, out, work } = options;
  await runWorkers(options, async (worker) => {
    for (;;) {
      const item = await next();
      if (item.done === true) return;
      await out.send(await work(item.value, worker), group.ctx);
    }
  });
}

interface Slot<I, O> {
  readonly value: I;
  readonly result: Deferred<O>;
}

/** Each item gets a slot; workers fill slots as they can, and one task empties them in order. */
async function inOrder<I, O>(options: ParallelMapOptions<I, O>): Promise<void> {
  const { group, next, out, workers, name, work } = options;
  const runtime = currentRuntime();
  const todo = new Channel<Slot<I, O>>(0, { name: `${name} todo` });
  const order = new Channel<Slot<I, O>>(workers - 1, { name: `${name} order` });
  const splitter = async (): Promise<void> => {
    for (;;) {
      const item = await next();
      if (item.done === true) break;
      const slot: Slot<I, O> = { value: item.value, result: new Deferred<O>(runtime, "join") };
      await order.send(slot, group.ctx);
      await todo.send(slot, group.ctx);
    }
    order.close();
    todo.close();
  };
  const collector = async (): Promise<void> => {
    for (;;) {
      const slot = await order.receive(group.ctx);
      if (slot.done === true) return;
      await out.send(await slot.value.result.wait(group.ctx), group.ctx);
    }
  };
  const split = group.go(splitter, { name: `${name} split` });
  const collect = group.go(collector, { name: `${name} collect` });
  await runWorkers(options, async (worker) => {
    for (;;) {
      const slot = await todo.receive(group.ctx);
      if (slot.done === true) return;
      const outcome = await outcomeOf(() => work(slot.value.value, worker));
      slot.value.result.settle(outcome);
      if (!outcome.ok) throw outcome.error;
    }
  });
  await split.join(group.ctx);
  await collect.join(group.ctx);
}

/** One worker needs no task of its own. */
async function runWorkers<I, O>(
  { group, workers, name }: ParallelMapOptions<I, O>,
  body: (worker: number) => Promise<void>,
): Promise<void> {
  if (workers === 1) return body(1);
  const handles = Array.from({ length: workers }, (_, index) =>
    group.go(() => body(index + 1), { name: `${name} ${index + 1}` }),
  );
  for (const handle of handles) await handle.join(group.ctx);
}
