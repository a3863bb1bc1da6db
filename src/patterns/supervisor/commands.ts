/**
 * What callers ask of a supervisor, one after the other.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { ClosedError } from "../../core/errors.ts";
import { begin, type Resource } from "../../core/resource.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import { Channel } from "../../sync/channel.ts";

/** Does what is asked, and grants or fails the caller; who has given up by then does not wait any more. */
export type Command<T> = (caller: Waiter<T>) => Promise<void>;

class Caller<T> extends Waiter<T> {
  readonly #command: Command<T>;

  constructor(
    command: Command<T>,
    runtime: Runtime,
    op: string,
    resource: Resource | undefined,
    options: CancelOptions | undefined,
  ) {
    super(runtime, op, resource, options);
    this.#command = command;
  }

  /** An error here ends the supervisor, and the caller hears of it too. */
  async run(): Promise<void> {
    try {
      await this.#command(this);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }
}

/**
 * Invariants
 *   I1  `wake` holds a value whenever somebody waits to be served, unless the one who serves is awake.
 *   I2  Once closed, nobody waits.
 */
export class Commands {
  /** Gets a value when there is something to do. */
  readonly wake: Channel<void>;
  readonly #runtime: Runtime;
  readonly #resource: Resource | undefined;
  readonly #callers = new WaiterQueue<Caller<never>>();
  #closed = false;

  constructor(runtime: Runtime, resource: Resource | undefined, name: string) {
    this.#runtime = runtime;
    this.#resource = resource;
    this.wake = new Channel(1, { name: `${name} commands` });
  }

  /** How many wait to be served. */
  get size(): number {
    return this.#callers.size;
  }

  /** Waits until it has been done. A caller who gives up before its turn has asked for nothing. */
  submit<T>(op: string, command: Command<T>, options: CancelOptions | undefined): Promise<T> {
    return begin(this.#runtime, async () => {
      const cancelled = rejectIfCancelled(options);
      if (cancelled !== undefined) return cancelled;
      if (this.#closed) throw supervisorEnded();
      const caller = new Caller<T>(command, this.#runtime, op, this.#resource, options);
      // Whoever serves only lets it run: what it is granted is between it and its command.
      this.#callers.push(caller as unknown as Caller<never>);
      this.wake.trySend();
      return caller.promise;
    });
  }

  /** Does the next thing, if there is one. */
  async serve(): Promise<void> {
    const caller = this.#callers.shift();
    if (this.#callers.size > 0) this.wake.trySend();
    await caller?.run();
  }

  /** Nothing more will be done: who waits fails. */
  close(): void {
    this.#closed = true;
    for (let caller = this.#callers.shift(); caller !== undefined; caller = this.#callers.shift())
      caller.fail(supervisorEnded());
  }
}

/** Why nothing can be asked any more. */
export function supervisorEnded(): ClosedError {
  return new ClosedError("supervisor has ended, or is about to");
}
