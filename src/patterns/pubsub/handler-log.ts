/**
 * The messages of one topic, once for all its handlers: each reads them at its own pace.
 *
 * Who keeps up is abreast of the log: to publish is to append to a page that all of these read, however many they are.
 * When one of them has no room for a message, the page is closed, and whoever has not read all of it is behind: what comes
 * after it goes into a queue of its own, until it has read all that it has and is abreast again.
 *
 * Invariants
 *   I1  Nobody who is abreast is full before `#room` more messages have come.
 *   I2  The page holds what is not read by everybody who is abreast, and at most as much again.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Runtime } from "../../core/runtime.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import type { Member } from "./directory.ts";
import type { Handling } from "./handling.ts";
import { LogReader, type ReadersLog, type Rest } from "./log-reader.ts";
import type { Delivery } from "./publish-waiter.ts";

export class HandlerLog implements Member, ReadersLog {
  readonly runtime: Runtime;
  readonly #left: () => void;
  readonly #readers = new Set<LogReader>();
  /** Those who have read everything. */
  readonly #resting = new WaiterQueue<Rest>();
  /** What those read who are abreast. */
  #page: unknown[] = [];
  /** How many messages may come before somebody may be full who is abreast. */
  #room = 0;
  /** Those who read something else than the page. */
  readonly #behind = new Set<LogReader>();

  /** `left` is told of each reader that reads no more. */
  constructor(runtime: Runtime, left: () => void) {
    this.runtime = runtime;
    this.#left = left;
  }

  /** How many read it. */
  get subscribers(): number {
    return this.#readers.size;
  }

  get full(): boolean {
    if (this.#behind.size > 0) for (const { room } of this.#behind) if (room === 0) return true;
    return this.#room === 0 && this.#look() === 0;
  }

  add(capacity: number, handling: Handling<unknown>, options: CancelOptions): LogReader {
    const reader = new LogReader(this, this.#page, capacity, handling, options);
    this.#readers.add(reader);
    this.#room = 0;
    return reader;
  }

  offer(message: unknown, _topic: string, pending?: Delivery[]): number {
    if (this.#room === 0 && this.#look() === 0) this.#closePage();
    if (this.#resting.size > 0) this.#wake();
    let accepted = this.#readers.size - this.#behind.size;
    if (accepted > 0) {
      this.#page.push(message);
      this.#room--;
    }
    if (this.#behind.size > 0) for (const reader of this.#behind) accepted += reader.offer(message, pending);
    return accepted;
  }

  finish(): void {
    for (const reader of this.#readers) reader.finish();
  }

  rests(reader: LogReader, rest: Rest): void {
    this.#behind.delete(reader);
    this.#room = Math.min(this.#room, reader.room);
    this.#resting.push(rest);
    this.#forgetIfRead();
  }

  left(reader: LogReader): void {
    this.#readers.delete(reader);
    this.#behind.delete(reader);
    this.#forgetIfRead();
    this.#left();
  }

  /** If nobody reads the page any more, it is not kept. */
  #forgetIfRead(): void {
    if (this.#page.length > 0 && this.#resting.size + this.#behind.size === this.#readers.size)
      this.#page = [];
  }

  /** Who has not read it to its end is behind; who rests goes on with the next page. */
  #closePage(): void {
    for (const reader of this.#readers) if (reader.page === this.#page) this.#behind.add(reader);
    this.#page = [];
    this.#look();
  }

  #wake(): void {
    for (let rest = this.#resting.shift(); rest !== undefined; rest = this.#resting.shift()) {
      rest.reader.wake(this.#page);
      rest.grant();
    }
  }

  /** Sees for how many messages there is room, and drops what is read by all. */
  #look(): number {
    let room = Number.POSITIVE_INFINITY;
    let read = this.#page.length;
    for (const reader of this.#readers) {
      if (reader.page === this.#page) read = Math.min(read, reader.read);
      else if (!reader.resting) continue;
      room = Math.min(room, reader.room);
    }
    if (read > this.#page.length / 2) {
      for (const reader of this.#readers) if (reader.page === this.#page) reader.shift(read);
      this.#page.splice(0, read);
    }
    this.#room = room;
    return room;
  }
}
