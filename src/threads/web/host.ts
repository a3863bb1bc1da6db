/**
 * Threads as browsers have them: workers.
 */
import { nextTurn } from "../../core/clock.ts";
import type { HostThread, ThreadHost, ThreadListener, ThreadStart } from "../host.ts";
import type { News, Order } from "../protocol.ts";

/** A browser's workers. */
export const webHost: ThreadHost = {
  get cores() {
    return navigator.hardwareConcurrency;
  },
  get sharesMemory() {
    return typeof SharedArrayBuffer === "function";
  },
  start: (start, listener) => new WebThread(start, listener),
};

/** A browser tells of an error and lets the worker live, and never of its end: here, the first is the second. */
class WebThread implements HostThread {
  readonly #worker: Worker;
  readonly #listener: ThreadListener;
  #state: "alive" | "gone" = "alive";

  constructor(start: ThreadStart, listener: ThreadListener) {
    this.#listener = listener;
    this.#worker = new Worker(new URL("./entry.js", import.meta.url), { type: "module", name: start.name });
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data as News));
    this.#worker.addEventListener("messageerror", () =>
      this.#crash(new Error("a message could not be read")),
    );
    this.#worker.addEventListener("error", (event) => this.#crash(event.error ?? new Error(event.message)));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    this.#worker.postMessage(start);
  }

  post(orders: readonly Order[], list: readonly Transferable[]): void {
    this.#worker.postMessage(orders, [...list]);
  }

  /** A page is not kept alive by anything. */
  hold(): void {}

  terminate(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#worker.terminate();
    nextTurn(() => this.#listener.gone(1));
  }

  #hear(news: News): void {
    if (this.#state === "gone") return;
    this.#listener.news(news);
    if (news[0] === "unloadable") this.terminate();
  }

  #crash(error: unknown): void {
    this.#listener.crashed(error);
    this.terminate();
  }
}
