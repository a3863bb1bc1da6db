/**
 * The place of one thread in a crew: keeps a thread there, and starts another when that has ended.
 *
 * Invariants
 *   I1  There is a thread while it is `manned`, being `relieved`, or `closing`; a timer for the next one while it
 *       `pauses`; and neither while it is `asleep` or `closed`.
 *   I2  It is `relieved` while its thread, though alive, is being ended by us: for having been idle, or for a call that
 *       it does not let go of. Such a thread takes no calls.
 *   I3  `closed` is the last, and then no thread and no timer is left.
 */
import type { Timer } from "../core/clock.ts";
import { Deferred } from "../core/deferred.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Schedule } from "../sync/schedule.ts";
import type { ThreadCall } from "./call.ts";
import type { ThreadHost } from "./host.ts";
import { Thread, type ThreadOwner } from "./thread.ts";
import { reasonOf, type ThreadEnd } from "./thread-end.ts";

/** What posts have in common. */
export interface PostParts {
  readonly runtime: Runtime;
  readonly host: ThreadHost;
  /** The address of the module with the functions. */
  readonly module: string;
  readonly name: string;
  /** A thread that has had nothing to do for so long is ended, until it is wanted again. */
  readonly idleMs: number;
  /** How long to pause before another thread is started, after some in a row have ended without having been of use. */
  readonly restart: Schedule;
  readonly crew: PostOwner;
}

/** What a crew hears of its posts. */
export interface PostOwner {
  ready(thread: Thread): void;
  finished(thread: Thread, tookMs: number): void;
  gone(post: Post, end: ThreadEnd): void;
  restarted(): void;
  /** It has given up: no thread can be kept there. */
  hopeless(error: unknown): void;
}

export class Post implements ThreadOwner {
  readonly worker: number;
  readonly #parts: PostParts;
  readonly #closed: Deferred<void>;
  #state: "asleep" | "manned" | "relieved" | "pausing" | "closing" | "closed" = "asleep";
  /** What becomes of the place once a thread that is relieved has gone. */
  #next: "sleep" | "start" | "close" = "start";
  #thread: Thread | undefined;
  /** For the next thread, or for the end of an idle one. */
  #timer: Timer | undefined;
  /** How many threads in a row have ended without having finished a call, and how long the last pause was. */
  #failures = 0;
  #pauseMs = 0;
  #useful = false;
  #idleSinceMs = 0;

  constructor(parts: PostParts, worker: number) {
    this.#parts = parts;
    this.worker = worker;
    this.#closed = new Deferred<void>(parts.runtime, "end of a thread");
  }

  /** Whether it sleeps, and could be started. */
  get asleep(): boolean {
    return this.#state === "asleep";
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Whether it is not wanted any more. */
  get retiring(): boolean {
    return this.#next === "close";
  }

  /** Its thread, if it may be given calls. */
  get thread(): Thread | undefined {
    return this.#state === "manned" && !this.retiring ? this.#thread : undefined;
  }

  start(): void {
    const { host, module, name } = this.#parts;
    this.#stopTimer();
    this.#useful = false;
    this.#state = "manned";
    this.#thread = new Thread(host, { module, worker: this.worker, name: `${name} ${this.worker}` }, this);
  }

  /** It is not wanted any more: its thread is ended as soon as it has nothing to do. */
  retire(): void {
    this.#next = "close";
    if (this.#thread === undefined) this.#close();
    else if (this.#thread.size === 0) this.#relieve(this.#thread, "close");
  }

  /** Ends the thread, if it is still at that call; also one that is not wanted any more, and would end after it. */
  interrupt(call: ThreadCall): void {
    if (this.#state !== "manned" || this.#thread !== call.thread) return;
    if (this.#thread?.endIfAt(call) === true) this.#state = "relieved";
  }

  /** Ends its thread, whatever it does, and waits until that has gone. */
  async close(): Promise<void> {
    this.#stopTimer();
    if (this.#thread === undefined) this.#close();
    else {
      this.#state = "closing";
      this.#thread.terminate();
    }
    await this.#closed.wait();
  }

  ready(thread: Thread): void {
    this.#parts.crew.ready(thread);
    this.#rest(thread);
  }

  finished(thread: Thread, tookMs: number): void {
    this.#useful = true;
    this.#failures = 0;
    this.#pauseMs = 0;
    this.#parts.crew.finished(thread, tookMs);
    this.#rest(thread);
  }

  gone(_thread: Thread, end: ThreadEnd): void {
    this.#stopTimer();
    this.#thread = undefined;
    if (this.#state === "closing" || this.retiring) this.#close();
    else if (this.#state === "relieved") this.#goOn();
    else this.#replace(end);
    this.#parts.crew.gone(this, end);
  }

  #goOn(): void {
    const { crew } = this.#parts;
    if (this.#next === "sleep") this.#state = "asleep";
    else {
      crew.restarted();
      this.start();
    }
    this.#next = "start";
  }

  /** The thread has died. Another one comes: at once if this one was of use, or the first that was not. */
  #replace(end: ThreadEnd): void {
    const { restart, runtime, crew } = this.#parts;
    const reason = reasonOf(end);
    const inARow = this.#useful ? 0 : this.#failures++;
    this.#pauseMs = inARow === 0 ? 0 : restart(inARow, this.#pauseMs, reason);
    this.#state = "pausing";
    if (this.#pauseMs === Number.POSITIVE_INFINITY) return crew.hopeless(reason);
    crew.restarted();
    if (this.#pauseMs === 0) this.start();
    else this.#timer = runtime.clock.after(this.#pauseMs, () => this.start());
  }

  /** A thread that has nothing to do is ended: at once if it is one too many, else when that has lasted. */
  #rest(thread: Thread): void {
    const { idleMs, runtime } = this.#parts;
    if (!thread.idle || this.#state !== "manned") return;
    if (this.retiring) return this.#relieve(thread, "close");
    if (idleMs === Number.POSITIVE_INFINITY) return;
    this.#idleSinceMs = runtime.clock.now();
    if (this.#timer === undefined) this.#watchRest(thread, idleMs);
  }

  /** One timer, however often it has something to do meanwhile. */
  #watchRest(thread: Thread, delayMs: number): void {
    const { idleMs, runtime } = this.#parts;
    this.#timer = runtime.clock.after(delayMs, () => {
      this.#timer = undefined;
      if (!thread.idle || this.#state !== "manned") return;
      const leftMs = this.#idleSinceMs + idleMs - runtime.clock.now();
      if (leftMs > 0) this.#watchRest(thread, leftMs);
      else this.#relieve(thread, "sleep");
    });
    this.#timer.unref?.();
  }

  #relieve(thread: Thread, next: "sleep" | "close"): void {
    this.#state = "relieved";
    this.#next = next;
    thread.terminate();
  }

  #close(): void {
    this.#stopTimer();
    this.#state = "closed";
    this.#closed.settle({ ok: true, value: undefined });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
