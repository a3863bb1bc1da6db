/**
 * The threads of a pool: hands calls to the one that has the fewest, takes back what a busy one has not begun when
 * another has nothing to do, and gives what a dead one had not begun to the others.
 *
 * Invariants
 *   I1  A call that is not settled is with one thread, or waits among the homeless for one.
 *   I2  While a thread has a place, nobody is homeless; while anybody is, no post sleeps.
 *   I3  The state only moves forward: starting, working, ended. It works once a thread has loaded the module.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { WaiterQueue } from "../core/waiter-queue.ts";
import { type CallOwner, ThreadCall, type ThreadJob } from "./call.ts";
import { Post, type PostOwner, type PostParts } from "./post.ts";
import type { Thread } from "./thread.ts";
import { crashOf, reasonOf, type ThreadEnd } from "./thread-end.ts";
import { unwrapped } from "./transfer.ts";

/** What a crew is made of. */
export interface CrewParts extends Omit<PostParts, "crew"> {
  /** How long a thread that is told to let go of a call has for that. */
  readonly graceMs: number;
  /** Told how long a call took. */
  readonly finished: (tookMs: number) => void;
  /** Told that no thread can be kept, and why. */
  readonly hopeless: (error: unknown) => void;
  /** Told what has ended a thread that was at no call. */
  readonly onError: (error: unknown) => void;
}

export class Crew implements PostOwner, CallOwner {
  readonly #parts: CrewParts;
  readonly #posts = new Set<Post>();
  readonly #homeless = new WaiterQueue<ThreadCall>();
  readonly #loaded: Deferred<void>;
  #state: "starting" | "working" | "ended" = "starting";
  #restarts = 0;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#loaded = new Deferred<void>(parts.runtime, "load of a module");
  }

  /** How many threads there are. */
  get size(): number {
    return [...this.#posts].filter(({ thread }) => thread !== undefined).length;
  }

  /** How often a thread was started in place of one that had ended. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Waits until a thread has loaded the module. Rejects if it cannot be loaded. */
  loaded(options?: CancelOptions): Promise<void> {
    return this.#loaded.wait(options);
  }

  /** Changes how many threads there are, unless they have been ended. Those too many end when they have nothing to do. */
  resize(workers: number): void {
    if (this.#state === "ended") return;
    const manned = new Set<number>();
    for (const post of this.#posts) {
      if (post.worker > workers) post.retire();
      if (!post.retiring) manned.add(post.worker);
      if (post.closed) this.#posts.delete(post);
    }
    for (let worker = 1; worker <= workers; worker++) {
      if (manned.has(worker)) continue;
      const post = new Post({ ...this.#parts, crew: this }, worker);
      this.#posts.add(post);
      post.start();
    }
  }

  /** Has a thread do it. A call that is given up is settled when its thread has let go of it. */
  call(job: ThreadJob): ThreadCall {
    const call = new ThreadCall(job, this);
    this.#place(call);
    return call;
  }

  /** Ends all threads, and waits until they have gone. */
  async end(): Promise<void> {
    this.#state = "ended";
    await Promise.all([...this.#posts].map((post) => post.close()));
  }

  ready(thread: Thread): void {
    if (this.#state === "starting") this.#state = "working";
    this.#loaded.settle({ ok: true, value: undefined });
    this.#house();
    if (thread.idle) this.#relieve(thread);
  }

  finished(thread: Thread, tookMs: number): void {
    this.#parts.finished(tookMs);
    this.#house();
    if (thread.idle) this.#relieve(thread);
  }

  gone(post: Post, end: ThreadEnd): void {
    for (const call of end.begun) call.fail(crashOf(end));
    for (const call of end.notBegun) this.#again(call, end);
    if (post.closed) this.#posts.delete(post);
    if (post.asleep && this.#homeless.size > 0) post.start();
    if (this.#state === "starting" && !end.asked) this.hopeless(reasonOf(end));
    else if (end.error?.loading === false && end.begun.length === 0) this.#parts.onError(end.error.thrown);
  }

  hopeless(error: unknown): void {
    this.#loaded.settle({ ok: false, error });
    this.#parts.hopeless(error);
  }

  restarted(): void {
    this.#restarts++;
  }

  /** To the thread that has the fewest calls; if none has a place, it waits for one. */
  #place(call: ThreadCall): void {
    let best: Thread | undefined;
    for (const { thread } of this.#posts) {
      if (thread?.hasPlace === true && thread.size < (best?.size ?? Number.POSITIVE_INFINITY)) best = thread;
    }
    if (best === undefined || best.size > 0) this.#wakeOne();
    if (best === undefined) this.#homeless.push(call);
    else best.send(call);
  }

  /** One more thread is wanted, if one sleeps. */
  #wakeOne(): void {
    for (const post of this.#posts) if (post.asleep) return post.start();
  }

  #house(): void {
    for (let call = this.#homeless.first; call !== undefined; call = this.#homeless.first) {
      if (![...this.#posts].some(({ thread }) => thread?.hasPlace === true)) return;
      this.#homeless.shift();
      this.#place(call);
    }
  }

  /** A thread has nothing to do: it gets the last call of the one that has the most. */
  #relieve(idle: Thread): void {
    let busiest: Thread | undefined;
    for (const { thread } of this.#posts) if ((thread?.size ?? 0) > (busiest?.size ?? 1)) busiest = thread;
    const call = busiest?.last;
    if (call !== undefined && unwrapped(call.what.job).list.length === 0 && busiest?.takeBack(call) === true)
      idle.send(call);
  }

  /** Its thread has died before it began: another has it, unless part of it was moved there and is lost. */
  #again(call: ThreadCall, end: ThreadEnd): void {
    if (call.abandoned !== undefined) call.fail(call.abandoned.reason);
    else if (this.#state === "ended" || unwrapped(call.what.job).list.length > 0) call.fail(crashOf(end));
    else this.#place(call);
  }

  /** A call is given up: settled at once if it has not begun; else its thread is told, and ended if it does not obey. */
  abandoned(call: ThreadCall, reason: unknown): void {
    const { thread } = call;
    if (thread === undefined || thread.takeBack(call)) {
      call.fail(reason);
      return;
    }
    thread.cancel(call, reason);
    const { graceMs, runtime } = this.#parts;
    if (graceMs === Number.POSITIVE_INFINITY) return;
    call.grace = runtime.clock.after(graceMs, () => this.#interrupt(call));
  }

  #interrupt(call: ThreadCall): void {
    for (const post of this.#posts) post.interrupt(call);
  }
}
