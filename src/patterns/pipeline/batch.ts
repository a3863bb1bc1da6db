/**
 * Gathers values into batches, by number, by weight and by time.
 *
 * Invariants
 *   I1  Every value is in exactly one batch, in order; no batch is empty.
 *   I2  At most one batch is being gathered, and one value has been taken that did not fit into the one before.
 */
import { requireDuration, requireFunction, requireLimit, requireNumber } from "../../core/arguments.ts";
import { isCancelled } from "../../core/cancellation.ts";
import { type Outcome, outcomeOf } from "../../core/task.ts";
import { Channel, type Received, type ReceivePort, type SendPort } from "../../sync/channel.ts";
import { type Context, withTimeout } from "../../sync/context.ts";
import { Flow, pump } from "../../sync/flow.ts";

/** When a batch is full. */
export interface BatchOptions<T> {
  /** How much fits into a batch, in values, or in what `weigh` says: at least 1, or Infinity. */
  readonly size: number;
  /** How long its first value waits for the others, in milliseconds; default Infinity: until it is full. */
  readonly withinMs?: number | undefined;
  /** How much a value takes of `size`, such as its bytes: at least 0; default 1. One that is too heavy goes alone. */
  readonly weigh?: ((value: T) => number) | undefined;
}

/**
 * Makes a stage, for `through`, that gathers values into batches.
 *
 * **Guarantees** Order is kept, no batch is empty, and none is lost: what has been gathered when the input ends comes as
 * the last batch; when the input fails, it comes before the failure.
 * **Units and ranges** See {@link BatchOptions}. The time counts from when the first value of a batch was taken; while
 * nobody takes a batch, no further one is gathered, so memory is bounded by `size`.
 * **Cancellation** What is being gathered is lost with the pipeline that is given up.
 * **Errors** Those of the input, and of `weigh`.
 * **Cost** A channel hand-off a value; a timer a batch, with `withinMs`.
 * **Not for** reading what a channel has at hand: see `receiveMany`.
 *
 * @example
 * const batches = pipeline([1, 2, 3, 4, 5]).through(batch({ size: 2, withinMs: 50 }));
 * await batches.toArray(); //=> [[1, 2], [3, 4], [5]]
 */
export function batch<T>(options: BatchOptions<T>): (input: AsyncIterable<T>) => Flow<T[]> {
  const size = requireLimit("size", options.size, 1);
  const withinMs = requireDuration("withinMs", options.withinMs ?? Number.POSITIVE_INFINITY);
  const { weigh = () => 1 } = options;
  requireFunction("weigh", weigh);
  const weightOf = (value: T): number => requireNumber("weigh(value)", weigh(value), 0);
  return (input) =>
    new Flow<T[]>(async (out, group) => {
      const { ctx } = group;
      const values = new Channel<T>(0, { name: "batch in" });
      group.go(
        async () => {
          const read = await outcomeOf(() => pump(input, values, ctx));
          // The failure waits behind the values: it is found when they have been sent.
          values.close(read.ok ? undefined : read.error);
        },
        { name: "batch source" },
      );
      await new Gatherer(values, size, withinMs, weightOf).sendAll(out, ctx);
    });
}

class Gatherer<T> {
  readonly #values: ReceivePort<T>;
  readonly #size: number;
  readonly #withinMs: number;
  readonly #weightOf: (value: T) => number;

  constructor(values: ReceivePort<T>, size: number, withinMs: number, weightOf: (value: T) => number) {
    this.#values = values;
    this.#size = size;
    this.#withinMs = withinMs;
    this.#weightOf = weightOf;
  }

  async sendAll(out: Pick<SendPort<T[]>, "send">, ctx: Context): Promise<void> {
    let first = await this.#values.receive(ctx);
    while (first.done !== true) {
      const gathered: T[] = [first.value];
      const next = await this.#gather(gathered, ctx);
      await out.send(gathered, ctx);
      first = next ?? (await this.#values.receive(ctx));
    }
  }

  /** Adds what fits and comes in time. Gives what comes after, if that has been taken already. */
  async #gather(gathered: T[], ctx: Context): Promise<Received<T> | undefined> {
    using deadline = withTimeout(ctx, this.#withinMs);
    let weight = this.#weightOf(gathered[0] as T);
    while (weight < this.#size) {
      const next: Outcome<Received<T>> = await outcomeOf(() => this.#values.receive(deadline.ctx));
      if (!next.ok && isCancelled(ctx)) throw next.error;
      // Too late, or the input has failed; then it fails again when it is asked next.
      if (!next.ok) return undefined;
      if (next.value.done === true) return next.value;
      weight += this.#weightOf(next.value.value);
      if (weight > this.#size) return next.value;
      gathered.push(next.value.value);
    }
    return undefined;
  }
}
