/**
 * The messages of one topic, once for all its handlers: each reads them at its own pace.
 *
 * To publish is to append a message, which then has a place, counted from 0; however many read it. Each reader has room up
 * to some place. A message at a place for which some have no room is there for the others at once, and its publisher waits
 * until those have room, too, or have left.
 *
 * Invariants
 *   I1  The newest messages are late, and no others: from the first for which somebody has no room. A message that was
 *       withdrawn is one of them until all before it are settled.
 *   I2  Nobody is full before the place `#roomUntil`.
 *   I3  It keeps what is not read by everybody, and at most as much again and a little.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import { RingBuffer } from "../../core/ring-buffer.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import type { Member } from "./directory.ts";
import type { Handling } from "./handling.ts";
import { LogReader, type ReadersLog } from "./log-reader.ts";
import type { Delivery, PublishWaiter } from "./publish-waiter.ts";

/** So much that all have read is kept before it is looked for. */
const SPARE = 64;

export class HandlerLog implements Member, ReadersLog {
  readonly runtime: BareRuntime;
  readonly #left: () => void;
  readonly #readers = new Set<LogReader>();
  /** Those who have read everything. */
  readonly #resting = new WaiterQueue<LogReader>();
  messages: unknown[] = [];
  start = 0;
  end = 0;
  /** Who handles messages now, or did last. */
  #reading: LogReader | undefined;
  readonly #late = new RingBuffer<LateMessage>();
  #roomUntil = 0;
  /** When it has come to this place, it sees what it need not keep. */
  #tidyAt = SPARE;

  /** `left` is told of each reader that reads no more. */
  constructor(runtime: BareRuntime, left: () => void) {
    this.runtime = runtime;
    this.#left = left;
  }

  /** How many read it. */
  get subscribers(): number {
    return this.#readers.size;
  }

  get late(): number {
    return this.#late.size;
  }

  get full(): boolean {
    if (this.#late.size > 0) this.#reading?.tell();
    return this.#late.size > 0 || !this.#hasRoom(this.end);
  }

  add(capacity: number, handling: Handling<unknown>, options: CancelOptions): LogReader {
    const reader = new LogReader(this, capacity, handling, options);
    this.#readers.add(reader);
    this.#roomUntil = Math.min(this.#roomUntil, reader.roomUntil);
    return reader;
  }

  offer(message: unknown, _topic: string, pending: Delivery[] = []): number {
    if (this.#resting.size > 0) this.#wake();
    if (this.end >= this.#tidyAt) this.#tidy();
    const hasRoom = this.#hasRoom(this.end);
    const place = this.end++;
    this.messages.push(message);
    if (hasRoom) return this.#readers.size;
    const late = new LateMessage(this, place, this.#fullAt(place).length);
    this.#late.push(late);
    pending.push(late);
    return this.#readers.size - late.open;
  }

  /** It is not for those who have no room for it yet. */
  withdraw(late: LateMessage): void {
    this.#reading?.tell();
    if (late.open === 0) return;
    late.open = 0;
    for (const reader of this.#fullAt(late.place)) reader.withdraw(late.place);
    this.#forgetSettled();
  }

  finish(): void {
    for (const reader of this.#readers) reader.finish();
  }

  reads(reader: LogReader): void {
    this.#reading = reader;
  }

  madeRoom(place: number): void {
    this.#late.at(place - this.#firstLate).settled(1);
    this.#forgetSettled();
  }

  rests(reader: LogReader): void {
    this.#resting.push(reader);
    if (this.#resting.size === this.#readers.size) this.#drop(this.messages.length);
  }

  left(reader: LogReader): void {
    this.#readers.delete(reader);
    if (this.#reading === reader) this.#reading = undefined;
    const firstLate = this.#firstLate;
    for (let place = Math.max(firstLate, reader.roomUntil); place < this.end; place++)
      this.#late.at(place - firstLate).settled(0);
    this.#forgetSettled();
    this.#left();
  }

  get #firstLate(): number {
    return this.end - this.#late.size;
  }

  #fullAt(place: number): LogReader[] {
    return [...this.#readers].filter(({ roomUntil }) => roomUntil <= place);
  }

  /** Whether everybody has room for a message at this place. */
  #hasRoom(place: number): boolean {
    if (place < this.#roomUntil) return true;
    this.#reading?.tell();
    let roomUntil = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) roomUntil = Math.min(roomUntil, reader.roomUntil);
    this.#roomUntil = roomUntil;
    return place < roomUntil;
  }

  #wake(): void {
    for (let reader = this.#resting.shift(); reader !== undefined; reader = this.#resting.shift())
      reader.wake();
  }

  #forgetSettled(): void {
    while (this.#late.first?.open === 0) this.#late.shift();
  }

  #tidy(): void {
    let read = this.messages.length;
    for (const { at } of this.#readers) read = Math.min(read, at - this.start);
    if (read > this.messages.length / 2) this.#drop(read);
    this.#tidyAt = this.end + this.messages.length + SPARE;
  }

  /** So many, from the first on, have been read by everybody. */
  #drop(count: number): void {
    this.messages = this.messages.slice(count);
    this.start += count;
  }
}

/** A message for which some had no room: its publisher waits for them. */
class LateMessage implements Delivery {
  readonly resource = undefined;
  readonly place: number;
  /** How many have no room yet. */
  open: number;
  readonly #log: HandlerLog;
  #accepted = 0;
  #publisher: PublishWaiter | undefined;

  constructor(log: HandlerLog, place: number, open: number) {
    this.#log = log;
    this.place = place;
    this.open = open;
  }

  begin(publisher: PublishWaiter): void {
    this.#publisher = publisher;
  }

  withdraw(): void {
    this.#log.withdraw(this);
  }

  /** One of them has room now, and so has the message; or has left. Nothing if it was withdrawn. */
  settled(accepted: 0 | 1): void {
    if (this.open === 0) return;
    this.#accepted += accepted;
    if (--this.open === 0) this.#publisher?.settled(this.#accepted);
  }
}
