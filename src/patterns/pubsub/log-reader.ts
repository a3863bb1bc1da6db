/**
 * A handler who reads a log that many share: where it stands in it, and what it does when it falls behind.
 *
 * Invariants
 *   I1  It has at most `capacity` messages that it has not begun with, and one more while it asks for one. A publisher
 *       waits for it only while it has so many.
 *   I2  Only who is behind the log has messages of its own, or publishers who wait for it.
 */
import { type CancelLink, type CancelOptions, linkCancel } from "../../core/cancellation.ts";
import { giveTurn } from "../../core/fairness.ts";
import type { Runtime } from "../../core/runtime.ts";
import { Waiter } from "../../core/waiter.ts";
import { WaiterQueue } from "../../core/waiter-queue.ts";
import type { Sender } from "../../sync/ports.ts";
import type { Registration } from "../../sync/registration.ts";
import { handle, type Handling, IN_A_ROW } from "./handling.ts";
import { Delivery } from "./publish-waiter.ts";

/** What a reader tells its log. */
export interface ReadersLog {
  readonly runtime: Runtime;
  /** It has read all that it has: it stands in line for the next message. */
  rests(reader: LogReader, rest: Rest): void;
  /** It reads no more. */
  left(reader: LogReader): void;
}

/** A reader who has read everything. */
export class Rest extends Waiter<void> {
  readonly reader: LogReader;

  constructor(runtime: Runtime, reader: LogReader) {
    super(runtime, "read", undefined, undefined);
    this.reader = reader;
  }
}

const NO_PAGE: readonly unknown[] = [];

export class LogReader implements Registration {
  /** It blocks, and so drops nothing. */
  readonly dropped = 0;
  /** For reports, which there are none of where there is a log. */
  readonly resource = undefined;
  readonly #log: ReadersLog;
  readonly #capacity: number;
  readonly #handling: Handling<unknown>;
  readonly #link: CancelLink | undefined;
  /** What it reads, and how far it is. The log's own page if it is abreast of it. */
  #page: readonly unknown[];
  #next: number;
  /** What came after its page: the next one. */
  #own: unknown[] = [];
  readonly #senders = new WaiterQueue<Sender<unknown>>();
  /** 1 from when it asks for a message until it begins with one: it has room for that beside its capacity. */
  #asking: 0 | 1 = 0;
  #rest: Rest | undefined;
  #state: "subscribed" | "finishing" | "ended" = "subscribed";

  constructor(
    log: ReadersLog,
    page: readonly unknown[],
    capacity: number,
    handling: Handling<unknown>,
    options: CancelOptions,
  ) {
    this.#log = log;
    this.#page = page;
    this.#next = page.length;
    this.#capacity = capacity;
    this.#handling = handling;
    this.#link = linkCancel(options, { onCancel: () => this.unsubscribe() });
  }

  /** What it reads. */
  get page(): readonly unknown[] {
    return this.#page;
  }

  /** How many messages of its page it has begun with. */
  get read(): number {
    return this.#next;
  }

  /** Whether it has read everything, and waits. */
  get resting(): boolean {
    return this.#rest !== undefined;
  }

  /** For how many more messages it has room. */
  get room(): number {
    return this.#capacity + this.#asking - (this.#page.length - this.#next) - this.#own.length;
  }

  /** Handles every message until it leaves, or the bus is closed and all is handled. */
  async listen(): Promise<void> {
    for (;;) {
      const pause = this.#handleAll() ?? this.#waitForMore();
      if (pause === undefined) return;
      await pause;
    }
  }

  /** It rests, and is woken: it reads on from the end of this page. */
  wake(page: readonly unknown[]): void {
    this.#page = page;
    this.#next = page.length;
    this.#rest = undefined;
  }

  /** The first messages of its page are gone. */
  shift(count: number): void {
    this.#next -= count;
  }

  /** It is behind: takes a message into a queue of its own, or has its publisher wait. Gives how many took it. */
  offer(message: unknown, pending: Delivery[] | undefined): 0 | 1 {
    if (this.room > 0) {
      this.#own.push(message);
      return 1;
    }
    pending?.push(new Delivery(this, message));
    return 0;
  }

  enrollSender(sender: Sender<unknown>): void {
    this.#senders.push(sender);
  }

  /** No more messages: it ends when all are handled. */
  finish(): void {
    if (this.#state === "subscribed") this.#state = "finishing";
    if (this.#rest !== undefined) this.unsubscribe();
  }

  /** Leaves, at once. Does nothing the second time. */
  unsubscribe(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#link?.release();
    this.#rest?.grant();
    this.#log.left(this);
    this.#page = NO_PAGE;
    this.#next = 0;
    this.#own = [];
    for (let sender = this.#senders.shift(); sender !== undefined; sender = this.#senders.shift())
      sender.refused(undefined);
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  /** Handles what is there. What this gives must be waited for before there is more to be done. */
  #handleAll(): Promise<unknown> | undefined {
    const handling = this.#handling;
    let left = IN_A_ROW;
    do {
      while (this.#next < this.#page.length) {
        const message = this.#page[this.#next++];
        this.#asking = 0;
        if (this.#senders.size > 0) this.#admit();
        const waited = handle(message, handling);
        if (waited !== undefined) return waited;
        if (--left > 0) continue;
        left = IN_A_ROW;
        const turn = giveTurn(this.#log.runtime);
        if (turn !== undefined) return turn;
      }
    } while (this.#turnPage());
    return undefined;
  }

  #waitForMore(): Promise<void> | undefined {
    if (this.#state !== "subscribed") {
      this.unsubscribe();
      return undefined;
    }
    this.#rest = new Rest(this.#log.runtime, this);
    this.#log.rests(this, this.#rest);
    this.#page = NO_PAGE;
    this.#next = 0;
    return this.#rest.promise;
  }

  /** It has read its page, and asks for more, which lets in a publisher also where there is no buffer. Whether there is. */
  #turnPage(): boolean {
    this.#asking = 1;
    if (this.#senders.size > 0) this.#admit();
    if (this.#own.length === 0) return false;
    this.#page = this.#own;
    this.#next = 0;
    this.#own = [];
    return true;
  }

  /** If there is room, who has waited longest puts its message in. */
  #admit(): void {
    const sender = this.room > 0 ? this.#senders.shift() : undefined;
    if (sender === undefined) return;
    this.#own.push(sender.value);
    sender.accepted();
  }
}
