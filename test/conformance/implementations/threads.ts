/**
 * A pool of threads whose threads are in this one: all of it but the host, so that functions may be closures, and time
 * jumps. What is sent is copied, as between threads, and comes later.
 */
import { currentRuntime } from "../../../src/core/runtime.ts";
import type { HostThread, ThreadHost, ThreadListener, ThreadStart } from "../../../src/threads/host.ts";
import type { ThreadJobContext } from "../../../src/threads/options.ts";
import { type News, type Order, PLACES } from "../../../src/threads/protocol.ts";
import { Runner } from "../../../src/threads/runner.ts";
import { ThreadPool } from "../../../src/threads/thread-pool.ts";
import { type MakePool, poolSubject } from "../kinds/pool.ts";
import type { Subject } from "../subject.ts";

class ThreadInHere implements HostThread {
  readonly #runner: Runner;
  readonly #listener: ThreadListener;
  #state: "alive" | "gone" = "alive";

  constructor(functions: Readonly<Record<string, unknown>>, start: ThreadStart, listener: ThreadListener) {
    this.#listener = listener;
    const post = (news: News): void => this.#tell(news, (copy) => listener.news(copy));
    const now = (): number => currentRuntime().clock.now();
    this.#runner = new Runner(functions, start.cells, start.worker, { post, now });
    post(["loaded"]);
  }

  post(orders: readonly Order[]): void {
    this.#tell(orders, (copy) => this.#runner.take(copy));
  }

  hold(): void {}

  /** Code that runs here cannot be ended from here; but nothing is heard of it any more. */
  terminate(): void {
    this.#tell(1, (exitCode) => {
      this.#state = "gone";
      this.#listener.gone(exitCode);
    });
  }

  #tell<T>(what: T, hear: (copy: T) => void): void {
    const copy = structuredClone(what);
    queueMicrotask(() => {
      if (this.#state === "alive") hear(copy);
    });
  }
}

const make: MakePool = (work, size) => {
  const functions = { work: (job: number, { ctx }: ThreadJobContext) => work(job, ctx) };
  const host: ThreadHost = {
    cores: size.workers,
    sharesMemory: true,
    start: (start, listener) => new ThreadInHere(functions, start, listener),
  };
  return new ThreadPool<typeof functions>(host, "here", size).of("work");
};

export const threadsInHere: Subject = {
  ...poolSubject(make, { perWorker: PLACES, perLoop: 32 }),
  simulated: false,
  // What is thrown in a thread, and who called, is a copy to the other side.
  failing: {},
  callbacks: {},
};
