/**
 * A handler who reads a log that many share: where it stands in it, and for how much of it there is room.
 *
 * Invariants
 *   I1  It has room for `capacity` messages that it has not begun with, and one more while it asks for one. A publisher
 *       waits for it only while it has so many.
 *   I2  It reads up to `roomUntil`: what comes after that still belongs to its publishers, who may withdraw it.
 *   I3  While it handles a few messages in a row, there may be more room than the log was told of; else there is not.
 */
import { type CancelLink, type CancelOptions, linkCancel } from "../../core/cancellation.ts";
import { giveTurn } from "../../core/fairness.ts";
import type { BareRuntime } from "../../core/bare-runtime.ts";
import { QueueNode } from "../../core/waiter-queue.ts";
import type { Registration } from "../../sync/registration.ts";
import { handle, type Handling, IN_A_ROW } from "./handling.ts";

/** What a reader asks and tells its log. */
export interface ReadersLog {
  readonly runtime: BareRuntime;
  /** Messages that are kept, from the place `start` on; another array when some of them are kept no more. */
  readonly messages: readonly unknown[];
  readonly start: number;
  /** The place that the next message will have. */
  readonly end: number;
  /** How many of the newest messages are late: some reader has no room for them. */
  readonly late: number;
  /** A reader begins to handle messages; it tells what room that makes when it has come to an end, or when it is asked. */
  reads(reader: LogReader): void;
  /** A reader has room for the message at this place, which is late. */
  madeRoom(place: number): void;
  /** A reader has read all that there is: it stands in line for the next message. */
  rests(reader: LogReader): void;
  /** It reads no more. */
  left(reader: LogReader): void;
}

/** Stands in a queue while it has read everything. */
export class LogReader extends QueueNode implements Registration {
  /** It blocks, and so drops nothing. */
  readonly dropped = 0;
  /** For reports, which there are none of where there is a log. */
  readonly resource = undefined;
  readonly #log: ReadersLog;
  readonly #capacity: number;
  readonly #handling: Handling<unknown>;
  readonly #link: CancelLink | undefined;
  #at: number;
  #roomUntil: number;
  /** 1 from when it asks for a message until it begins with one. */
  #asking: 0 | 1 = 0;
  /** The places of messages that are not for it, and how many of them it passes over before `roomUntil`. */
  #withdrawn: Set<number> | undefined;
  #passedOver = 0;
  /** Lets it go on that rests. Not a waiter: nobody but its log and itself ends the wait, and it never fails. */
  #wakeUp: (() => void) | undefined;
  #state: "subscribed" | "finishing" | "ended" = "subscribed";

  constructor(log: ReadersLog, capacity: number, handling: Handling<unknown>, options: CancelOptions) {
    super();
    this.#log = log;
    this.#at = log.end;
    this.#roomUntil = log.end + capacity;
    this.#capacity = capacity;
    this.#handling = handling;
    this.#link = linkCancel(options, { onCancel: () => this.unsubscribe() });
  }

  /** The place of the message that it begins with next. */
  get at(): number {
    return this.#at;
  }

  /** The first place for whose message it has no room, as far as the log was told. */
  get roomUntil(): number {
    return this.#roomUntil;
  }

  /** Handles every message until it leaves, or the bus is closed and all is handled. */
  async listen(): Promise<void> {
    for (;;) {
      const pause = this.#handleAll() ?? this.#waitForMore();
      if (pause === undefined) return;
      await pause;
    }
  }

  /** The message at this place, for which it has no room, is not for it. */
  withdraw(place: number): void {
    this.#withdrawn ??= new Set();
    this.#withdrawn.add(place);
  }

  /** Tells the log, and so the publishers who wait, what room there is. */
  tell(): void {
    if (this.#state === "ended") return;
    if (this.#log.late === 0 && this.#withdrawn === undefined) this.#roomUntil = this.#hasRoomUntil();
    else while (this.#roomUntil < this.#hasRoomUntil()) this.#tellOfOne();
  }

  /** It goes on, if it rests. */
  wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }

  /** No more messages: it ends when all are handled. */
  finish(): void {
    if (this.#state === "subscribed") this.#state = "finishing";
    if (this.#wakeUp !== undefined) this.unsubscribe();
  }

  /** Leaves, at once. Does nothing the second time. */
  unsubscribe(): void {
    if (this.#state === "ended") return;
    this.tell();
    this.#state = "ended";
    this.#link?.release();
    this.queue?.remove(this);
    this.wake();
    this.#log.left(this);
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  /** Handles what is there. What this gives must be waited for before there is more to be done. */
  #handleAll(): Promise<unknown> | undefined {
    const log = this.#log;
    let untilTurn = this.#at + IN_A_ROW;
    do {
      while (this.#state !== "ended" && this.#at < this.#roomUntil && this.#at < log.end) {
        log.reads(this);
        const waited = this.#handleSome(log);
        this.tell();
        if (waited !== undefined) return waited;
        if (this.#at < untilTurn) continue;
        untilTurn = this.#at + IN_A_ROW;
        const turn = giveTurn(log.runtime);
        if (turn !== undefined) return turn;
      }
    } while (this.#ask());
    return undefined;
  }

  /** Handles a few messages, as long as none has to be waited for. This takes most of the time: see `bench/pubsub.ts`. */
  #handleSome({ messages, start, end }: ReadersLog): Promise<unknown> | undefined {
    const until = Math.min(this.#roomUntil, end, this.#at + IN_A_ROW);
    while (this.#at < until) {
      const place = this.#at++;
      if (this.#withdrawn?.delete(place) === true) {
        this.#passedOver--;
        if (this.#withdrawn.size === 0) this.#withdrawn = undefined;
        continue;
      }
      this.#asking = 0;
      const waited = handle(messages[place - start], this.#handling);
      if (waited !== undefined || this.#state === "ended") return waited;
    }
    return undefined;
  }

  /** It has read all it had room for, and asks for one more: so a publisher comes in also where there is no buffer. */
  #ask(): boolean {
    if (this.#state === "ended") return false;
    this.#asking = 1;
    this.tell();
    return this.#at < this.#log.end;
  }

  #waitForMore(): Promise<void> | undefined {
    if (this.#state !== "subscribed") {
      this.unsubscribe();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
      this.#log.rests(this);
    });
  }

  #hasRoomUntil(): number {
    return this.#at + this.#capacity + this.#asking + this.#passedOver;
  }

  /** Room that would be for a message which it does not get is for the one after that. */
  #tellOfOne(): void {
    const place = this.#roomUntil++;
    if (this.#withdrawn?.has(place) === true) this.#passedOver++;
    else if (place < this.#log.end) this.#log.madeRoom(place);
  }
}
