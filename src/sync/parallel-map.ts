/**
 * Several tasks that take from one source, work, and send on: in the order of the input, or as results come.
 */
import { type CancelOptions, endingOf, isCancelled } from "../core/cancellation.ts";
import { turnIfDue } from "../core/fairness.ts";
import { bareRuntime } from "../core/bare-runtime.ts";
import { isPending } from "../core/task.ts";
import { handOver, type Outlet } from "./flow/hand-over.ts";
import { judged, type Made, type OnValueError, skipped, withoutSkipped } from "./parallel-map/on-error.ts";
import { OrderedOutlet } from "./parallel-map/ordered-outlet.ts";
import type { Next } from "./parallel-map/reading-task.ts";
import { Turnstile } from "./parallel-map/turnstile.ts";
import type { TaskGroup } from "./task-group.ts";

export type { FailedValue, OnValueError, ErrorVerdict } from "./parallel-map/on-error.ts";
export { nextOf, readByAll, readingTask } from "./parallel-map/reading-task.ts";

/** Who works, and how. */
export interface ParallelMapOptions<I, O> {
  /** Owns the workers: when one fails, the group is cancelled, and all stop. */
  readonly group: TaskGroup;
  /** Gives the next value; several workers call it at once. It is given up when the group is cancelled. */
  readonly next: Next<I>;
  readonly out: Outlet<O>;
  /** How many work at once. */
  readonly workers: number;
  /** Whether results keep the order of the input. Then at most `workers` results wait for an earlier one. */
  readonly ordered: boolean;
  /** The workers are named `name` and their number. */
  readonly name: string;
  /** `worker` counts from 1. May give that there is no result. */
  readonly work: (value: I, worker: number) => Made<O> | PromiseLike<Made<O>>;
  /** Takes what the work threw, and the value on which it failed, and decides. Without it, the first failure ends everything. */
  readonly onError?: OnValueError<I> | undefined;
}

/** Starts the workers and settles when all input has been worked on and every result taken. */
export async function parallelMap<I, O>(options: ParallelMapOptions<I, O>): Promise<void> {
  const { onError } = options;
  if (onError !== undefined) await parallelMap(judging({ ...options, onError }));
  else await mapAll(options);
}

/** The same, with `onError` as a part of the work. */
function judging<I, O>(options: ParallelMapOptions<I, O> & { readonly onError: OnValueError<I> }) {
  const { group, work, onError } = options;
  return {
    ...options,
    onError: undefined,
    work: (value: I, worker: number) => judged(value, () => work(value, worker), onError, group.ctx),
  };
}

/**
 * For order, each takes a number with its value, and hands its result over when all lower numbers have. So a result that
 * waits for an earlier one keeps its worker, and no more of them can than there are workers. Where results have places,
 * none waits.
 */
async function mapAll<I, O>(options: ParallelMapOptions<I, O>): Promise<void> {
  const { group, next, out, work } = options;
  const { ctx } = group;
  const inTurn = options.ordered && options.workers > 1;
  const taking = inTurn ? new Turnstile() : undefined;
  const give = inTurn ? handOverInOrder(out, ctx) : handOverAsMade(out, ctx);
  let numbers = 0;
  // What need not be waited for is not awaited: that would take longer than all the rest.
  await runWorkers(options, async (worker) => {
    for (;;) {
      const number = numbers++;
      const entering = taking?.enter(number, ctx);
      if (entering !== undefined) await entering;
      throwIfCancelled(ctx);
      const asked = next();
      const item = isPending(asked) ? await asked : asked;
      taking?.leave();
      if (item.done === true) return;
      const made = work(item.value, worker);
      const result = isPending(made) ? await made : made;
      const handing = give(number, result);
      if (handing !== undefined) await handing;
    }
  });
}

/** Hands a result over with its number; undefined if that is done. */
type Give<O> = (number: number, result: Made<O>) => Promise<void> | undefined;

function handOverAsMade<O>(out: Outlet<O>, options: CancelOptions): Give<O> {
  const runtime = bareRuntime();
  return (_number, result) =>
    // Also where nothing is left to be handed over, the host may be due its turn.
    result === skipped ? turnIfDue(runtime) : handOver(runtime, out, result, options);
}

function handOverInOrder<O>(out: Outlet<O>, options: CancelOptions): Give<O> {
  const runtime = bareRuntime();
  if (out.place !== undefined)
    return (number, result) =>
      result === skipped ? turnIfDue(runtime) : out.place?.(number, result, options);
  const ordered = new OrderedOutlet(withoutSkipped(out), options);
  return (number, result) => ordered.handOver(number, result);
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

function throwIfCancelled(options: CancelOptions): void {
  if (isCancelled(options)) throw endingOf(options)?.reason;
}
