/**
 * Several senders on one channel, of whom the last closes it.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import { ClosedError } from "../core/errors.ts";
import { type CountedHandle, HandleCount } from "./counted-sender/handle-count.ts";
import type { SendPort } from "./ports.ts";

/**
 * The first of several senders on one channel. Each further one is made with {@link CountedSender.clone}; when all have
 * been closed, so is the channel. Keep one open as long as there may be more.
 *
 * @example
 * const results = new Channel<string>(2);
 * const first = countedSender(results);
 * const second = first.clone();
 * await first.send("a");
 * first.close();
 * await second.send("b");
 * second.close();
 * const seen: string[] = [];
 * for await (const result of results) seen.push(result);
 * seen; //=> ["a", "b"]
 */
export function countedSender<T>(port: SendPort<T>): CountedSender<T> {
  const count = new HandleCount(() => {
    if (!port.closed) port.close();
  });
  return new CountedSender<T>(port, count);
}

/**
 * One of the senders on a channel, made by {@link countedSender}.
 *
 * **Guarantees** The channel closes when the last sender has been closed and its sends have settled, not before.
 * **Cancellation** As that of the channel.
 * **Errors** `ClosedError` for a send once this sender, or the channel, is closed.
 * **Cost** That of the channel, and a promise a send.
 * **Source** Rust's `mpsc::Sender`.
 *
 * @example
 * const numbers = new Channel<number>(1);
 * const sender = countedSender(numbers);
 * sender.trySend(1); //=> true
 * sender.close();
 * numbers.closed; //=> true
 */
export class CountedSender<T> implements SendPort<T> {
  readonly #port: SendPort<T>;
  readonly #count: HandleCount;
  readonly #handle: CountedHandle;

  /** @internal */
  constructor(port: SendPort<T>, count: HandleCount) {
    this.#port = port;
    this.#count = count;
    this.#handle = count.open();
  }

  /** Whether this sender, or the channel, has been closed. */
  get closed(): boolean {
    return this.#handle.closed || this.#port.closed;
  }

  /** One more sender. Throws `ClosedError` once this one is closed: the channel may be, too. */
  clone(): CountedSender<T> {
    this.#requireOpen("clone of");
    return new CountedSender<T>(this.#port, this.#count);
  }

  /** As `Channel.send`. */
  async send(value: T, options?: CancelOptions): Promise<void> {
    this.#requireOpen("send on");
    await this.#handle.hold(() => this.#port.send(value, options));
  }

  /** As `Channel.trySend`. */
  trySend(value: T): boolean {
    this.#requireOpen("send on");
    return this.#port.trySend(value);
  }

  /**
   * No more input from here; sends that wait still get in. With an error, the channel is closed with that, at once and
   * for all. Does nothing the second time.
   */
  close(error?: unknown): void {
    if (this.#handle.closed) return;
    if (error !== undefined && !this.#port.closed) this.#port.close(error);
    this.#handle.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(what: string): void {
    if (this.#handle.closed) throw new ClosedError(`${what} closed sender`);
  }
}
