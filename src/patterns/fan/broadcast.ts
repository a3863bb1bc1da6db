/**
 * One stream to many readers, each of whom gets every value.
 */
import { requireInteger, requireOneOf } from "../../core/arguments.ts";
import { CanceledError, FullError } from "../../core/errors.ts";
import { outcomeOf, valueOf } from "../../core/task.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { Channel } from "../../sync/channel.ts";
import type { Context } from "../../sync/context.ts";
import { Flow } from "../../sync/flow.ts";
import { openSource, pump, type Source } from "../../sync/source.ts";
import { TaskGroup } from "../../sync/task-group.ts";

/**
 * What happens when a reader has no room for a value. `block`: the source, and with it every reader, waits. `drop-oldest`:
 * the oldest value that waits for this reader makes room. `disconnect`: this reader gets what waits for it and then a
 * `FullError`; the others go on.
 */
export type BroadcastOverflow = "block" | "drop-oldest" | "disconnect";

/** How a stream is broadcast. */
export interface BroadcastOptions extends CancelOptions {
  /** How many values may wait for each reader: at least 0, or 1 unless a slow reader blocks; default 16. */
  readonly capacity?: number | undefined;
  /** What happens beyond that; default `block`. */
  readonly overflow?: BroadcastOverflow | undefined;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

/** As many branches as there are readers, one by one if their number is a literal. */
export type BroadcastBranches<T, N extends number, List extends BroadcastBranch<T>[] = []> = number extends N
  ? BroadcastBranch<T>[]
  : List["length"] extends N
    ? List
    : BroadcastBranches<T, N, [...List, BroadcastBranch<T>]>;

/**
 * Gives every value of `source` to each of some readers.
 *
 * **Guarantees** Every reader gets every value, in order, unless `overflow` says otherwise. The source is read once, from when
 * the first reader asks for a value; readers who ask later get what waits for them. A reader who leaves holds up nobody;
 * when the last has left, the source is given up and waited for.
 * **Cancellation** When `signal` aborts, each reader fails with its reason.
 * **Errors** A failure of the source comes to each reader, after what waits for that reader.
 * **Cost** Two channel hand-offs a value and reader.
 * **Not for** readers who come and go: see `pubsub`. With `block`, a reader who never asks holds up all others: dispose of
 * a branch that is not needed.
 * **Source** `tee` of Unix, and the broadcast stages of Akka Streams.
 *
 * @example
 * const [all, some] = broadcast([1, 2, 3], 2);
 * const [sum, first] = await Promise.all([
 *   all.toArray().then((values) => values.reduce((a, b) => a + b)),
 *   some.toArray().then((values) => values[0]),
 * ]);
 * [sum, first]; //=> [6, 1]
 */
export function broadcast<T, N extends number>(
  source: Source<T>,
  readers: N,
  options: BroadcastOptions = {},
): BroadcastBranches<T, N> {
  requireInteger("readers", readers, 1);
  const policy = requireOneOf("overflow", options.overflow ?? "block", [
    "block",
    "drop-oldest",
    "disconnect",
  ]);
  const capacity = requireInteger("capacity", options.capacity ?? 16, policy === "block" ? 0 : 1);
  const name = options.name ?? "broadcast";
  const trunk = new Trunk(source, policy, { name, signal: options.signal });
  const branches = Array.from({ length: readers }, (_, index) => {
    const overflow = policy === "drop-oldest" ? policy : "block";
    const channel = new Channel<T>(capacity, { name: `${name} ${index + 1}`, overflow });
    trunk.join(channel);
    return new BroadcastBranch(trunk, channel, options);
  });
  return branches as BroadcastBranches<T, N>;
}

/**
 * What one reader of a broadcast reads, made by {@link broadcast}.
 *
 * @example
 * const [branch, unused] = broadcast("abc", 2, { capacity: 1 });
 * await unused[Symbol.asyncDispose]();
 * await branch.toArray(); //=> ["a", "b", "c"]
 */
export class BroadcastBranch<T> extends Flow<T> {
  readonly #trunk: Trunk<T>;
  readonly #channel: Channel<T>;

  /** @internal */
  constructor(trunk: Trunk<T>, channel: Channel<T>, { signal }: CancelOptions) {
    super(
      async (out, { ctx }) => {
        trunk.start();
        const read = await outcomeOf(() => pump(channel, out, ctx));
        await trunk.leave(channel);
        valueOf(read);
      },
      { signal },
    );
    this.#trunk = trunk;
    this.#channel = channel;
  }

  /** How many values this reader has missed for lack of room. */
  get dropped(): number {
    return this.#channel.dropped;
  }

  /** Leaves, also if it has never been read. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#trunk.leave(this.#channel);
  }
}

/**
 * Reads the source and gives each value to every channel.
 *
 * Invariants
 *   I1  `#readers` are the channels of those who have not left; `#channels`, of those who have not been disconnected either.
 *   I2  The source is read only while there are channels; whoever leaves last waits for its end.
 */
class Trunk<T> {
  readonly #source: Source<T>;
  readonly #overflow: BroadcastOverflow;
  readonly #options: CancelOptions & { readonly name: string };
  readonly #readers = new Set<Channel<T>>();
  readonly #channels = new Set<Channel<T>>();
  #group: TaskGroup | undefined;

  constructor(
    source: Source<T>,
    overflow: BroadcastOverflow,
    options: CancelOptions & { readonly name: string },
  ) {
    this.#source = source;
    this.#overflow = overflow;
    this.#options = options;
  }

  join(channel: Channel<T>): void {
    this.#readers.add(channel);
    this.#channels.add(channel);
  }

  start(): void {
    if (this.#group !== undefined) return;
    this.#group = new TaskGroup(this.#options);
    this.#group.go((ctx) => this.#feed(ctx), { name: `${this.#options.name} source` });
  }

  /** A reader goes. If it is the last one, so does the source; what goes wrong on its way out is thrown here. */
  async leave(channel: Channel<T>): Promise<void> {
    if (!this.#readers.delete(channel)) return;
    this.#channels.delete(channel);
    if (!channel.closed) channel.close();
    if (this.#readers.size > 0) return;
    this.#group?.cancel(new CanceledError("every reader has left"));
    await this.#group?.wait();
  }

  async #feed(ctx: Context): Promise<void> {
    const read = await outcomeOf(() =>
      pump(openSource(this.#source, ctx), { send: (value) => this.#give(value, ctx) }, ctx),
    );
    if (!read.ok && this.#channels.size === 0) throw read.error;
    for (const channel of this.#channels) channel.close(read.ok ? undefined : read.error);
  }

  /** First to all who have room, so that nobody waits for a value because of another reader. */
  async #give(value: T, ctx: Context): Promise<void> {
    const full = [...this.#channels].filter((channel) => !channel.trySend(value));
    if (this.#overflow === "block") for (const channel of full) await this.#send(channel, value, ctx);
    else if (this.#overflow === "disconnect") for (const channel of full) this.#disconnect(channel);
  }

  /** A reader who leaves while this waits is no failure. */
  async #send(channel: Channel<T>, value: T, ctx: Context): Promise<void> {
    const sent = await outcomeOf(() => channel.send(value, ctx));
    if (!sent.ok && this.#channels.has(channel)) throw sent.error;
  }

  #disconnect(channel: Channel<T>): void {
    this.#channels.delete(channel);
    channel.close(new FullError(`disconnected: ${channel.size} values wait for this reader`));
    if (this.#channels.size === 0) this.#group?.cancel(new CanceledError("every reader was disconnected"));
  }
}
