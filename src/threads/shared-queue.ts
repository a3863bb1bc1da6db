/**
 * A queue of values in shared memory, as the channel of one thread sees it: puts and takes, tried or with the whole thread,
 * and what it was closed with. It knows nobody who waits.
 */
import { refuseType, requireInteger, requireObject } from "../core/arguments.ts";
import { ClosedError, MisuseError } from "../core/errors.ts";
import type { Received } from "../sync/ports.ts";
import type { Bell } from "./shared-bell.ts";
import { SharedCodec, type StructureCodec } from "./shared-codec.ts";
import {
  allocateRing,
  CLOSED,
  forRoom,
  forValues,
  SharedRing,
  type SharedRingHandle,
} from "./shared-ring.ts";

/** How a shared channel works. */
export interface SharedChannelOptions {
  /**
   * The bytes of the largest value, from 8, what a number takes, to 2^28 - 1; default 1024. So much memory is taken for
   * each of the `capacity` values.
   */
  readonly valueBytes?: number | undefined;
}

/** Hand this to another thread, with a job or by a message: `sharedChannel` makes another end of the same channel of it. */
export type SharedChannelHandle<T = unknown> = SharedRingHandle & {
  /** For the compiler alone: what the values are. */
  readonly of?: T;
};

/** Who waits with a whole thread looks so often before it sleeps: some 20 µs, which waking up would cost at least. */
const LOOKS = 2000;

export class SharedQueue<T> {
  readonly handle: SharedChannelHandle<T>;
  readonly #ring: SharedRing;
  readonly #codec: SharedCodec;
  /** What it was closed with, once this thread has looked. */
  #cause: { readonly error: unknown } | "none" | undefined;

  constructor(made: number | SharedRingHandle, options: SharedChannelOptions, structures: StructureCodec) {
    this.handle = typeof made === "number" ? allocated(made, options) : requireHandle(made);
    this.#ring = new SharedRing(this.handle);
    this.#codec = new SharedCodec(this.#ring, this.handle.valueBytes, structures);
  }

  get size(): number {
    return this.#ring.size;
  }

  get closed(): boolean {
    return this.#ring.closed;
  }

  /** Whether a value, or the end, could be taken now. */
  get receivable(): boolean {
    return this.#ring.receivable;
  }

  /** Whether a value could be put in now. */
  get sendable(): boolean {
    return this.#ring.sendable;
  }

  /** Puts a value in, if there is room. Throws if it is closed. */
  put(value: T): boolean {
    const put = this.#codec.put(value);
    if (put === CLOSED) throw this.#refusal();
    return put >= 0;
  }

  /** Takes a value out, if there is one, or its end. Throws what it was closed with. */
  take(): Received<T> | undefined {
    const taken = this.#ring.take();
    if (taken >= 0) return { value: this.#codec.taken(taken) as T, done: false };
    if (taken !== CLOSED) return undefined;
    const cause = this.#closedWith();
    if (cause !== undefined) throw cause.error;
    return { value: undefined, done: true };
  }

  /** Puts a value in, and waits for room with the whole thread. */
  putSync(value: T): void {
    for (let looks = 0; !this.put(value); looks++) this.#wait(looks, forRoom, () => this.#ring.sendable);
  }

  /** Takes a value out, or its end, and waits for one with the whole thread. */
  takeSync(): Received<T> {
    for (let looks = 0; ; looks++) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      this.#wait(looks, forValues, () => this.#ring.receivable);
    }
  }

  /** No more values. */
  close(error: unknown): void {
    if (!this.#codec.close(error)) throw new MisuseError("close of closed channel");
    this.#cause = error === undefined ? "none" : { error };
  }

  /** Marks a bell, as `mark` of the ring. */
  mark(bell: Bell): number {
    return this.#ring.mark(bell);
  }

  /** Waits until it rings; undefined if it has. */
  ring(bell: Bell, marked: number): Promise<unknown> | undefined {
    return this.#ring.ring(bell, marked);
  }

  /** At first somebody may be just about to put or take a value. Then it sleeps, unless there is no need to. */
  #wait(looks: number, bell: Bell, ready: () => boolean): void {
    if (looks === 0) for (let look = 0; look < LOOKS && !ready(); look++);
    else {
      const marked = this.#ring.mark(bell);
      if (!ready()) this.#ring.sleep(bell, marked);
    }
  }

  /** What it was closed with; it has been closed. */
  #closedWith(): { readonly error: unknown } | undefined {
    this.#cause ??= this.#codec.cause() ?? "none";
    return this.#cause === "none" ? undefined : this.#cause;
  }

  #refusal(): ClosedError {
    const cause = this.#closedWith();
    return new ClosedError("send on closed channel", cause && { cause: cause.error });
  }
}

function allocated(capacity: number, options: SharedChannelOptions): SharedRingHandle {
  return allocateRing(
    requireInteger("capacity", capacity, 1, 2 ** 20),
    requireInteger("valueBytes", options.valueBytes ?? 1024, 8, 2 ** 28 - 1),
  );
}

function requireHandle(made: SharedRingHandle): SharedRingHandle {
  const expected = "a number, or the handle of a shared channel";
  requireObject("capacity", made, expected);
  return made.memory instanceof SharedArrayBuffer ? made : refuseType("capacity", expected, made);
}
