/**
 * What a pool needs of whatever runs its threads: Node's worker threads, or a browser's workers.
 */
import type { News, Order } from "./protocol.ts";

/** What a thread is started with. */
export interface ThreadStart {
  /** The address of the module whose functions it calls. */
  readonly module: string;
  /** Where its calls stand, if it shares memory: see the protocol. */
  readonly cells: Int32Array | undefined;
  /** Its number, from 1. */
  readonly worker: number;
  readonly name: string;
}

/** What its pool hears of a thread. */
export interface ThreadListener {
  news(news: News): void;
  /** Something was thrown in it that nobody caught; it is about to end. */
  crashed(error: unknown): void;
  /** It has ended, and nothing more is heard of it. */
  gone(exitCode: number): void;
}

/** A thread of the host. */
export interface HostThread {
  /** Throws, without having sent anything, if that cannot be copied. */
  post(orders: readonly Order[], list: readonly Transferable[]): void;
  /** Whether it keeps the process alive. */
  hold(held: boolean): void;
  /** Ends it, whatever it does. */
  terminate(): void;
}

/** Starts threads. */
export interface ThreadHost {
  /** How many can run at once. */
  readonly cores: number;
  /** Whether its threads can share memory. */
  readonly sharesMemory: boolean;
  start(start: ThreadStart, listener: ThreadListener): HostThread;
}
